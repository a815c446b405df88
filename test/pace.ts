import { AddressInfo, connect, createServer, Socket } from 'node:net';
import { cpus } from 'node:os';

/** How much of a core has to be idle before somebody begins. */
const IDLE_CORES = 0.8;
const LOOK_MS = 500;
/** What has begun is seen in the load by then. */
const SETTLE_MS = 2_500;
/** Another program may keep the machine busy for good. */
const PATIENCE_MS = 20_000;

/** The port of the one that sets the pace; without it everybody begins at once. */
const PORT = 'TEST_PACE_PORT';

export interface Pace {
  /** For the processes that are to keep it. */
  readonly environment: Record<string, string>;
  stop(): void;
}

/**
 * Sets the pace of test files that run at the same time: most of them wait for something most of the time, so that many may run, but each starts servers and
 * deploys, and what others measure meanwhile would be the machine. Of those that ask, one begins when a core is idle.
 */
export async function setPace(): Promise<Pace> {
  const waiting: { socket: Socket; since: number }[] = [];
  const server = createServer(socket => {
    waiting.push({ socket: socket.on('error', () => socket.destroy()), since: Date.now() });
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));

  let [before, begun] = [idleMs(), 0];
  const timer = setInterval(() => {
    const now = idleMs();
    const idle = (now - before) / LOOK_MS;
    before = now;
    while (waiting[0]?.socket.destroyed) waiting.shift();
    if (waiting.length === 0 || Date.now() - begun < SETTLE_MS) return;
    if (idle < IDLE_CORES && Date.now() - waiting[0].since < PATIENCE_MS) return;
    begun = Date.now();
    waiting.shift()!.socket.end();
  }, LOOK_MS);
  return {
    environment: { [PORT]: `${(server.address() as AddressInfo).port}` },
    stop: () => {
      clearInterval(timer);
      waiting.forEach(({ socket }) => socket.destroy());
      server.close();
    },
  };
}

/** Resolves when a core is idle, where somebody sets the pace. */
export function idleCore(): Promise<void> {
  const port = process.env[PORT];
  if (port === undefined) return Promise.resolve();
  return new Promise(resolve => connect(Number(port), '127.0.0.1').on('error', () => resolve()).on('close', () => resolve()).resume());
}

/** Milliseconds in which cores were idle, or worked for who yields to everybody, of all since the machine started. */
function idleMs(): number {
  return cpus().reduce((sum, { times }) => sum + times.idle + times.nice, 0);
}
