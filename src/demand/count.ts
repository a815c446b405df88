/**
 * Seconds after its time from which a run that hasn't started is late, as Prefect's own service has it.
 *
 * @see https://docs.prefect.io/v3/api-ref/settings-ref
 */
export const LATE_AFTER_SECONDS = 15;

/** A work pool as far as it decides how many runs start. */
export interface Pool {
  readonly limit?: number;
  /** Runs that hold one of the slots of `limit`, also those in queues that this worker doesn't serve. */
  readonly active?: number;
}

/** A work queue that the worker serves and that isn't paused. */
export interface Queue {
  readonly name: string;
  readonly limit?: number;
  readonly active: number;
}

/** The concurrency limit of a deployment. */
export interface DeploymentLimit {
  readonly deployment: string;
  /** Deployments whose limits have the same id share it. */
  readonly id: string;
  readonly limit: number;
  readonly active: number;
  /** Whether Prefect cancels what is over the limit, and doesn't have it wait. */
  readonly cancelsNew: boolean;
}

/** A run that is due within the lead time. */
export interface DueRun {
  readonly queue: string;
  readonly deployment?: string;
  /** When it is due, in milliseconds. */
  readonly at: number;
  /** Whether a limit has sent it back already: Prefect then makes it due again half a minute later. */
  readonly sentBack: boolean;
  /** Whether it was created too late for a worker to start before it is due, and not by another run. */
  readonly unscheduled?: boolean;
}

/** The runs that are due within the lead time in queues that are not paused. */
export interface DueRuns {
  readonly count: number;
  readonly late: number;
  /** The soonest of them; all where that is not too many. */
  readonly soonest: readonly DueRun[];
  /** How many are in queues with a limit, and of deployments with one, where `soonest` doesn't tell. */
  readonly inLimitedQueues?: number;
  readonly ofLimitedDeployments?: number;
}

/** The runs that hold slots or have just left them. */
export interface TakenSlots {
  readonly active: number;
  /** Runs that ended within the time in which their slots are taken again. */
  readonly justEnded: number;
}

/** What Prefect says of a pool at a moment. */
export interface PoolState {
  readonly pool: Pool;
  readonly queues: readonly Queue[];
  readonly limits: readonly DeploymentLimit[];
  readonly due: DueRuns;
  readonly taken: TakenSlots;
  /** In milliseconds. */
  readonly now: number;
}

export interface StartableRuns {
  /** Due runs that limits let start, and those of the soonest among them. */
  readonly startable: number;
  readonly starting: readonly DueRun[];
  /** How many more than these the limits of the pool and of its queues would let start: none where all queues are paused. */
  readonly room: number;
  /** Late runs that could start, and when the oldest of them was due. */
  readonly late: number;
  readonly oldestLate?: number;
  /** Runs past their time that limits hold back. */
  readonly blocked: number;
}

export function isLate({ at }: Pick<DueRun, 'at'>, now: number): boolean {
  return at <= now - LATE_AFTER_SECONDS * 1000;
}

/** A limit and the slots that are left in it. */
class SlotLimit {
  public left: number;
  /** Whether it has held back a run. */
  public holdsBack = false;

  constructor(limit: number, active: number) {
    this.left = Math.max(0, limit - active);
  }
}

/** Tells the due runs that can start from those that the limits of the pool, the queues and the deployments hold back. */
export function applyLimits(state: PoolState): StartableRuns {
  const { due: { soonest, ...due }, taken, now } = state;
  const slots = limitsOf(state);
  const started: { run: DueRun; limits: SlotLimit[] }[] = [];
  const held: DueRun[] = [];
  for (const run of soonest) {
    const limits = [slots.pool, slots.queues.get(run.queue), slots.deployments.get(run.deployment ?? '')].filter(limit => limit !== undefined);
    const exhausted = limits.filter(({ left }) => left < 1);
    if (exhausted.length === 0) {
      for (const limit of limits) limit.left--;
      started.push({ run, limits });
    } else {
      for (const limit of exhausted) limit.holdsBack = true;
      held.push(run);
    }
  }

  // Of a long line only the front is known: what waits further back may be behind any of the limits.
  const hidden = Math.max(0, due.count - soonest.length);
  const most = (limits: ReadonlySet<SlotLimit>, limited: number | undefined, isLimited: (run: DueRun) => boolean) => {
    const behind = Math.min(hidden, Math.max(0, (limited ?? 0) - soonest.filter(isLimited).length));
    return [...limits].reduce((sum, { left }) => sum + Math.min(left, behind), hidden - behind);
  };
  const hiddenStartable = Math.min(
    slots.pool.left,
    most(new Set(slots.queues.values()), due.inLimitedQueues, run => slots.queues.has(run.queue)),
    most(new Set(slots.deployments.values()), due.ofLimitedDeployments, run => slots.deployments.has(run.deployment ?? '')),
  );

  const queuesLeft = state.queues.reduce((sum, { name }) => sum + (slots.queues.get(name)?.left ?? Infinity), 0);

  // A slot that a run has just left is free for the moment that a worker needs to take it again: that is no lack of workers.
  const late = started.filter(({ run }) => isLate(run, now));
  const justFreed = new Set(late.filter(({ limits }) => limits.some(({ holdsBack }) => holdsBack)).slice(0, taken.justEnded));
  const withoutWorker = late.filter(of => !justFreed.has(of));
  // As few as can be of those further back: a false alarm would send people after a limit that does what it is for.
  const hiddenLate = Math.max(0, hiddenStartable - (due.count - soonest.length - (due.late - soonest.filter(run => isLate(run, now)).length)));
  return {
    startable: started.length + hiddenStartable,
    starting: started.map(({ run }) => run),
    room: Math.max(0, Math.min(slots.pool.left, queuesLeft) - hiddenStartable),
    late: withoutWorker.length + hiddenLate,
    oldestLate: withoutWorker[0]?.run.at ?? (hiddenLate > 0 ? soonest[soonest.length - 1]?.at : undefined),
    blocked: Math.max(0, due.late - withoutWorker.length - hiddenLate) + held.filter(run => run.sentBack && !isLate(run, now)).length,
  };
}

function limitsOf({ pool, queues, limits, taken }: PoolState) {
  const shared = new Map(limits.map(({ id, limit, active, cancelsNew }) => {
    // A run that Prefect is to cancel needs a worker that takes it: without one it would wait, and start later instead.
    const oneMore = cancelsNew && limit > 0;
    return [id, new SlotLimit(limit, oneMore ? Math.min(active, limit - 1) : active)];
  }));
  return {
    pool: new SlotLimit(pool.limit ?? Infinity, pool.active ?? taken.active),
    queues: new Map(queues.flatMap(({ name, limit, active }) => (limit === undefined ? [] : [[name, new SlotLimit(limit, active)]]))),
    deployments: new Map(limits.map(({ deployment, id }) => [deployment, shared.get(id)!])),
  };
}
