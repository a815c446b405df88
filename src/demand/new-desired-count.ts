/** In as many seconds ECS has taken away what is too much. */
export const SOON_SECONDS = 60;

/** Between which numbers of workers the service is to be, now: scheduled actions change them. */
export interface Bounds {
  readonly min: number;
  readonly max: number;
  /** Whether a person has suspended scaling. */
  readonly outSuspended?: boolean;
  readonly inSuspended?: boolean;
}

/** What a poll and those before it have found. */
export interface Found {
  readonly required: number;
  /** Workers that have flow runs: there are never fewer. ECS protects no more tasks than it is to keep, and might take a busy one. */
  readonly busy: number;
  readonly desired: number;
  /** What polls of the last minutes needed, one number for each minute that is known. */
  readonly recent: readonly number[];
}

/**
 * How many workers the service is to keep: more at once, fewer when for some minutes no poll has needed as many. Undefined where it
 * stays as it is.
 */
export function newDesiredCount({ required, busy, desired, recent }: Found, scaleInMinutes: number, bounds: Bounds): number | undefined {
  // The newest minute may not be visible yet.
  const patient = recent.length >= Math.max(1, scaleInMinutes - 1);
  const wanted = required >= desired ? required : patient ? Math.min(desired, Math.max(required, busy, ...recent)) : desired;
  const count = Math.max(bounds.min, Math.min(bounds.max, wanted));
  const suspended = count > desired ? bounds.outSuspended : bounds.inSuspended;
  return count === desired || suspended ? undefined : count;
}
