import type { PublisherConfiguration } from './configuration';
import { LATE_AFTER_SECONDS, Pool, Queue, startable } from './count';
import type { MetricName } from './metrics';
import type { PrefectClient } from '../private/prefect-client';

/** The most objects that Prefect gives at a time. */
const PAGE = 200;

/** A span of time in which crashed runs are counted: from `since` on, and before `until`. */
export interface Span {
  readonly since: Date;
  readonly until: Date;
}

export type Reading = { readonly [name in Extract<MetricName,
'DueRuns' | 'LateRuns' | 'OldestLateSeconds' | 'PendingRuns' | 'RunningRuns' | 'CrashedRuns' | 'OnlineWorkers' | 'Demand'>]: number };

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
  readonly work_queue_name: string;
  readonly next_scheduled_start_time: string;
  readonly state_type: string;
}

interface Page {
  readonly count: number;
  readonly results: readonly StoredRun[];
}

/**
 * Reads from the Prefect API what there is to do for a worker, in at most eight requests whatever the number of runs.
 *
 * @see https://docs.prefect.io/v3/api-ref/rest-api
 */
export async function poll(client: PrefectClient, configuration: PublisherConfiguration, now: Date, crashes: Span): Promise<Reading> {
  const path = `/work_pools/${encodeURIComponent(configuration.workPool)}`;
  const [pool, allQueues, online] = await Promise.all([
    client.request<StoredPool>('GET', path),
    all<StoredQueue>(client, `${path}/queues/filter`, {}),
    all(client, `${path}/workers/filter`, { workers: { status: { any_: ['ONLINE'] } } }),
  ]);
  const served = allQueues.filter(({ name }) => configuration.workQueues?.includes(name) ?? true);
  const open = pool.is_paused ? [] : served.filter(queue => !queue.is_paused);
  const limited = served.some(queue => queue.concurrency_limit !== null);
  const soon = scheduledBefore(new Date(now.getTime() + configuration.leadTimeSeconds * 1000));

  const [due, active, CrashedRuns] = await Promise.all([
    // Which queue a run waits in matters only where a queue has a limit.
    page(client, open, soon, limited ? PAGE : 1),
    activeRuns(client, served, limited),
    count(client, served, {
      state: ofType('CRASHED'),
      end_time: { after_: crashes.since.toISOString(), before_: justBefore(crashes.until) },
    }),
  ]);
  const soonest = due.results.map(run => ({ queue: run.work_queue_name, at: Date.parse(run.next_scheduled_start_time) }));
  const lateBefore = now.getTime() - LATE_AFTER_SECONDS * 1000;
  const lateOfSoonest = soonest.filter(({ at }) => at <= lateBefore).length;
  const more = due.count > soonest.length;

  const [LateRuns, unlimited] = await Promise.all([
    more && lateOfSoonest === soonest.length ? count(client, open, scheduledBefore(new Date(lateBefore))) : lateOfSoonest,
    // Beside more active runs than a page holds this would be one request too many: what a full page shows has to do.
    more && limited && active.complete ? count(client, open.filter(queue => queue.concurrency_limit === null), soon) : undefined,
  ]);

  const queues = served.map((queue): Queue => ({
    ...limits(queue), name: queue.name, active: active.byQueue.get(queue.name) ?? queue.active_slots ?? 0,
  }));
  const activeHere = active.pending + active.running;
  return {
    DueRuns: due.count,
    LateRuns,
    OldestLateSeconds: LateRuns === 0 || soonest.length === 0 ? 0 : (now.getTime() - soonest[0].at) / 1000,
    PendingRuns: active.pending,
    RunningRuns: active.running,
    CrashedRuns,
    OnlineWorkers: online.length,
    Demand: activeHere + startable(limits(pool), queues, { count: due.count, soonest, unlimited }, activeHere),
  };
}

interface ActiveRuns {
  readonly pending: number;
  readonly running: number;
  /** Whether `byQueue` holds all of them. */
  readonly complete: boolean;
  readonly byQueue: ReadonlyMap<string, number>;
}

async function activeRuns(client: PrefectClient, queues: readonly StoredQueue[], limited: boolean): Promise<ActiveRuns> {
  const running = () => count(client, queues, { state: ofType('RUNNING') });
  if (!limited) {
    const [pendingRuns, runningRuns] = await Promise.all([count(client, queues, { state: ofType('PENDING') }), running()]);
    return { pending: pendingRuns, running: runningRuns, complete: true, byQueue: new Map() };
  }
  const active = await page(client, queues, { state: ofType('PENDING', 'RUNNING') }, PAGE);
  if (active.count > active.results.length) {
    const runningRuns = await running();
    return { pending: Math.max(0, active.count - runningRuns), running: runningRuns, complete: false, byQueue: new Map() };
  }
  const byQueue = new Map<string, number>(queues.map(({ name }) => [name, 0]));
  for (const run of active.results) byQueue.set(run.work_queue_name, byQueue.get(run.work_queue_name)! + 1);
  const runningRuns = active.results.filter(run => run.state_type === 'RUNNING').length;
  return { pending: active.count - runningRuns, running: runningRuns, complete: true, byQueue };
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

async function page(client: PrefectClient, queues: readonly StoredQueue[], runs: object, limit: number): Promise<Page> {
  return queues.length === 0 ? { count: 0, results: [] } : client.request('POST', '/flow_runs/paginate', {
    ...inQueues(queues, runs), limit, sort: 'NEXT_SCHEDULED_START_TIME_ASC',
  });
}

function inQueues(queues: readonly StoredQueue[], runs: object) {
  return { flow_runs: runs, work_pool_queues: { id: { any_: queues.map(({ id }) => id) } } };
}

/** What a worker would take by then. A run that waits for another try has a later time than it was expected at first. */
function scheduledBefore(time: Date) {
  return { state: ofType('SCHEDULED'), next_scheduled_start_time: { before_: time.toISOString() } };
}

function ofType(...types: string[]) {
  return { type: { any_: types } };
}

function limits({ is_paused: paused, concurrency_limit: limit, active_slots: active }: StoredPool): Pool {
  return { paused, limit: limit ?? undefined, active: active ?? undefined };
}

/** The last microsecond before a time: Prefect's filters include both ends, and its times have microseconds. */
function justBefore(time: Date): string {
  return new Date(time.getTime() - 1).toISOString().replace('Z', '999Z');
}
