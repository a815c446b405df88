import { Clock } from '../../bench/scaling/clock';
import { USUAL } from '../../bench/scaling/conditions';
import { pollInterval } from '../../bench/scaling/prefect/poll-interval';
import { Pool } from '../../bench/scaling/prefect/pool';
import { Processes } from '../../bench/scaling/prefect/processes';
import { demandMetrics } from '../../bench/scaling/prefect/publisher';
import { SUPERVISOR } from '../../bench/scaling/prefect/supervisor';
import { Worker, WorkerSettings } from '../../bench/scaling/prefect/worker';
import { Random } from '../../bench/scaling/random';
import { FlowRun, Limits } from '../../bench/scaling/trace';

const run = (expectedStart: number, more: Partial<FlowRun> = {}): FlowRun =>
  ({ expectedStart, duration: 100, queue: 'default', deployment: 'flow', created: -Infinity, ...more });

function started(runs: readonly FlowRun[], settings: Partial<WorkerSettings> = {}, limits?: Limits, accepts: () => boolean = () => true) {
  const clock = new Clock(0);
  const pool = new Pool(runs, limits);
  const unprotected = jest.fn();
  const worker = new Worker(
    { clock, random: new Random(1), pool, conditions: USUAL, takesProtection: accepts, unprotected },
    { flowRunLimit: 2, supervised: true, vcpu: 1, ...settings });
  worker.start();
  return { clock, pool, worker, unprotected };
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
  expect(Math.abs(pool.runs[0].started! - USUAL.processStart)).toBeLessThanOrEqual(0.2 * USUAL.processStart);
});

test('processes that start at once share the vCPU, and one alone uses no more than one', () => {
  const times = (vcpu: number, count: number) => {
    const clock = new Clock(0);
    const processes = new Processes(clock, vcpu);
    const ended: number[] = [];
    for (let index = 0; index < count; index++) processes.start(4, () => ended.push(clock.now));
    clock.run(1000);
    return ended.map(time => Math.round(time * 10) / 10);
  };
  expect(times(1, 1)).toEqual([4]);
  expect(times(1, 7)).toEqual(Array(7).fill(28));
  expect(times(2, 7)).toEqual(Array(7).fill(14));
  expect(times(4, 1)).toEqual([4]);
  expect(times(0.5, 1)).toEqual([8]);
});

test('a process that joins others slows them down from then on', () => {
  const clock = new Clock(0);
  const processes = new Processes(clock, 1);
  const ended: number[] = [];
  processes.start(4, () => ended.push(clock.now));
  clock.at(2, () => processes.start(4, () => ended.push(clock.now)));
  clock.run(100);
  expect(ended).toEqual([6, 8]);
});

test('seven runs at once start 18 to 33 s after their claim, as was measured', () => {
  const { clock, pool } = started(Array.from({ length: 7 }, () => run(0)), { flowRunLimit: 7 });
  clock.run(60);
  for (const { started: at } of pool.runs) {
    expect(at).toBeGreaterThan(18);
    expect(at).toBeLessThan(33);
  }
});

test('a worker holds no more runs than its limit, the earliest first, and fills a slot at a poll after it is free', () => {
  const { clock, pool } = started([run(2), run(0), run(1)].sort((a, b) => a.expectedStart - b.expectedStart));
  clock.run(90);
  expect(statesOf(pool)).toEqual(['Running', 'Running', 'Scheduled']);
  clock.run(135);
  expect(statesOf(pool)).toEqual(['Completed', 'Completed', 'Running']);
});

test('a worker takes only runs of its queues, and none that nobody has made yet', () => {
  const { clock, pool } = started([run(0, { queue: 'other' }), run(0, { created: 50 })], { queues: ['default'] });
  clock.run(49);
  expect(statesOf(pool)).toEqual(['Scheduled', 'Scheduled']);
  clock.run(75);
  expect(statesOf(pool)).toEqual(['Scheduled', 'Running']);
});

test('a pool at its limit gives nothing, and a run over its deployment\'s limit is due again half a minute later', () => {
  const pooled = started([run(0), run(0)], {}, { pool: 1 });
  pooled.clock.run(90);
  expect(statesOf(pooled.pool)).toEqual(['Running', 'Scheduled']);
  expect(pooled.pool.runs[1].due).toBe(0);

  const limited = started([run(0), run(0)], {}, { deployments: { flow: 1 } });
  limited.clock.run(1);
  expect(limited.pool.runs[1]).toMatchObject({ state: 'Scheduled', due: 30, sentBack: true });
  limited.clock.run(200);
  expect(statesOf(limited.pool)).toEqual(['Completed', 'Running']);
});

test('a parent creates its children when it begins, and waits for them', () => {
  const { clock, pool } = started([run(0, { duration: 5, children: [30, 30] })], { flowRunLimit: 3 });
  clock.run(10);
  expect(pool.runs).toHaveLength(3);
  expect(pool.runs[1].created).toBeGreaterThanOrEqual(pool.runs[0].started!);
  clock.run(300);
  expect(statesOf(pool)).toEqual(['Completed', 'Completed', 'Completed']);
  expect(pool.runs[0].ended!).toBeGreaterThanOrEqual(Math.max(pool.runs[1].ended!, pool.runs[2].ended!));
});

describe('a supervised worker', () => {
  const { protectionSeconds, pauseSeconds, lingerSeconds, drainSeconds, cleanupSeconds } = SUPERVISOR;

  test('is what its program says', () => {
    expect(SUPERVISOR).toEqual({ protectionSeconds: 1800, pauseSeconds: 60, lingerSeconds: 10, drainSeconds: 100, cleanupSeconds: 5 });
  });

  test('is protected while it holds runs and a little longer', () => {
    const { clock, pool, worker, unprotected } = started([run(0)]);
    clock.run(5);
    expect(worker.isProtected).toBe(true);
    clock.run(106);
    const ended = pool.runs[0].ended!;
    expect(worker.isProtected).toBe(true);
    clock.run(ended + lingerSeconds + 0.1);
    expect(worker.isProtected).toBe(false);
    expect(unprotected).toHaveBeenCalledTimes(1);
  });

  test('is not protected for a pause after each stretch, busy as it may be', () => {
    const { clock, worker, unprotected } = started([run(0, { duration: 7200 })]);
    const at = [1, protectionSeconds - 1, protectionSeconds + 1, protectionSeconds + pauseSeconds - 1, protectionSeconds + pauseSeconds + 1]
      .map(time => {
        clock.run(time);
        return worker.isProtected;
      });
    expect(at).toEqual([true, true, false, false, true]);
    expect(unprotected).toHaveBeenCalledTimes(1);
  });

  test('asks again where ECS refuses', () => {
    let accepts = false;
    const { clock, worker } = started([run(0)], {}, undefined, () => accepts);
    clock.run(35);
    expect(worker.isProtected).toBe(false);
    accepts = true;
    clock.run(35 + lingerSeconds);
    expect(worker.isProtected).toBe(true);
  });

  test('lets runs go on when it has to go, and hands back what is left', () => {
    const { clock, pool, worker } = started([run(0, { duration: 50 }), run(0, { duration: 500 })]);
    clock.run(20);
    let ended: number | undefined;
    worker.terminate(() => { ended = clock.now; });
    clock.run(500);
    expect(ended).toBe(20 + drainSeconds + cleanupSeconds);
    expect(statesOf(pool)).toEqual(['Completed', 'Scheduled']);
    expect(pool.runs[1].handBacks).toBe(1);
    expect(pool.runs[1].wasted).toBeCloseTo(ended! - pool.runs[1].started!);
  });

  test('ends at once when it is idle, and with its last run', () => {
    const idle = started([]);
    const ended = jest.fn();
    idle.worker.terminate(ended);
    expect(ended).toHaveBeenCalledTimes(1);

    const busy = started([run(0, { duration: 20 })]);
    busy.clock.run(10);
    let at: number | undefined;
    busy.worker.terminate(() => { at = busy.clock.now; });
    busy.clock.run(300);
    expect(at).toBe(busy.pool.runs[0].ended);
  });
});

test('without a supervisor nothing is protected, and runs are lost with their worker', () => {
  const { clock, pool, worker } = started([run(0)], { supervised: false });
  clock.run(5);
  expect(worker.isProtected).toBe(false);
  worker.terminate(() => {});
  clock.run(500);
  expect(statesOf(pool)).toEqual(['Lost']);
});

test('demand is what is due within the lead time, late, pending and running', () => {
  const runs = [run(0), run(0), run(20), run(60), run(280), run(281), run(100, { queue: 'other' }), run(100, { created: 50 })];
  const pool = new Pool(runs.sort((a, b) => a.expectedStart - b.expectedStart));
  pool.take(pool.runs[0], {}, 0);
  pool.take(pool.runs[1], {}, 0);
  pool.start(pool.runs[1], 3);
  const settings = { workPool: 'p', worker: 'w', workQueues: ['default'], flowRunLimit: 2, leadTimeSeconds: 240, pollSeconds: 60, invocationSeconds: 60, scaleInMinutes: 2 };

  expect(demandMetrics(settings, pool, 40, 1).values).toMatchObject({
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
  expect(demandMetrics(settings, pool, 40, 7).values).toMatchObject({ MissingWorkers: 0, SurplusWorkers: 4 });
});
