import { Pool, TrackedRun } from './pool';
import { childRuns } from '../../../src/demand/child-runs';
import { applyLimits, LATE_AFTER_SECONDS } from '../../../src/demand/count';
import { ninetieth } from '../../../src/demand/run-times';
import { slotsForScheduled, slotsNeeded } from '../../../src/demand/slots';
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
  readonly warmTaskHours?: number;
  readonly leadTimeSeconds: number;
  /** Seconds between two polls, inside of one invocation too. */
  readonly pollSeconds: number;
  /** Seconds between two invocations. */
  readonly invocationSeconds: number;
  /** For how many minutes fewer workers have to be needed before some are taken away. */
  readonly scaleInMinutes: number;
}

/** The most runs that Prefect gives at a time. */
const PAGE = 200;

/** Workers that have flow runs; ECS workers only start their tasks. */
export function busyWorkers({ flowRunLimit }: PublisherSettings, pool: Pool): number {
  return flowRunLimit === undefined ? 0 : new Set(pool.active().map(({ holder }) => holder)).size;
}

/**
 * The metrics of one poll, and how many runs beyond the demand limits would let start. What the API would answer is written here; what is
 * made of it, limits and the number of workers, is the function's own arithmetic.
 */
export function demandMetrics(
  settings: PublisherSettings, pool: Pool, now: number, desired: number,
): { readonly values: Record<string, number>; readonly room: number } {
  const queues = settings.workQueues;
  const due = pool.scheduled(now, now + settings.leadTimeSeconds, queues);
  const active = pool.active(queues);
  const pending = active.filter(({ state }) => state === 'Pending').length;
  const running = active.length - pending;
  const names = queues ?? [...pool.queues];
  const unscheduled = ({ expectedStart, created, isChild }: TrackedRun) => !isChild && expectedStart - created < settings.leadTimeSeconds;
  const limited = applyLimits({
    pool: { limit: pool.limits.pool, active: pool.held.size },
    queues: names.map(name => ({ name, active: 0 })),
    limits: Object.entries(pool.limits.deployments ?? {}).map(([deployment, limit]) => (
      { deployment, id: deployment, limit, active: pool.slotsTaken(deployment), cancelsNew: false })),
    due: {
      count: due.length,
      late: due.filter(run => run.due <= now - LATE_AFTER_SECONDS).length,
      soonest: due.slice(0, PAGE).map(run => (
        { queue: run.queue, deployment: run.deployment, at: run.due * 1000, sentBack: run.sentBack, unscheduled: unscheduled(run) })),
      inLimitedQueues: 0,
      ofLimitedDeployments: due.filter(run => pool.limits.deployments?.[run.deployment] !== undefined).length,
    },
    taken: { active: active.length, justEnded: 0 },
    now: now * 1000,
  });
  const oldestLateSeconds = limited.oldestLate === undefined ? 0 : now - limited.oldestLate / 1000;
  const demand = active.length + limited.startable;
  const deployments = new Set([...active, ...due.slice(0, PAGE)].map(({ deployment }) => deployment));
  const runs = {
    active: active.map(run => (
      { deployment: run.deployment, since: run.running === undefined ? undefined : run.running * 1000, unscheduled: unscheduled(run) })),
    starting: limited.starting,
    others: limited.startable - limited.starting.length,
    times: new Map([...deployments].flatMap(deployment => {
      const seconds = ninetieth(pool.durations(deployment));
      return seconds === undefined ? [] : [[deployment, seconds] as const];
    })),
    children: new Map([...deployments].flatMap(deployment => {
      const { parents, children } = pool.families(deployment);
      const known = childRuns(parents, children);
      return known === undefined ? [] : [[deployment, known] as const];
    })),
    room: limited.room,
    now: now * 1000,
    until: (now + settings.leadTimeSeconds) * 1000,
  };
  const need = {
    demand,
    slots: slotsNeeded(runs),
    scheduledSlots: settings.warmTaskHours ? slotsForScheduled(runs) : undefined,
    room: limited.room,
    busyWorkers: busyWorkers(settings, pool),
    oldestLateSeconds,
    onlineWorkers: desired,
  };
  return {
    values: {
      DueRuns: due.length,
      LateRuns: limited.late,
      OldestLateSeconds: oldestLateSeconds,
      PendingRuns: pending,
      RunningRuns: running,
      Demand: demand,
      ...workersFor(need, { desired, running: desired }, settings),
    },
    room: limited.room,
  };
}
