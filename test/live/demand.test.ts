import { Prefect } from './support/prefect';
import type { PublisherConfiguration } from '../../src/demand/configuration';
import { poll, Reading, Span } from '../../src/demand/poll';
import { PrefectClient } from '../../src/private/prefect-client';
import { PrefectServer, startPrefectServer } from '../stand-in/prefect-server';

jest.setTimeout(120_000);

/** Counts the requests of a poll. */
class CountingClient extends PrefectClient {
  public requests = 0;
  public async request<T>(method: string, path: string, body?: unknown): Promise<T> {
    this.requests++;
    return super.request(method, path, body);
  }
}

let server: PrefectServer;
let prefect: Prefect;
let pools = 0;

beforeAll(async () => {
  server = await startPrefectServer();
  prefect = new Prefect(server.apiUrl);
});
afterAll(() => server?.stop());

/** A pool with queues, and deployments of a flow in each. */
class Pool {
  public static async create(limits: object = {}, queues: { name: string; concurrency_limit?: number; is_paused?: boolean }[] = []): Promise<Pool> {
    const name = `pool "${++pools}"`;
    await prefect.call('POST', '/work_pools/', { name, type: 'process', base_job_template: {}, ...limits });
    for (const queue of queues) await prefect.call('POST', `/work_pools/${encodeURIComponent(name)}/queues`, queue);
    return new Pool(name);
  }

  private readonly deployments = new Map<string, string>();

  private constructor(public readonly name: string) {}

  public get path(): string {
    return `/work_pools/${encodeURIComponent(this.name)}`;
  }

  /** Flow runs in a queue that are due in some seconds (or were, some seconds ago). */
  public async schedule(count: number, seconds: number, queue = 'default'): Promise<string[]> {
    if (!this.deployments.has(queue)) {
      const options = { workPool: this.name, workQueue: queue, entrypoint: 'flows.py:hello', directory: '.' };
      this.deployments.set(queue, await prefect.deploy(`${this.name} ${queue}`, options));
    }
    const state = { type: 'SCHEDULED', state_details: { scheduled_time: new Date(Date.now() + seconds * 1000).toISOString() } };
    const ids: string[] = [];
    for (let run = 0; run < count; run++) {
      ids.push((await prefect.call<{ id: string }>('POST', `/deployments/${this.deployments.get(queue)}/create_flow_run`, { state })).id);
    }
    return ids;
  }

  public async setState(ids: string[], state: object): Promise<void> {
    for (const id of ids) await prefect.call('POST', `/flow_runs/${id}/set_state`, { state, force: true });
  }

  public async read(settings: Partial<PublisherConfiguration> = {}, crashes?: Span): Promise<Reading & { requests: number }> {
    const client = new CountingClient({ url: server.apiUrl, headers: {} });
    const now = new Date();
    const reading = await poll(client, {
      api: { url: server.apiUrl, isCloud: false, secrets: {} },
      workPool: this.name,
      worker: 'Worker',
      leadTimeSeconds: 120,
      pollSeconds: 60,
      cluster: '',
      service: '',
      ...settings,
    }, now, crashes ?? { since: now, until: now });
    return { ...reading, requests: client.requests };
  }
}

test('a pool without runs has no demand', async () => {
  const pool = await Pool.create();
  expect(await pool.read()).toEqual({
    DueRuns: 0,
    LateRuns: 0,
    OldestLateSeconds: 0,
    PendingRuns: 0,
    RunningRuns: 0,
    CrashedRuns: 0,
    OnlineWorkers: 0,
    Demand: 0,
    requests: expect.any(Number),
  });
});

describe('due runs', () => {
  test('are those within the lead time, with the late ones', async () => {
    const pool = await Pool.create();
    await pool.schedule(3, 100);
    await pool.schedule(2, 1000);
    await pool.schedule(1, -60);
    await pool.schedule(1, -5);
    const reading = await pool.read();
    expect(reading).toMatchObject({ DueRuns: 5, LateRuns: 1, Demand: 5 });
    expect(reading.OldestLateSeconds).toBeGreaterThanOrEqual(60);
    expect(reading.OldestLateSeconds).toBeLessThan(75);
    expect(await pool.read({ leadTimeSeconds: 2000 })).toMatchObject({ DueRuns: 7 });
  });

  test('are not those that wait for another try later on, whenever they were expected first', async () => {
    const pool = await Pool.create();
    const ids = await pool.schedule(1, -600);
    await pool.setState(ids, { type: 'SCHEDULED', name: 'AwaitingRetry', state_details: { scheduled_time: new Date(Date.now() + 3_600_000).toISOString() } });
    expect(await pool.read()).toMatchObject({ DueRuns: 0, LateRuns: 0, Demand: 0 });
  });

  test('are not those of another pool with a queue of the same name', async () => {
    const [pool, other] = [await Pool.create(), await Pool.create()];
    await other.schedule(2, -60);
    expect(await pool.read()).toMatchObject({ DueRuns: 0, LateRuns: 0, Demand: 0 });
  });

  test('in a paused queue, or a paused pool, are no demand and not late; what runs there still is', async () => {
    const pool = await Pool.create({}, [{ name: 'paused', is_paused: true }]);
    await pool.schedule(4, -60, 'paused');
    const [running] = await pool.schedule(1, 0, 'paused');
    await pool.setState([running], { type: 'RUNNING' });
    await pool.schedule(1, 60);
    expect(await pool.read()).toMatchObject({ DueRuns: 1, LateRuns: 0, OldestLateSeconds: 0, RunningRuns: 1, Demand: 2 });
    await prefect.call('PATCH', pool.path, { is_paused: true });
    expect(await pool.read()).toMatchObject({ DueRuns: 0, LateRuns: 0, RunningRuns: 1, Demand: 1 });
  });

  test('in queues that the worker does not serve are not its own', async () => {
    const pool = await Pool.create({}, [{ name: 'mine' }, { name: 'yours' }]);
    await pool.schedule(2, 0, 'mine');
    await pool.schedule(3, 0, 'yours');
    const [running] = await pool.schedule(1, 0, 'yours');
    await pool.setState([running], { type: 'RUNNING' });
    expect(await pool.read({ workQueues: ['mine'] })).toMatchObject({ DueRuns: 2, RunningRuns: 0, Demand: 2 });
    expect(await pool.read({ workQueues: ['mine', 'yours'] })).toMatchObject({ DueRuns: 5, RunningRuns: 1, Demand: 6 });
    expect(await pool.read({ workQueues: ['not there'] })).toMatchObject({ DueRuns: 0, RunningRuns: 0, Demand: 0 });
  });
});

describe('limits', () => {
  test('of the pool leave no more demand than runs may start', async () => {
    const pool = await Pool.create({ concurrency_limit: 5 });
    const [pending, running] = await pool.schedule(10, 0);
    await pool.setState([pending], { type: 'PENDING' });
    await pool.setState([running], { type: 'RUNNING' });
    expect(await pool.read()).toMatchObject({ DueRuns: 8, PendingRuns: 1, RunningRuns: 1, Demand: 5 });
  });

  test('of a queue leave no more demand than runs may start in it', async () => {
    const pool = await Pool.create({}, [{ name: 'slow', concurrency_limit: 3 }]);
    await pool.schedule(2, 0);
    const [running] = await pool.schedule(10, 0, 'slow');
    await pool.setState([running], { type: 'RUNNING' });
    expect(await pool.read()).toMatchObject({ DueRuns: 11, RunningRuns: 1, Demand: 1 + 2 + 2 });
  });

  test('of a queue hold for a line that is longer than what Prefect shows at a time, in eight requests', async () => {
    const pool = await Pool.create({}, [{ name: 'backfill', concurrency_limit: 2 }]);
    const [running] = await pool.schedule(211, -60, 'backfill');
    await pool.setState([running], { type: 'RUNNING' });
    await pool.schedule(3, 30);
    const reading = await pool.read();
    expect(reading).toMatchObject({ DueRuns: 213, LateRuns: 210, RunningRuns: 1, Demand: 1 + 1 + 3 });
    expect(reading.requests).toBeLessThanOrEqual(8);
  });
});

test('a pool without limits is read in eight requests', async () => {
  const pool = await Pool.create();
  await pool.schedule(3, -60);
  const reading = await pool.read();
  expect(reading).toMatchObject({ DueRuns: 3, LateRuns: 3 });
  expect(reading.requests).toBeLessThanOrEqual(8);
});

test('workers that are online are counted', async () => {
  const pool = await Pool.create();
  for (const name of ['one', 'two']) await prefect.call('POST', `${pool.path}/workers/heartbeat`, { name, heartbeat_interval_seconds: 30 });
  expect(await pool.read()).toMatchObject({ OnlineWorkers: 2 });
});

test('each crashed run is in one of two spans that follow each other', async () => {
  const pool = await Pool.create();
  const ids = await pool.schedule(6, 600);
  const since = new Date(Date.now() - 1000);
  await pool.setState(ids, { type: 'CRASHED' });
  const ends = await Promise.all(ids.map(async id => (await prefect.call<{ end_time: string }>('GET', `/flow_runs/${id}`)).end_time));
  const until = new Date(Date.now() + 1000);
  // A boundary in the millisecond of the third run's end.
  const between = new Date(Math.floor(Date.parse(ends[2])));
  const [first, second] = [await pool.read({}, { since, until: between }), await pool.read({}, { since: between, until })];
  expect(first.CrashedRuns + second.CrashedRuns).toBe(6);
  expect(first.CrashedRuns).toBeGreaterThan(0);
  expect(second.CrashedRuns).toBeGreaterThan(0);
});
