import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { Prefect } from './prefect';
import { pythonEnvironment } from '../../python/environment';

/** What became of the calls of clients that tried again by themselves. */
export interface LoadResult {
  readonly calls: number;
  /** Seconds that the slowest call took, with what was tried again. */
  readonly slowest: number;
  /** Calls that no retry cured, with their errors. */
  readonly failed: readonly string[];
  /** Ids of the flow runs that were brought to their end. */
  readonly runs: readonly string[];
}

/** Starts real clients of Prefect that call a server one after the other; `stop` gives what became of it. */
export async function startLoad({ prefect, authString, clients, pauseSeconds }: {
  readonly prefect: Prefect; readonly authString: string; readonly clients: number; readonly pauseSeconds: number;
}): Promise<{ stop(): Promise<LoadResult> }> {
  const { python, bin } = await pythonEnvironment();
  const child = spawn(python, [join(__dirname, 'server_load.py'), String(clients), String(pauseSeconds)], {
    env: {
      PATH: `${bin}:${process.env.PATH}`,
      HOME: process.env.HOME,
      PREFECT_API_URL: prefect.apiUrl,
      PREFECT_API_AUTH_STRING: authString,
      PREFECT_CLIENT_RETRY_EXTRA_CODES: '500,504',
      PREFECT_CLIENT_MAX_RETRIES: '9',
    },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let [said, complained] = ['', ''];
  child.stdout.on('data', chunk => { said += chunk; });
  child.stderr.on('data', chunk => { complained = (complained + chunk).slice(-3000); });
  const ended = new Promise<void>(resolve => child.once('close', () => resolve()));
  return {
    async stop() {
      child.stdin.end();
      await ended;
      const result = said.trim().split('\n').pop();
      if (!result?.startsWith('{')) throw new Error(`The clients ended without a result:\n${complained}`);
      return JSON.parse(result);
    },
  };
}
