import { Clock } from '../../bench/scaling/clock';
import { Pool } from '../../bench/scaling/prefect/pool';
import { demandMetrics } from '../../bench/scaling/prefect/publisher';
import { pollInterval, Worker, WorkerSettings } from '../../bench/scaling/prefect/worker';
import { Random } from '../../bench/scaling/random';
import { FlowRun } from '../../bench/scaling/trace';

const run = (expectedStart: number, more: Partial<FlowRun> = {}): FlowRun => ({ expectedStart, duration: 100, queue: 'default', created: -Infinity, ...more });

function started(runs: readonly FlowRun[], settings: Partial<WorkerSettings> = {}) {
  const clock = new Clock(0);
  const pool = new Pool(runs);
  const idle = jest.fn();
  const worker = new Worker(clock, new Random(1), pool, { flowRunLimit: 2, supervised: true, ...settings }, idle);
  worker.start();
  return { clock, pool, worker, idle };
}

const statesOf = (pool: Pool) => pool.runs.map(({ state }) => state);

test('polls are 7.5 to 13 s apart, as Prefect draws them', () => {
  const random = new Random(3);
  const intervals = Array.from({ length: 10_000 }, () => pollInterval(random));
  expect(Math.min(...intervals)).toBeCloseTo(7.52, 1);
  expect(Math.max(...intervals)).toBeCloseTo(13, 1);
  expect(intervals.reduce((sum, seconds) => sum + seconds, 0) / intervals.length).toBeCloseTo(10, 0);
});

test('a run is taken up to ten seconds before it is due, and starts when it is due', () => {
  const { clock, pool } = started([run(8), run(200)]);
  clock.run(7);
  expect(statesOf(pool)).toEqual(['Pending', 'Scheduled']);
  clock.run(8);
  expect(pool.runs[0].started).toBe(8);
  clock.run(108);
  expect(statesOf(pool)).toEqual(['Completed', 'Scheduled']);
});

test('a run that is due needs its process first', () => {
  const { clock, pool } = started([run(0)]);
  clock.run(10);
  expect(pool.runs[0].started).toBeGreaterThanOrEqual(2);
  expect(pool.runs[0].started).toBeLessThanOrEqual(4);
});

test('a worker holds no more runs than its limit, the earliest first, and fills a slot at a poll after it is free', () => {
  const { clock, pool, idle } = started([run(2), run(0), run(1)].sort((a, b) => a.expectedStart - b.expectedStart));
  clock.run(90);
  expect(statesOf(pool)).toEqual(['Running', 'Running', 'Scheduled']);
  expect(idle).not.toHaveBeenCalled();
  clock.run(120);
  expect(statesOf(pool)).toEqual(['Completed', 'Completed', 'Running']);
  clock.run(240);
  expect(idle).toHaveBeenCalledTimes(2);
});

test('a worker takes only runs of its queues, and none that nobody has made yet', () => {
  const { clock, pool } = started([run(0, { queue: 'other' }), run(0, { created: 50 })], { queues: ['default'] });
  clock.run(49);
  expect(statesOf(pool)).toEqual(['Scheduled', 'Scheduled']);
  clock.run(70);
  expect(statesOf(pool)).toEqual(['Scheduled', 'Running']);
});

test('a supervised worker is protected while it holds runs, and hands them back when it has to go', () => {
  const { clock, pool, worker } = started([run(0)]);
  clock.run(5);
  expect(worker.isProtected).toBe(true);
  worker.terminate();
  expect(worker.isProtected).toBe(false);
  clock.run(500);
  expect(statesOf(pool)).toEqual(['Scheduled']);
});

test('without a supervisor nothing is protected, and runs are lost with their worker', () => {
  const { clock, pool, worker } = started([run(0)], { supervised: false });
  clock.run(5);
  expect(worker.isProtected).toBe(false);
  worker.terminate();
  clock.run(500);
  expect(statesOf(pool)).toEqual(['Lost']);
});

test('demand is what is due within the lead time, late, pending and running', () => {
  const runs = [run(0), run(0), run(20), run(60), run(280), run(281), run(100, { queue: 'other' }), run(100, { created: 50 })];
  const pool = new Pool(runs.sort((a, b) => a.expectedStart - b.expectedStart));
  pool.take(pool.runs[0]);
  pool.take(pool.runs[1]);
  pool.start(pool.runs[1], 3);
  const settings = { workPool: 'p', worker: 'w', workQueues: ['default'], flowRunLimit: 2, leadTimeSeconds: 240, pollSeconds: 60, invocationSeconds: 60 };

  expect(demandMetrics(settings, pool, 40, 1)).toMatchObject({
    DueRuns: 3,
    LateRuns: 1,
    OldestLateSeconds: 20,
    PendingRuns: 1,
    RunningRuns: 1,
    Demand: 5,
    RequiredWorkers: 3,
    MissingWorkers: 2,
    SurplusWorkers: 0,
  });
  expect(demandMetrics(settings, pool, 40, 7)).toMatchObject({ MissingWorkers: 0, SurplusWorkers: 4 });
});
