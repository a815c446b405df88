import { AddressInfo, connect, createServer, Socket } from 'node:net';
import { cpus } from 'node:os';

/**
 * How many times as long as it takes on a quiet machine one waits for something to happen. What has to be in time is compared with a time; when something is,
 * on a slow machine, is no fault of what is tested.
 */
export const PATIENCE = 3;

/** How much of a core has to be idle before somebody starts something. */
const IDLE_CORES = 0.8;
const LOOK_MS = 500;
/** What has begun is seen in the load by then. */
const SETTLE_MS = 2_500;
/** Who is in the middle of a test does not wait for ever for a core. */
const LONGEST_WAIT_MS = 20_000;

/** As many files run, however busy the machine is. */
const LEAST_FILES = 2;
/** How much of a core has to be idle, for some seconds, before one more begins. */
const IDLE_CORES_FOR_A_FILE = 0.5;
const LOOKS_FOR_A_FILE = 10;

/** The port of the one that sets the pace; without it everybody begins at once. */
const PORT = 'TEST_PACE_PORT';

export interface Pace {
  /** For the processes that are to keep it. */
  readonly environment: Record<string, string>;
  stop(): void;
}

/** Who asks: a test file, whose connection lasts as long as it runs, or one that is about to start a server or a deployment. */
type Asker = 'file' | 'start';

interface Waiting {
  readonly socket: Socket;
  readonly since: number;
}

/**
 * Sets the pace of test files that run at the same time: most of them wait for something most of the time, so that many may run, but each starts servers and
 * deploys, and what others measure meanwhile would be the machine. So a slow machine has fewer of them at a time, and of those that start something one
 * begins when a core is idle.
 *
 * @param idleMs milliseconds in which cores were idle, of all so far
 */
export async function setPace(idleMs = idleMsOfCores): Promise<Pace> {
  const waiting: Record<Asker, Waiting[]> = { file: [], start: [] };
  const files = new Set<Socket>();
  const server = createServer(socket => {
    socket.on('error', () => socket.destroy()).on('close', () => files.delete(socket));
    socket.once('data', asker => waiting[`${asker}` as Asker].push({ socket, since: Date.now() }));
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));

  let [before, begun] = [idleMs(), 0];
  let looks: number[] = [];
  const timer = setInterval(() => {
    const now = idleMs();
    const idle = (now - before) / LOOK_MS;
    before = now;
    looks = [...looks, idle].slice(-LOOKS_FOR_A_FILE);
    for (const queue of Object.values(waiting)) while (queue[0]?.socket.destroyed) queue.shift();
    if (Date.now() - begun < SETTLE_MS) return;
    const [start] = waiting.start;
    if (start) {
      if (idle < IDLE_CORES && Date.now() - start.since < LONGEST_WAIT_MS) return;
      waiting.start.shift()!.socket.end();
    } else if (waiting.file.length > 0) {
      const calm = looks.length === LOOKS_FOR_A_FILE && looks.reduce((sum, one) => sum + one, 0) / looks.length >= IDLE_CORES_FOR_A_FILE;
      if (files.size >= LEAST_FILES && !calm) return;
      const { socket } = waiting.file.shift()!;
      files.add(socket);
      socket.write('begin');
      // What it starts is to be seen in these.
      looks = [];
    } else {
      return;
    }
    begun = Date.now();
  }, LOOK_MS);
  return {
    environment: { [PORT]: `${(server.address() as AddressInfo).port}` },
    stop: () => {
      clearInterval(timer);
      [...waiting.file, ...waiting.start].forEach(({ socket }) => socket.destroy());
      files.forEach(socket => socket.destroy());
      server.close();
    },
  };
}

/** Resolves when a core is idle, where somebody sets the pace. */
export async function idleCore(): Promise<void> {
  await asked('start');
}

/** Resolves when a test file may begin, where somebody sets the pace; to be called when it is over. */
export async function turnOfFile(): Promise<() => void> {
  const socket = await asked('file');
  return () => void socket?.destroy();
}

/** Resolves with the first answer. */
function asked(asker: Asker): Promise<Socket | undefined> {
  const port = process.env[PORT];
  if (port === undefined) return Promise.resolve(undefined);
  return new Promise(resolve => {
    const socket: Socket = connect(Number(port), '127.0.0.1', () => socket.write(asker));
    socket.on('error', () => resolve(undefined)).on('close', () => resolve(undefined)).once('data', () => resolve(socket));
  });
}

/** Milliseconds in which cores were idle, or worked for who yields to everybody, of all since the machine started. */
function idleMsOfCores(): number {
  return cpus().reduce((sum, { times }) => sum + times.idle + times.nice, 0);
}
