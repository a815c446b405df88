import { Pool } from './pool';
import { judge } from '../../../src/demand/count';
import { workersFor } from '../../../src/demand/workers';

/** What the template says of the demand publisher. */
export interface PublisherSettings {
  readonly workPool: string;
  readonly worker: string;
  readonly workQueues?: readonly string[];
  /** How many flow runs a worker holds; or, of ECS workers, how many serve any number of runs. */
  readonly flowRunLimit?: number;
  readonly workers?: number;
  readonly spareFlowRuns?: number;
  readonly leadTimeSeconds: number;
  /** Seconds between two polls, inside of one invocation too. */
  readonly pollSeconds: number;
  /** Seconds between two invocations. */
  readonly invocationSeconds: number;
}

/** The most runs that Prefect gives at a time. */
const PAGE = 200;

/**
 * The metrics of one poll. What the API would answer is written here; what is made of it, limits and the number of workers, is the
 * function's own arithmetic.
 */
export function demandMetrics(settings: PublisherSettings, pool: Pool, now: number, desired: number): Record<string, number> {
  const queues = settings.workQueues;
  const due = pool.scheduled(now, now + settings.leadTimeSeconds, queues);
  const [pending, running] = [pool.count('Pending', queues), pool.count('Running', queues)];
  const names = queues ?? [...new Set(pool.runs.map(({ queue }) => queue)), 'default'];
  const judged = judge({
    pool: { limit: pool.limits.pool, active: pool.held.size },
    queues: names.map(name => ({ name, active: 0 })),
    limits: Object.entries(pool.limits.deployments ?? {}).map(([deployment, limit]) => (
      { deployment, id: deployment, limit, active: pool.active(deployment), cancelsNew: false })),
    due: {
      count: due.length,
      late: due.filter(run => run.due <= now - 15).length,
      soonest: due.slice(0, PAGE).map(run => ({ queue: run.queue, deployment: run.deployment, at: run.due * 1000, sentBack: run.sentBack })),
      inLimitedQueues: 0,
      ofLimitedDeployments: due.filter(run => pool.limits.deployments?.[run.deployment] !== undefined).length,
    },
    taken: { active: pending + running, justEnded: 0 },
    now: now * 1000,
  });
  const oldestLateSeconds = judged.oldestLate === undefined ? 0 : now - judged.oldestLate / 1000;
  const demand = pending + running + judged.startable;
  return {
    DueRuns: due.length,
    LateRuns: judged.late,
    OldestLateSeconds: oldestLateSeconds,
    PendingRuns: pending,
    RunningRuns: running,
    Demand: demand,
    ...workersFor({ demand, room: judged.room, oldestLateSeconds, onlineWorkers: desired }, { desired, running: desired }, settings),
  };
}
