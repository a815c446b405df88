import { setTimeout as sleep } from 'node:timers/promises';

const LONGEST_WAIT_SECONDS = 60;
/** Trouble that isn't over by then, after two minutes, is no passing one. */
const TRIES = 8;

/** A registry's refusal. */
export class RegistryError extends Error {
  constructor(message: string, public readonly status: number, public readonly retryAfterSeconds?: number) {
    super(message);
  }

  /** A limit of pulls frees some each minute, so waiting helps for as long as there is time. */
  public get isLimit(): boolean {
    return this.status === 429;
  }

  public get isFinal(): boolean {
    return this.status < 500 && !this.isLimit && this.status !== 408;
  }
}

/** Tries again what may succeed later, as long as there is time. */
export class Patience {
  constructor(private readonly until: number) {}

  public async tryAgain<T>(what: string, act: () => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries++) {
      try {
        return await act();
      } catch (error) {
        const seconds = secondsToWait(error, tries);
        if (seconds === undefined || Date.now() + seconds * 1000 > this.until) throw error;
        console.warn(`${what}: ${describe(error)} Try ${tries + 1} follows in ${seconds} s.`);
        await sleep(seconds * 1000);
      }
    }
  }
}

function secondsToWait(error: unknown, tries: number): number | undefined {
  if (error instanceof RegistryError) {
    if (error.isFinal) return undefined;
    if (error.retryAfterSeconds !== undefined) return error.retryAfterSeconds;
    if (error.isLimit) return backoff(tries);
  }
  return tries < TRIES ? backoff(tries) : undefined;
}

const backoff = (tries: number) => Math.min(2 ** (tries - 1), LONGEST_WAIT_SECONDS);

/** An error with its cause, where Node keeps what went wrong with a connection. */
export function describe(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error ? `${message}: ${cause.message}` : message;
}

/** What `Retry-After` says: seconds, or a date. Docker Hub has given the date as Unix time, too. */
export function retryAfter(header: string | null): number | undefined {
  if (!header) return undefined;
  const number = Number(header);
  const at = Number.isNaN(number) ? Date.parse(header) : number > 1e9 ? number * 1000 : Date.now() + number * 1000;
  return Number.isNaN(at) ? undefined : Math.max(1, Math.ceil((at - Date.now()) / 1000));
}
