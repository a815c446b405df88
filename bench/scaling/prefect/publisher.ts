import { Pool } from './pool';
import { LATE_AFTER_SECONDS } from '../../../src/demand/count';
import { workersFor } from '../../../src/demand/workers';

/** What the template says of the demand publisher. */
export interface PublisherSettings {
  readonly workPool: string;
  readonly worker: string;
  readonly workQueues?: readonly string[];
  readonly flowRunLimit: number;
  readonly spareFlowRuns?: number;
  readonly leadTimeSeconds: number;
  /** Seconds between two polls, inside of one invocation too. */
  readonly pollSeconds: number;
  /** Seconds between two invocations. */
  readonly invocationSeconds: number;
}

/**
 * The metrics of one poll: what is due within the lead time, late runs included, what is pending and what is running
 * need a slot. How many workers that makes is the function's own arithmetic.
 */
export function demandMetrics(settings: PublisherSettings, pool: Pool, now: number, desired: number): Record<string, number> {
  const queues = settings.workQueues;
  const due = pool.scheduled(now, now + settings.leadTimeSeconds, queues);
  const late = due.filter(run => run.expectedStart <= now - LATE_AFTER_SECONDS);
  const [pending, running] = [pool.count('Pending', queues), pool.count('Running', queues)];
  const demand = due.length + pending + running;
  const oldestLateSeconds = late.length === 0 ? 0 : now - late[0].expectedStart;
  return {
    DueRuns: due.length,
    LateRuns: late.length,
    OldestLateSeconds: oldestLateSeconds,
    PendingRuns: pending,
    RunningRuns: running,
    Demand: demand,
    ...workersFor({ demand, room: Infinity, oldestLateSeconds, onlineWorkers: desired }, { desired, running: desired }, settings),
  };
}
