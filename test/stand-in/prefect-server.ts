import { createWriteStream, existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { endGroup, freePort, startGroup } from './child';
import { MIGRATED, provideDatabase, startMigratedPostgres } from './migrated-database';
import { idleCore } from '../pace';
import { PythonLock, pythonEnvironment } from '../python/environment';

const START_TIMEOUT_MS = 90_000;
const STOP_TIMEOUT_MS = 10_000;

export interface PrefectServer {
  /** For `PREFECT_API_URL`. */
  readonly apiUrl: string;
  readonly uiUrl: string;
  /** Database, settings and `server.log`. */
  readonly directory: string;
  /** User, host, port and name of the database, where it is a PostgreSQL. */
  readonly postgres?: string;
  stop(): Promise<void>;
}

export interface PrefectServerOptions {
  /** User and password, `admin:secret`, without which the server answers 401. */
  readonly authString?: string;
  /**
   * Where the server keeps what it knows. With 60 flow runs that start at one moment on two cores, a server on SQLite was seen to
   * answer that the database is locked, and then nothing more, with all of its 15 connections taken; with two workers that deploy
   * and start at one moment, that it is unavailable.
   * @default 'sqlite'
   */
  readonly database?: 'sqlite' | 'postgres';
  /** @default - a new temporary directory, removed by `stop` */
  readonly directory?: string;
  /** The lock of the environment that the server is of. @default - the tests' own */
  readonly lock?: PythonLock;
  /** Further settings of the server, by their environment variables. */
  readonly environment?: Record<string, string>;
  readonly onProgress?: (line: string) => void;
}

/** A real Prefect server on a free port, with a database of its own. */
export async function startPrefectServer(options: PrefectServerOptions = {}): Promise<PrefectServer> {
  const { bin } = await pythonEnvironment(options.onProgress, options.lock);
  await idleCore();
  const directory = options.directory ?? await mkdtemp(path.join(tmpdir(), 'prefect-server-'));
  await mkdir(directory, { recursive: true });
  const postgres = options.database === 'postgres' ? await startMigratedPostgres(bin) : undefined;
  const file = path.join(directory, 'prefect.db');
  const migrated = postgres !== undefined || !existsSync(file);
  if (!postgres && migrated) await provideDatabase(bin, file);
  const port = await freePort();
  const apiUrl = `http://127.0.0.1:${port}/api`;
  const logFile = path.join(directory, 'server.log');
  const child = startGroup(path.join(bin, 'prefect'), ['server', 'start', '--host', '127.0.0.1', '--port', String(port)], {
    env: {
      PATH: `${bin}${path.delimiter}${process.env.PATH}`,
      HOME: directory,
      PREFECT_HOME: directory,
      PREFECT_API_DATABASE_CONNECTION_URL: postgres ? `postgresql+asyncpg://${postgres.address}` : `sqlite+aiosqlite:///${file}`,
      PREFECT_SERVER_ANALYTICS_ENABLED: 'false',
      DO_NOT_TRACK: '1',
      ...(options.authString === undefined ? {} : { PREFECT_SERVER_API_AUTH_STRING: options.authString }),
      ...(migrated ? MIGRATED : {}),
      ...options.environment,
    },
    cwd: directory,
  });
  const log = createWriteStream(logFile);
  child.stdout.pipe(log);
  child.stderr.pipe(log);
  const stop = async () => {
    await endGroup(child, STOP_TIMEOUT_MS);
    await postgres?.stop();
    if (options.directory === undefined) {
      await rm(directory, { recursive: true, force: true });
    }
  };
  const headers: Record<string, string> = options.authString === undefined
    ? {}
    : { authorization: `Basic ${Buffer.from(options.authString).toString('base64')}` };
  for (const deadline = Date.now() + START_TIMEOUT_MS; !(await healthy(apiUrl, headers));) {
    if (child.exitCode !== null || Date.now() > deadline) {
      const last = readFileSync(logFile, 'utf8').slice(-2000);
      await endGroup(child, 0);
      await postgres?.stop();
      throw new Error(`the Prefect server ${child.exitCode === null ? `was not healthy within ${START_TIMEOUT_MS / 1000} s` : `ended with ${child.exitCode}`}; its last words:\n${last}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
  options.onProgress?.(`the Prefect server answers on ${apiUrl}`);
  return { apiUrl, uiUrl: `http://127.0.0.1:${port}`, directory, postgres: postgres?.address, stop };
}

async function healthy(apiUrl: string, headers: Record<string, string>): Promise<boolean> {
  return fetch(`${apiUrl}/health`, { headers }).then((answer) => answer.ok, () => false);
}
