import { PublisherWorld, values } from './publisher-world';
import { UNITS } from '../../src/demand/metrics';

let world: PublisherWorld;
beforeEach(async () => { world = await PublisherWorld.start(); });
afterEach(() => world.stop());

test('a poll publishes all that it read in one request, for its pool and worker', async () => {
  const [request, ...others] = await world.invoke();
  expect(others).toEqual([]);
  expect(request.Namespace).toBe('PrefectFargateWorker');
  expect(values(request)).toEqual({
    DueRuns: 15,
    LateRuns: 0,
    OldestLateSeconds: 0,
    BlockedRuns: 0,
    PendingRuns: 0,
    RunningRuns: 4,
    CrashedRuns: 0,
    OnlineWorkers: 1,
    Demand: 19,
    RequiredWorkers: 3,
    MissingWorkers: 2,
    SurplusWorkers: 0,
    PublisherErrors: 0,
  });
  for (const { MetricName, Dimensions, Unit } of request.MetricData) {
    expect(Dimensions).toEqual([{ Name: 'WorkPool', Value: 'etl' }, { Name: 'Worker', Value: 'Worker' }]);
    expect(Unit).toBe(UNITS[MetricName as keyof typeof UNITS]);
  }
});

test('runs that nobody scheduled have room beside all that is due, as many as were asked for', async () => {
  const [request] = await world.invoke({ spareFlowRuns: 3 });
  expect(values(request)).toMatchObject({ Demand: 19, RequiredWorkers: 4, MissingWorkers: 3 });
});

test.each([['that succeeds', 'secret'], ['that fails', 'another']])('what a slow poll %s publishes is of the time at which it does', async (_, secret) => {
  world.slow = 100;
  const [{ MetricData }] = await world.invoke({}, secret);
  expect(world.answered).toBeGreaterThan(0);
  for (const { Timestamp } of MetricData) {
    expect(Timestamp * 1000).toBeGreaterThanOrEqual(world.answered);
  }
});

test.each([[60, [0]], [20, [0, 20, 40]], [10, [0, 10, 20, 30, 40, 50]]])('polls every %s seconds of its minute', async (pollSeconds, seconds) => {
  // What a poll takes is not waited for: here it takes no time.
  jest.spyOn(Date, 'now').mockReturnValue(Date.now());
  expect(await world.invoke({ pollSeconds })).toHaveLength(seconds.length);
  expect(world.waits).toEqual(seconds.map(second => second * 1000));
});

test('what the API refuses publishes only that it failed', async () => {
  expect((await world.invoke({}, 'another')).map(values)).toEqual([{ PublisherErrors: 1 }]);
});

test('after a poll that failed, the next one counts the crashed runs from where the last that succeeded ended', async () => {
  world.more = 600;
  const spans = () => world.server.requests.filter(({ path, body }) => path.endsWith('/count') && body.flow_runs.state?.type.any_[0] === 'CRASHED').map(({ body }) => body.flow_runs.end_time);
  await world.invoke();
  await world.invoke({}, 'another');
  await world.invoke();
  const [first, second, ...others] = spans();
  expect(others).toEqual([]);
  // Both ends count: the last microsecond of the one, and the next of the other.
  expect(first.before_).toMatch(/999Z$/);
  expect(Date.parse(second.after_) - Date.parse(first.before_)).toBe(1);
});
