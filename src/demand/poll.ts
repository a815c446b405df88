import type { ChildRuns, KnownChildRuns } from './child-runs';
import type { PublisherConfiguration } from './configuration';
import { DeploymentLimit, DueRun, isLate, applyLimits, LATE_AFTER_SECONDS } from './count';
import type { MetricName } from './metrics';
import type { RunTimes } from './run-times';
import { ActiveRun, slotsForScheduled, slotsNeeded } from './slots';
import type { PrefectClient } from '../private/prefect-client';

/** The most objects that Prefect gives at a time. */
const PAGE = 200;

/** How many pages of runs that are active or have just ended are read. More are counted instead, which takes as many requests. */
const MOST_PAGES = 3;

/**
 * Seconds in which a slot that a run has left is taken again: a worker asks every 10 to 15 s, and a run that Prefect has sent
 * back waits for 30 s.
 */
const RETAKE_SECONDS = 60;

/** A span of time in which crashed runs are counted: from `since` on, and before `until`. */
export interface Span {
  readonly since: Date;
  readonly until: Date;
}

/** What a poll found. */
export interface Reading {
  readonly values: { readonly [name in ReadMetric]: number };
  /** How many runs beyond the demand the limits in Prefect would let start. */
  readonly room: number;
  /** The most slots of workers that the demand takes at one time. */
  readonly slots: number;
  /** The same without the runs that nobody scheduled, where workers may wait for these. */
  readonly scheduledSlots?: number;
  /** The names of the workers that have flow runs; undefined where they are more runs than are read. */
  readonly busyWorkers?: readonly string[];
}

type ReadMetric = Extract<MetricName,
'DueRuns' | 'LateRuns' | 'OldestLateSeconds' | 'BlockedRuns' | 'PendingRuns' | 'RunningRuns' | 'CrashedRuns' | 'OnlineWorkers' | 'Demand'>;

interface StoredPool {
  readonly is_paused: boolean;
  readonly concurrency_limit: number | null;
  readonly active_slots?: number | null;
}

interface StoredQueue extends StoredPool {
  readonly id: string;
  readonly name: string;
}

interface StoredRun {
  readonly id: string;
  readonly work_queue_name: string;
  readonly deployment_id: string | null;
  readonly created: string;
  readonly expected_start_time: string;
  readonly parent_task_run_id?: string | null;
  readonly next_scheduled_start_time: string;
  readonly start_time: string | null;
  readonly end_time: string | null;
  readonly labels?: { readonly [name: string]: unknown };
  readonly state_type: string;
  readonly state_name: string;
}

interface StoredDeployment {
  readonly id: string;
  readonly global_concurrency_limit?: { readonly id: string; readonly limit: number; readonly active_slots: number; readonly active: boolean } | null;
  readonly concurrency_options?: { readonly collision_strategy: string } | null;
}

interface Page {
  readonly count: number;
  readonly results: readonly StoredRun[];
}

/**
 * Reads from the Prefect API what there is to do for a worker: in five requests where nothing is due, in six where a page shows
 * all that is due and that runs, and never in more than a few beyond that, whatever the number of runs; every few minutes one more, for
 * the run times, and another one for the runs that runs create. Prefect Cloud counts them, and so does test/live/requests.test.ts;
 * bench/README.md has a table.
 *
 * @see https://docs.prefect.io/v3/api-ref/rest-api
 */
export async function poll(
  client: PrefectClient, configuration: PublisherConfiguration, now: Date, crashes: Span, runTimes: RunTimes, childRuns: KnownChildRuns,
): Promise<Reading> {
  const path = `/work_pools/${encodeURIComponent(configuration.workPool)}`;
  const [pool, allQueues, online] = await Promise.all([
    client.request<StoredPool>('GET', path),
    all<StoredQueue>(client, `${path}/queues/filter`, {}),
    all(client, `${path}/workers/filter`, { workers: { status: { any_: ['ONLINE'] } } }),
  ]);
  const served = allQueues.filter(({ name }) => configuration.workQueues?.includes(name) ?? true);
  const open = pool.is_paused ? [] : served.filter(queue => !queue.is_paused);
  const soon = scheduledBefore(new Date(now.getTime() + configuration.leadTimeSeconds * 1000));

  const justBefore = new Date(now.getTime() - RETAKE_SECONDS * 1000);

  const [due, taken] = await Promise.all([
    page(client, open, soon, 'NEXT_SCHEDULED_START_TIME_ASC'),
    takenRuns(client, served, crashes, justBefore, configuration),
  ]);
  const deployments = [...due.results.map(run => run.deployment_id), ...taken.runs.map(run => run.deployment)].flatMap(id => id ?? []);
  const [limits, times] = await Promise.all([
    due.count === 0 ? [] : deploymentLimits(client, configuration.workPool, soon),
    // Without slots there is nothing to count in them.
    configuration.flowRunLimit === undefined ? new Map<string, number>() : runTimes.of(client, configuration.workPool, deployments, now),
  ]);

  const children = configuration.flowRunLimit === undefined ? new Map<string, ChildRuns>()
    : await childRuns.of(client, configuration.workPool, deployments, runTimes, now);

  const soonest = due.results.map((run): DueRun => ({
    queue: run.work_queue_name,
    deployment: run.deployment_id ?? undefined,
    at: Date.parse(run.next_scheduled_start_time),
    sentBack: run.state_name === 'AwaitingConcurrencySlot',
    unscheduled: isUnscheduled(run, configuration),
  }));
  const more = due.count > soonest.length;
  const shownLate = soonest.filter(run => isLate(run, now.getTime())).length;
  const limitedQueues = open.filter(queue => queue.concurrency_limit !== null);
  const limitedDeployments = limits.map(({ deployment }) => deployment);
  const [late, inLimitedQueues, ofLimitedDeployments] = await Promise.all([
    more && shownLate === soonest.length ? count(client, open, scheduledBefore(new Date(now.getTime() - LATE_AFTER_SECONDS * 1000))) : shownLate,
    more ? count(client, limitedQueues, soon) : undefined,
    more && limitedDeployments.length > 0 ? count(client, open, { ...soon, deployment_id: { any_: limitedDeployments } }) : undefined,
  ]);

  const isLimited = limits.length > 0 || [pool, ...open].some(({ concurrency_limit: limit }) => limit !== null);
  const justEnded = taken.justEnded ?? (late > 0 && isLimited ? await count(client, served, endedSince(justBefore)) : 0);

  const active = taken.pending + taken.running;
  const limited = applyLimits({
    pool: { limit: pool.concurrency_limit ?? undefined, active: pool.active_slots ?? undefined },
    queues: open.map(({ name, concurrency_limit: limit, active_slots: slots }) => ({
      name, limit: limit ?? undefined, active: taken.byQueue?.get(name) ?? slots ?? 0,
    })),
    limits,
    due: { count: due.count, late, soonest, inLimitedQueues, ofLimitedDeployments },
    taken: { active, justEnded },
    now: now.getTime(),
  });
  const runs = {
    active: taken.runs,
    starting: limited.starting,
    others: active - taken.runs.length + limited.startable - limited.starting.length,
    times,
    children,
    room: limited.room,
    now: now.getTime(),
    until: now.getTime() + configuration.leadTimeSeconds * 1000,
  };
  return {
    values: {
      DueRuns: due.count,
      LateRuns: limited.late,
      OldestLateSeconds: limited.oldestLate === undefined ? 0 : (now.getTime() - limited.oldestLate) / 1000,
      BlockedRuns: limited.blocked,
      PendingRuns: taken.pending,
      RunningRuns: taken.running,
      CrashedRuns: taken.crashed,
      OnlineWorkers: online.length,
      Demand: active + limited.startable,
    },
    room: limited.room,
    slots: slotsNeeded(runs),
    scheduledSlots: configuration.warmTaskHours ? slotsForScheduled(runs) : undefined,
    busyWorkers: taken.byQueue && [...new Set(taken.runs.flatMap(({ worker }) => worker ?? []))],
  };
}

interface TakenRuns {
  readonly pending: number;
  readonly running: number;
  readonly crashed: number;
  /** Where pages show them all, as it is rarely asked for. */
  readonly justEnded?: number;
  /** The active ones of each queue, where pages show them all. */
  readonly byQueue?: ReadonlyMap<string, number>;
  /** The active ones, where pages show them all. */
  readonly runs: readonly ActiveRun[];
}

/** Runs that are pending or running, those that crashed in a span, and those that have just ended. */
async function takenRuns(
  client: PrefectClient, queues: readonly StoredQueue[], crashes: Span, justBefore: Date, configuration: PublisherConfiguration,
): Promise<TakenRuns> {
  const crashed = { state: ofType('CRASHED'), end_time: { after_: crashes.since.toISOString(), before_: lastBefore(crashes.until) } };
  const earliest = crashes.since < justBefore ? crashes.since : justBefore;
  const runs = await upToMost(client, queues, { operator: 'or_', state: ofType('PENDING', 'RUNNING'), ...endedSince(earliest) });
  if (!runs) {
    const [pending, running, ended] = await Promise.all(
      [{ state: ofType('PENDING') }, { state: ofType('RUNNING') }, crashed].map(of => count(client, queues, of)));
    return { pending, running, crashed: ended, runs: [] };
  }
  const within = ({ end_time }: StoredRun, since: Date, until?: Date) =>
    end_time !== null && Date.parse(end_time) >= since.getTime() && (until === undefined || Date.parse(end_time) < until.getTime());
  const inState = (type: string) => runs.filter(run => run.state_type === type);
  const [pending, running] = [inState('PENDING'), inState('RUNNING')];
  const byQueue = new Map(queues.map(({ name }) => [name, 0]));
  for (const run of [...pending, ...running]) byQueue.set(run.work_queue_name, byQueue.get(run.work_queue_name)! + 1);
  return {
    pending: pending.length,
    running: running.length,
    crashed: inState('CRASHED').filter(run => within(run, crashes.since, crashes.until)).length,
    justEnded: runs.filter(run => within(run, justBefore)).length,
    byQueue,
    runs: [...pending, ...running].map(run => ({
      deployment: run.deployment_id ?? undefined,
      since: run.start_time === null || run.state_type === 'PENDING' ? undefined : Date.parse(run.start_time),
      worker: run.labels?.['prefect.worker.name'] as string | undefined,
      unscheduled: isUnscheduled(run, configuration),
    })),
  };
}

/** Whether it was created too late for a worker to start before it was due. Runs that a run creates count ahead, together with it. */
function isUnscheduled(run: StoredRun, { leadTimeSeconds }: PublisherConfiguration): boolean {
  return !run.parent_task_run_id && Date.parse(run.expected_start_time) - Date.parse(run.created) < leadTimeSeconds * 1000;
}

/**
 * The limits of the deployments that the due runs are of: a run over its limit is taken by a worker, and sent back by Prefect.
 * Of more than a page of such deployments the others count as if they had none.
 *
 * @see https://docs.prefect.io/v3/concepts/deployments#concurrency-limiting
 */
async function deploymentLimits(client: PrefectClient, workPool: string, due: object): Promise<DeploymentLimit[]> {
  // By pool: a run may be in another queue than its deployment.
  const found = await client.request<StoredDeployment[]>('POST', '/deployments/filter', { work_pools: { name: { any_: [workPool] } }, flow_runs: due, limit: PAGE });
  return found.flatMap(({ id, global_concurrency_limit: stored, concurrency_options: options }) => (!stored ? [] : [{
    deployment: id,
    id: stored.id,
    // Prefect gives no slot of a limit that is switched off.
    limit: stored.active ? stored.limit : 0,
    active: stored.active_slots,
    cancelsNew: options?.collision_strategy === 'CANCEL_NEW',
  }]));
}

async function all<T>(client: PrefectClient, path: string, body: object): Promise<T[]> {
  const found: T[] = [];
  for (;;) {
    const some = await client.request<T[]>('POST', path, { ...body, limit: PAGE, offset: found.length });
    found.push(...some);
    if (some.length < PAGE) return found;
  }
}

async function count(client: PrefectClient, queues: readonly StoredQueue[], runs: object): Promise<number> {
  return queues.length === 0 ? 0 : client.request('POST', '/flow_runs/count', inQueues(queues, runs));
}

async function page(client: PrefectClient, queues: readonly StoredQueue[], runs: object, sort = 'ID_DESC', number = 1): Promise<Page> {
  if (queues.length === 0) return { count: 0, results: [] };
  return client.request('POST', '/flow_runs/paginate', { ...inQueues(queues, runs), limit: PAGE, page: number, sort });
}

/** Runs of up to a few pages; undefined where there are more, or where runs have come and gone while the pages were read. */
async function upToMost(client: PrefectClient, queues: readonly StoredQueue[], runs: object): Promise<StoredRun[] | undefined> {
  const first = await page(client, queues, runs);
  if (first.count > MOST_PAGES * PAGE) return undefined;
  const numbers = Array.from({ length: Math.max(1, Math.ceil(first.count / PAGE)) }, (_, index) => index + 1);
  const others = await Promise.all(numbers.slice(1).map(number => page(client, queues, runs, undefined, number)));
  const found = [first, ...others].flatMap(({ results }) => results);
  return new Set(found.map(({ id }) => id)).size === first.count ? found : undefined;
}

function inQueues(queues: readonly StoredQueue[], runs: object) {
  return { flow_runs: runs, work_pool_queues: { id: { any_: queues.map(({ id }) => id) } } };
}

/** What a worker would take by then. A run that waits for another try has a later time than it was expected at first. */
function scheduledBefore(time: Date) {
  return { state: ofType('SCHEDULED'), next_scheduled_start_time: { before_: time.toISOString() } };
}

function endedSince(time: Date) {
  return { end_time: { after_: time.toISOString() } };
}

function ofType(...types: string[]) {
  return { type: { any_: types } };
}

/** The last microsecond before a time: Prefect's filters include both ends, and its times have microseconds. */
function lastBefore(time: Date): string {
  return new Date(time.getTime() - 1).toISOString().replace('Z', '999Z');
}
