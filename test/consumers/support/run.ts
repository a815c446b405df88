import { spawn } from 'node:child_process';
import { join } from 'node:path';

export const ROOT = join(__dirname, '..', '..', '..');
export const DIST = join(ROOT, 'dist');
/** What the consumer tests build and download; downloads are kept for the next run. */
export const WORK = join(ROOT, '.cache', 'consumers');
export const MAVEN_REPOSITORY = join(ROOT, '.cache', 'maven');

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
}

/** Runs a command to its end and returns what it printed; throws with all of it when the command fails. */
export function run(command: string, args: readonly string[], { cwd = ROOT, env }: RunOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', chunk => (stdout += chunk));
    child.stderr.on('data', chunk => (stderr += chunk));
    child.on('error', reject);
    child.on('close', code => code === 0
      ? resolve(stdout)
      : reject(new Error(`${command} ${args.join(' ')} ended with ${code}:\n${stdout}${stderr}`)));
  });
}

/** Throws with what to install unless the tool answers with at least the version asked for. */
export async function requireTool(name: string, args: readonly string[], pattern: RegExp, least: number, install: string): Promise<void> {
  const wanted = `The consumer tests need ${name} ${least} or later on the PATH. Install it, for example with ${install}.`;
  const answer = await run(name.split(' ')[0], args).catch(() => {
    throw new Error(wanted);
  });
  const version = Number(pattern.exec(answer)?.[1]);
  if (!(version >= least)) throw new Error(`${wanted} Found: ${answer.split('\n')[0]}`);
}
