import { PolledPool, QueueOptions } from './support/polled-pool';
import { Prefect } from './support/prefect';
import { PrefectServer, startPrefectServer } from '../stand-in/prefect-server';

jest.setTimeout(120_000);

let server: PrefectServer;
let prefect: Prefect;

beforeAll(async () => {
  server = await startPrefectServer({ database: 'postgres' });
  prefect = new Prefect(server.apiUrl);
});
afterAll(() => server?.stop());

const createPool = (limits?: object, queues?: QueueOptions[]) => PolledPool.create(server.apiUrl, limits, queues);

test('a pool without runs has no demand', async () => {
  const pool = await createPool();
  expect(await pool.read()).toEqual({
    DueRuns: 0,
    LateRuns: 0,
    OldestLateSeconds: 0,
    BlockedRuns: 0,
    PendingRuns: 0,
    RunningRuns: 0,
    CrashedRuns: 0,
    OnlineWorkers: 0,
    Demand: 0,
    requests: 5,
  });
});

describe('due runs', () => {
  test('are those within the lead time, with the late ones', async () => {
    const pool = await createPool();
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
    const pool = await createPool();
    const ids = await pool.schedule(1, -600);
    await pool.setState(ids, { type: 'SCHEDULED', name: 'AwaitingRetry', state_details: { scheduled_time: new Date(Date.now() + 3_600_000).toISOString() } });
    expect(await pool.read()).toMatchObject({ DueRuns: 0, LateRuns: 0, Demand: 0 });
  });

  test('are not those of another pool with a queue of the same name', async () => {
    const [pool, other] = [await createPool(), await createPool()];
    await other.schedule(2, -60);
    expect(await pool.read()).toMatchObject({ DueRuns: 0, LateRuns: 0, Demand: 0 });
  });

  test('in a paused queue, or a paused pool, are no demand and not late; what runs there still is', async () => {
    const pool = await createPool({}, [{ name: 'paused', is_paused: true }]);
    await pool.schedule(4, -60, 'paused');
    const [running] = await pool.schedule(1, 0, 'paused');
    await pool.setState([running], { type: 'RUNNING' });
    await pool.schedule(1, 60);
    expect(await pool.read()).toMatchObject({ DueRuns: 1, LateRuns: 0, OldestLateSeconds: 0, RunningRuns: 1, Demand: 2 });
    await prefect.call('PATCH', pool.path, { is_paused: true });
    expect(await pool.read()).toMatchObject({ DueRuns: 0, LateRuns: 0, RunningRuns: 1, Demand: 1 });
  });

  test('in queues that the worker does not serve are not its own', async () => {
    const pool = await createPool({}, [{ name: 'mine' }, { name: 'yours' }]);
    await pool.schedule(2, 0, 'mine');
    await pool.schedule(3, 0, 'yours');
    const [running] = await pool.schedule(1, 0, 'yours');
    await pool.setState([running], { type: 'RUNNING' });
    expect(await pool.read({ workQueues: ['mine'] })).toMatchObject({ DueRuns: 2, RunningRuns: 0, Demand: 2 });
    expect(await pool.read({ workQueues: ['mine', 'yours'] })).toMatchObject({ DueRuns: 5, RunningRuns: 1, Demand: 6 });
    expect(await pool.read({ workQueues: ['not there'] })).toMatchObject({ DueRuns: 0, RunningRuns: 0, Demand: 0 });
  });
});

describe('room for runs that nobody scheduled', () => {
  test('is endless without limits, and none in a paused pool', async () => {
    const pool = await createPool();
    await pool.schedule(3, 0);
    expect(await pool.room()).toBe(Infinity);
    await prefect.call('PATCH', pool.path, { is_paused: true });
    expect(await pool.room()).toBe(0);
  });

  test('is what the pool\'s limit leaves, also beside queues that the worker does not serve', async () => {
    const pool = await createPool({ concurrency_limit: 10 }, [{ name: 'mine' }, { name: 'yours' }]);
    await pool.setState(await pool.schedule(3, 0, 'yours'), { type: 'RUNNING' });
    await pool.schedule(2, 0, 'mine');
    expect(await pool.room({ workQueues: ['mine'] })).toBe(5);
  });

  test('is what the limits of the queues leave that are not paused', async () => {
    const pool = await createPool({}, [{ name: 'a', concurrency_limit: 4 }, { name: 'b', concurrency_limit: 8, is_paused: true }]);
    await pool.setState(await pool.schedule(1, 0, 'a'), { type: 'RUNNING' });
    expect(await pool.room({ workQueues: ['a', 'b'] })).toBe(3);
  });
});

describe('limits', () => {
  test('of the pool leave no more demand than runs may start', async () => {
    const pool = await createPool({ concurrency_limit: 5 });
    const [pending, running] = await pool.schedule(10, 0);
    await pool.setState([pending], { type: 'PENDING' });
    await pool.setState([running], { type: 'RUNNING' });
    expect(await pool.read()).toMatchObject({ DueRuns: 8, PendingRuns: 1, RunningRuns: 1, Demand: 5 });
  });

  test('of a queue leave no more demand than runs may start in it', async () => {
    const pool = await createPool({}, [{ name: 'slow', concurrency_limit: 3 }]);
    await pool.schedule(2, 0);
    const [running] = await pool.schedule(10, 0, 'slow');
    await pool.setState([running], { type: 'RUNNING' });
    expect(await pool.read()).toMatchObject({ DueRuns: 11, RunningRuns: 1, Demand: 1 + 2 + 2 });
  });

  test('of a queue hold for a line that is longer than what Prefect shows at a time', async () => {
    const pool = await createPool({}, [{ name: 'backfill', concurrency_limit: 2 }]);
    const [running] = await pool.schedule(211, -60, 'backfill');
    await pool.setState([running], { type: 'RUNNING' });
    await pool.schedule(3, 30);
    const reading = await pool.read();
    expect(reading).toMatchObject({ DueRuns: 213, LateRuns: 1, BlockedRuns: 209, RunningRuns: 1, Demand: 1 + 1 + 3 });
    expect(reading.requests).toBeLessThanOrEqual(8);
  });
});

describe('the concurrency limit of a deployment', () => {
  const enqueue = { concurrency_limit: 1, concurrency_options: { collision_strategy: 'ENQUEUE' } };

  test('leaves no more demand than runs can start, before and after Prefect has sent the others back', async () => {
    const pool = await createPool();
    await pool.limit(enqueue);
    // Not late yet: the server may mark a late run while it sends it back, and the later of both is its state.
    const ids = await pool.schedule(21, 0);
    expect(await pool.read()).toMatchObject({ DueRuns: 21, LateRuns: 0, BlockedRuns: 0, Demand: 1 });

    expect(await pool.claim(ids)).toEqual(['Pending', ...Array<string>(20).fill('AwaitingConcurrencySlot')]);
    const reading = await pool.read();
    expect(reading).toMatchObject({ DueRuns: 20, LateRuns: 0, OldestLateSeconds: 0, BlockedRuns: 20, PendingRuns: 1, Demand: 1 });
    expect(reading.requests).toBe(6);

    await prefect.call('POST', `/flow_runs/${ids[0]}/set_state`, { state: { type: 'RUNNING' } });
    await prefect.call('POST', `/flow_runs/${ids[0]}/set_state`, { state: { type: 'COMPLETED' } });
    expect(await pool.read()).toMatchObject({ DueRuns: 20, LateRuns: 0, BlockedRuns: 19, RunningRuns: 0, Demand: 1 });
  });

  test('may be a global one that deployments share, and that may be switched off', async () => {
    const pool = await createPool({}, [{ name: 'other' }]);
    const { id } = await prefect.call<{ id: string }>('POST', '/v2/concurrency_limits/', { name: `shared in ${pool.name}`, limit: 3 });
    for (const queue of ['default', 'other']) await pool.limit({ global_concurrency_limit_id: id }, queue);
    const [first] = await pool.schedule(4, 60);
    await pool.schedule(4, 60, 'other');
    expect(await pool.read()).toMatchObject({ DueRuns: 8, Demand: 3 });
    expect(await pool.claim([first])).toEqual(['Pending']);
    expect(await pool.read()).toMatchObject({ DueRuns: 7, PendingRuns: 1, Demand: 1 + 2 });

    await prefect.call('PATCH', `/v2/concurrency_limits/${id}`, { active: false });
    expect(await pool.claim(await pool.schedule(1, 0))).toEqual(['AwaitingConcurrencySlot']);
    expect(await pool.read()).toMatchObject({ DueRuns: 8, PendingRuns: 1, Demand: 1 });
  });

  test('by which Prefect cancels new runs needs a worker that takes them', async () => {
    const pool = await createPool();
    await pool.limit({ concurrency_limit: 1, concurrency_options: { collision_strategy: 'CANCEL_NEW' } });
    expect(await pool.claim(await pool.schedule(1, 0))).toEqual(['Pending']);
    const ids = await pool.schedule(3, 0);
    expect(await pool.read()).toMatchObject({ DueRuns: 3, PendingRuns: 1, Demand: 1 + 1 });
    expect(await pool.claim(ids)).toEqual(['Cancelled', 'Cancelled', 'Cancelled']);
    expect(await pool.read()).toMatchObject({ DueRuns: 0, PendingRuns: 1, Demand: 1 });
  });

  test('holds for a line that is longer than what Prefect shows at a time', async () => {
    const pool = await createPool({}, [{ name: 'free' }]);
    await pool.limit({ ...enqueue, concurrency_limit: 2 });
    await pool.claim(await pool.schedule(1, -60));
    await pool.schedule(210, -60);
    await pool.schedule(3, 30, 'free');
    const reading = await pool.read();
    expect(reading).toMatchObject({ DueRuns: 213, LateRuns: 1, BlockedRuns: 209, PendingRuns: 1, Demand: 1 + 1 + 3 });
    expect(reading.requests).toBeLessThanOrEqual(8);
  });
});

test('runs that a limit holds back are late only while it has a slot that nobody takes', async () => {
  const pool = await createPool({ concurrency_limit: 2 });
  const [one, two] = await pool.schedule(12, -60);
  expect(await pool.read()).toMatchObject({ DueRuns: 12, LateRuns: 2, BlockedRuns: 10, Demand: 2 });
  await pool.setState([one, two], { type: 'RUNNING' });
  expect(await pool.read()).toMatchObject({ DueRuns: 10, LateRuns: 0, OldestLateSeconds: 0, BlockedRuns: 10, Demand: 2 });
  // The next run takes its slot in the seconds to come.
  await pool.setState([one], { type: 'COMPLETED' });
  expect(await pool.read()).toMatchObject({ LateRuns: 0, OldestLateSeconds: 0, BlockedRuns: 10, Demand: 2 });
});

test.each([[205, 10], [605, 13]])('the number of requests stays the same with more runs than Prefect shows at a time, %i of them running', async (running, requests) => {
  const pool = await createPool({}, [{ name: 'limited', concurrency_limit: running + 95 }]);
  await pool.limit({ concurrency_limit: 500 });
  await pool.setState(await pool.schedule(running, 0, 'limited'), { type: 'RUNNING' });
  await pool.schedule(105, -60);
  await pool.schedule(105, -60, 'limited');
  const reading = await pool.read();
  expect(reading).toMatchObject({ DueRuns: 210, LateRuns: 200, BlockedRuns: 10, RunningRuns: running, Demand: running + 200 });
  expect(reading.requests).toBe(requests);
});

test('workers that are online are counted', async () => {
  const pool = await createPool();
  for (const name of ['one', 'two']) await prefect.call('POST', `${pool.path}/workers/heartbeat`, { name, heartbeat_interval_seconds: 30 });
  expect(await pool.read()).toMatchObject({ OnlineWorkers: 2 });
});

test('each crashed run is in one of two spans that follow each other', async () => {
  const pool = await createPool();
  const ids = await pool.schedule(6, 600);
  const since = new Date(Date.now() - 1000);
  await pool.setState(ids, { type: 'CRASHED' });
  const ends = await Promise.all(ids.map(async id => (await prefect.call<{ end_time: string }>('GET', `/flow_runs/${id}`)).end_time));
  const until = new Date(Date.now() + 1000);
  // A boundary in the millisecond in which the third of them ended: they are told to all at once.
  const between = new Date(Math.floor(Date.parse(ends.sort()[2])));
  const [first, second] = [await pool.read({}, { since, until: between }), await pool.read({}, { since: between, until })];
  expect(first.CrashedRuns + second.CrashedRuns).toBe(6);
  expect(first.CrashedRuns).toBeGreaterThan(0);
  expect(second.CrashedRuns).toBeGreaterThan(0);
});
