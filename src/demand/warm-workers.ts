import type { PublisherConfiguration } from './configuration';
import type { Bounds, Found } from './new-desired-count';

/** How many workers there were of a kind in a minute (of those since 1970). */
export interface Minute {
  readonly minute: number;
  readonly workers: number;
}

/** What earlier polls have found, as far as it is known: the most of each minute, the oldest first. */
export interface Past {
  /** Workers that were needed, of the minutes after which those are taken away that aren't. */
  readonly required: readonly Minute[];
  /** Workers that only unscheduled runs needed, and those that waited for such runs, of a day; only where some may wait. */
  readonly unscheduled: readonly Minute[];
  readonly warm: readonly Minute[];
}

type Settings = Pick<PublisherConfiguration, 'flowRunLimit' | 'warmTaskHours' | 'scaleInMinutes'>;

const DAY = 24 * 60;

const MARGIN = 1.1;
const MARGIN_MINUTES = 1;

/**
 * How many workers to keep, those included that are needed, by when the last day needed workers for unscheduled runs. Each worker (the first,
 * the second, ...) is kept up to a time after it was needed last, which is such that the last day would have used up the hours that are
 * allowed: waits that would have ended soonest come first.
 */
export function warmWorkers(
  { minute, required, unscheduled, room }: Found, past: Past, { flowRunLimit = 1, warmTaskHours = 0, scaleInMinutes }: Settings, { min, max }: Bounds,
): number {
  const spent = past.warm.reduce((sum, { workers }) => sum + workers, 0);
  if (spent >= warmTaskHours * 60) return required;
  const days = [...past.unscheduled, { minute, workers: unscheduled }];
  // Of less than a day as much as belongs to it.
  const minutes = warmTaskHours * 60 * Math.min(1, (minute - days[0].minute) / DAY);
  const top = Math.min(max, Math.max(...days.map(({ workers }) => workers)));
  const waits = Array.from({ length: Math.max(0, top - min) }, (_, index) => new Waits(days, min + index + 1, minute, scaleInMinutes));
  spend(minutes, waits);
  const kept = waits.filter(({ idle, limit }) => idle <= limit).length;
  const warm = kept === 0 ? 0 : Math.max(0, min + kept - unscheduled);
  return required + Math.min(warm, Math.ceil(room / flowRunLimit));
}

/** Lets workers wait longer, each time the one that would have met the most runs for its minutes. */
function spend(minutes: number, waits: readonly Waits[]): void {
  let left = minutes;
  for (;;) {
    const best = waits.flatMap(wait => wait.longer(left) ?? []).reduce<Longer | undefined>((one, other) => (one && one.worth >= other.worth ? one : other), undefined);
    if (!best) return;
    best.allow();
    left -= best.minutes;
  }
}

interface Longer {
  readonly minutes: number;
  /** Runs met, by minute. */
  readonly worth: number;
  readonly allow: () => void;
}

/** For how long a worker that only unscheduled runs need was not needed, each time before it was needed again. */
class Waits {
  /** How many minutes it may wait. */
  public limit = 0;
  /** For how many it has not been needed now. */
  public readonly idle: number;
  private readonly minutes: number[] = [];
  private spent = 0;
  private met = 0;

  constructor(past: readonly Minute[], worker: number, now: number, private readonly patience: number) {
    let last: number | undefined;
    for (const { minute, workers } of past) {
      if (workers < worker) continue;
      if (last !== undefined && minute - last - 1 > patience) this.minutes.push(minute - last - 1);
      last = minute;
    }
    this.minutes.sort((a, b) => a - b);
    this.idle = now - last!;
  }

  /** The longer limit that is worth most within so many minutes. */
  public longer(left: number): Longer | undefined {
    const { minutes: all, patience, idle } = this;
    let best: Longer | undefined;
    let [met, shorter] = [0, 0];
    for (const wait of all) {
      const limit = Math.ceil(MARGIN * wait) + MARGIN_MINUTES;
      if (limit <= this.limit) continue;
      while (all[met] <= limit) shorter += all[met++] - patience;
      const spent = shorter + (all.length - met) * (limit - patience) + Math.max(0, Math.min(idle, limit) - patience);
      const minutes = Math.max(0, spent - this.spent);
      const worth = (met - this.met) / minutes;
      const taken = met;
      if (met <= this.met || minutes > left || (best && worth <= best.worth)) continue;
      best = { minutes, worth, allow: () => { [this.limit, this.spent, this.met] = [limit, spent, taken]; } };
    }
    return best;
  }
}
