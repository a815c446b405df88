import { setTimeout as sleep } from 'node:timers/promises';

/** The result of some work, or an error that says what took too long. */
export async function within<T>(seconds: number, what: string, work: Promise<T>): Promise<T> {
  const done = new AbortController();
  const giveUp = sleep(seconds * 1000, undefined, { signal: done.signal }).then(() => { throw new Error(`${what} after ${seconds} seconds.`); });
  try {
    return await Promise.race([work, giveUp]);
  } finally {
    giveUp.catch(() => undefined);
    done.abort();
  }
}
