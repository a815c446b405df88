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

/** A worker waits a tenth and a minute longer than it had to: the next run rarely comes after the same time to the minute. */
const LONGER = 1.1;
const MINUTES_LONGER = 1;

/**
 * How many workers to keep, those included that are needed, in case that unscheduled runs come. Each worker (the first, the second, ...) is kept
 * for some time after such runs last needed it. The times are those with which workers would have been there the most often when they were needed
 * again within the last day, and would have waited for no more hours than are allowed. So the hours go to short waits before long ones.
 */
export function warmWorkers(
  { minute, required, unscheduled, room }: Found, past: Past, { flowRunLimit = 1, warmTaskHours = 0, scaleInMinutes }: Settings, { min, max }: Bounds,
): number {
  const spent = past.warm.reduce((sum, { workers }) => sum + workers, 0);
  if (spent >= warmTaskHours * 60) return required;
  const day = [...past.unscheduled, { minute, workers: unscheduled }];
  const top = Math.min(max, Math.max(...day.map(({ workers }) => workers)));
  // What there has to be in any case costs nothing.
  const waits = Array.from({ length: Math.max(0, top - min) }, (_, index) => new Waits(day, min + index + 1, minute, scaleInMinutes));
  // Of less than a day as much as belongs to it.
  spend(warmTaskHours * 60 * Math.min(1, (minute - day[0].minute) / DAY), waits);
  const kept = waits.filter(({ idle, limit }) => idle <= limit).length;
  const warm = kept === 0 ? 0 : Math.max(0, min + kept - unscheduled);
  return required + Math.min(warm, Math.ceil(room / flowRunLimit));
}

/** Lets workers wait longer, step by step: each time the one that is worth the most for its minutes, as long as these are left. */
function spend(minutes: number, waits: readonly Waits[]): void {
  for (let left = minutes; ;) {
    const [best] = waits.flatMap(wait => wait.longer(left) ?? []).sort((one, other) => other.worth - one.worth);
    if (!best) return;
    best.allow();
    left -= best.minutes;
  }
}

interface Longer {
  readonly minutes: number;
  /** How often the worker would have been there, by minute. */
  readonly worth: number;
  readonly allow: () => void;
}

/** How long, in minutes, unscheduled runs did not need a worker before they needed it again; where that is longer than it is kept in any case. */
class Waits {
  /** For how long it is kept. */
  public limit = 0;
  /** For how long they have not needed it now. */
  public readonly idle: number;
  private readonly minutes: number[] = [];
  private spent = 0;
  private met = 0;

  constructor(day: readonly Minute[], worker: number, now: number, private readonly patience: number) {
    let last: number | undefined;
    for (const { minute, workers } of day) {
      if (workers < worker) continue;
      if (last !== undefined && minute - last - 1 > patience) this.minutes.push(minute - last - 1);
      last = minute;
    }
    this.minutes.sort((a, b) => a - b);
    this.idle = now - last!;
  }

  /** The longer limit that is worth most and takes no more minutes than these. */
  public longer(left: number): Longer | undefined {
    const { minutes: all, patience, idle } = this;
    let best: Longer | undefined;
    let [shorter, ofShorter] = [0, 0];
    for (const wait of all) {
      const limit = Math.ceil(LONGER * wait) + MINUTES_LONGER;
      while (all[shorter] <= limit) ofShorter += all[shorter++] - patience;
      const met = shorter;
      if (met <= this.met) continue;
      const spent = ofShorter + (all.length - met) * (limit - patience) + Math.max(0, Math.min(idle, limit) - patience);
      const minutes = Math.max(0, spent - this.spent);
      const worth = (met - this.met) / minutes;
      if (minutes > left || (best && worth <= best.worth)) continue;
      best = { minutes, worth, allow: () => { [this.limit, this.spent, this.met] = [limit, spent, met]; } };
    }
    return best;
  }
}
