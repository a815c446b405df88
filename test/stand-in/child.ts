import { ChildProcessByStdio, spawn, SpawnOptions } from 'node:child_process';
import { createServer } from 'node:net';
import type { Readable, Writable } from 'node:stream';

export type Child = ChildProcessByStdio<Writable, Readable, Readable>;

/** A port that is free on the loopback interface right now. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => (address !== null && typeof address === 'object' ? resolve(address.port) : reject(new Error('no free port'))));
    });
  });
}

/** Becomes the command, and leaves a guard in its group that ends the group when the standard input closes: asks first, insists after 10 seconds. */
const GUARDED = `
exec 3<&0
(cat <&3; trap '' TERM; kill -TERM -$$; for _ in $(seq 50); do kill -0 $$ && sleep 0.2; done; kill -KILL -$$) >/dev/null 2>&1 &
exec 3<&-
exec "$@" </dev/null`;

/** Starts a process that leads a group of its own. The group ends with this process, even if this process is killed. */
export function startGroup(command: string, options: readonly string[], how: Pick<SpawnOptions, 'cwd' | 'env' | 'uid' | 'gid'>): Child {
  return spawn('/bin/sh', ['-c', GUARDED, 'guarded', command, ...options], { ...how, stdio: ['pipe', 'pipe', 'pipe'], detached: true });
}

/** Ends a process that leads a group of its own, with the group: asks first, insists after `patienceMs`. */
export async function endGroup(child: Child, patienceMs: number): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    signalGroup(child, 'SIGTERM');
    const timer = setTimeout(() => signalGroup(child, 'SIGKILL'), patienceMs);
    await ended;
    clearTimeout(timer);
  }
  signalGroup(child, 'SIGKILL');
}

function signalGroup(child: Child, signal: NodeJS.Signals): void {
  try {
    process.kill(-child.pid!, signal);
  } catch {
    // The group is gone already.
  }
}
