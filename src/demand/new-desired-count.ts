import type { PublisherConfiguration } from './configuration';
import { Past, warmWorkers } from './warm-workers';

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

/** What a poll has found. */
export interface Found {
  readonly required: number;
  /** Those of them that only unscheduled runs need. */
  readonly unscheduled: number;
  /** How many more runs the limits in Prefect would let start. */
  readonly room: number;
  /** Workers that have flow runs: there are never fewer. ECS protects no more tasks than it is to keep, and might take a busy one. */
  readonly busy: number;
  readonly desired: number;
  /** When it was (in minutes since 1970). */
  readonly minute: number;
}

type Settings = Pick<PublisherConfiguration, 'flowRunLimit' | 'scaleInMinutes' | 'warmTaskHours'>;

export interface NewDesiredCount {
  /** Undefined where it stays as it is. */
  readonly count?: number;
  /** Workers that are only there in case that unscheduled runs come. */
  readonly warm: number;
}

/**
 * How many workers the service is to keep: more at once, fewer when for some minutes no poll has needed as many.
 *
 * @param past what earlier polls have found; not asked for where no worker is too much
 */
export function newDesiredCount(found: Found, past: Past | undefined, settings: Settings, bounds: Bounds): NewDesiredCount {
  const { required, busy, desired } = found;
  const recent = (past?.required ?? []).map(({ workers }) => workers);
  const needed = Math.max(required, busy, bounds.min, ...recent);
  const kept = past && settings.warmTaskHours ? warmWorkers(found, past, settings, bounds) : required;
  // The newest minute may not be visible yet.
  const patient = recent.length >= Math.max(1, settings.scaleInMinutes - 1);
  const wanted = required >= desired ? required : patient ? Math.min(desired, Math.max(needed, kept)) : desired;
  const count = Math.max(bounds.min, Math.min(bounds.max, wanted));
  const suspended = count > desired ? bounds.outSuspended : bounds.inSuspended;
  return {
    count: count === desired || suspended ? undefined : count,
    warm: Math.max(0, Math.min(kept, desired) - needed),
  };
}

/** Whether anybody has to know what earlier polls have found. */
export function mayBeTooMuch({ required, busy, desired }: Found, { min }: Bounds): boolean {
  return Math.max(required, busy, min) < desired;
}
