/**
 * Seconds after its time from which a run that hasn't started is late, as Prefect's own service has it.
 *
 * @see https://docs.prefect.io/v3/api-ref/settings-ref
 */
export const LATE_AFTER_SECONDS = 15;

/** A work pool as far as it decides how many runs start. */
export interface Pool {
  readonly paused: boolean;
  readonly limit?: number;
  /** Runs that hold one of the slots of `limit`, also those in queues that this worker doesn't serve. */
  readonly active?: number;
}

/** A work queue that the worker serves. */
export interface Queue {
  readonly name: string;
  readonly paused: boolean;
  readonly limit?: number;
  readonly active: number;
}

/** The runs that are due within the lead time in queues that are not paused. */
export interface DueRuns {
  readonly count: number;
  /** The soonest of them; all where that is not too many. */
  readonly soonest: readonly { readonly queue: string }[];
  /** How many are in queues without a limit, where `soonest` doesn't tell. */
  readonly unlimited?: number;
}

/** How many of the due runs the limits of the queues and of the pool let start. */
export function startable(pool: Pool, queues: readonly Queue[], due: DueRuns, activeHere: number): number {
  const limited = queues.filter(queue => queue.limit !== undefined && !queue.paused);
  const shown = new Map(limited.map(({ name }) => [name, 0]));
  for (const { queue } of due.soonest) {
    if (shown.has(queue)) shown.set(queue, shown.get(queue)! + 1);
  }
  const shownLimited = [...shown.values()].reduce((sum, runs) => sum + runs, 0);
  const unlimited = limited.length === 0 ? due.count : due.unlimited ?? due.soonest.length - shownLimited;
  // Of a long line only the front is known: what waits further back may be in any of the limited queues.
  const hidden = due.unlimited === undefined ? 0 : Math.max(0, due.count - due.unlimited - shownLimited);

  const allowed = limited.map(({ name, limit, active }) => Math.min(Math.max(0, limit! - active), shown.get(name)! + hidden));
  const room = pool.limit === undefined ? Infinity : Math.max(0, pool.limit - (pool.active ?? activeHere));
  return Math.min(allowed.reduce((sum, runs) => sum + runs, unlimited), room);
}
