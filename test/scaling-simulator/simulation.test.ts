import { SmallTemplate, smallTemplate } from './small-template';
import { bars } from '../../bench/scaling/bars';
import { compare } from '../../bench/scaling/compare';
import { Conditions, PESSIMISTIC, USUAL } from '../../bench/scaling/conditions';
import { controlByTemplate } from '../../bench/scaling/controller';
import { measure } from '../../bench/scaling/measure';
import { Random } from '../../bench/scaling/random';
import { official, oracle, oracleSetting, peak, spans } from '../../bench/scaling/rivals';
import { simulate } from '../../bench/scaling/simulation';
import { readTemplate } from '../../bench/scaling/template/read';
import { FlowRun, parseCsv, Trace } from '../../bench/scaling/trace';

const HOUR = 3600;

function traceOf(runs: readonly Partial<FlowRun>[], seconds = 4 * HOUR): Trace {
  return {
    name: 'test',
    what: '',
    start: Date.UTC(2026, 0, 5),
    seconds,
    scheduled: true,
    runs: runs.map(run => ({ expectedStart: HOUR, duration: 600, queue: 'default', deployment: 'flow', created: -Infinity, ...run })),
  };
}

function play(trace: Trace, template: SmallTemplate = {}, seed = 1, conditions: Conditions = USUAL) {
  const deployment = readTemplate(smallTemplate(template));
  return simulate(trace, deployment, controlByTemplate(deployment), seed, conditions);
}

const many = (count: number, run: Partial<FlowRun> = {}) => Array.from({ length: count }, () => run);
const SEEDS = Array.from({ length: 20 }, (_, index) => index + 1);

test('neighbouring seeds have nothing in common', () => {
  const draws = Array.from({ length: 200 }, (_, seed) => {
    const random = new Random(seed);
    return [random.next(), random.next(), random.next()];
  });
  for (const draw of [0, 1, 2]) {
    const steps = draws.slice(1).map((values, index) => (values[draw] - draws[index][draw] + 1) % 1);
    expect(steps.filter(step => step < 0.5).length).toBeGreaterThan(60);
    expect(steps.filter(step => step >= 0.5).length).toBeGreaterThan(60);
  }
});

test('the same seed plays the same', () => {
  const trace = traceOf(many(20));
  expect(measure([play(trace)])).toEqual(measure([play(trace)]));
  expect(play(trace, {}, 2).service.tasks[0].launched).not.toBe(play(trace).service.tasks[0].launched);
});

test('workers are there before the runs are due, as many as it takes, and gone afterwards', () => {
  for (const seed of SEEDS) {
    const { service, pool } = play(traceOf(many(20)), {}, seed);
    expect(service.tasks).toHaveLength(3);
    expect(pool.runs.every(run => run.state === 'Completed' && run.started! - HOUR < 40)).toBe(true);
    expect(service.alive).toHaveLength(0);
  }
});

test.each([USUAL, { ...USUAL, metricDelay: PESSIMISTIC.metricDelay }])('a launch comes with the poll that sees the run, whenever metrics are visible', conditions => {
  const reactions = SEEDS.map(seed => play(traceOf([{}]), { leadTimeSeconds: 600 }, seed, conditions).service.tasks[0].launched - (HOUR - 600));
  // ECS takes five seconds, and the poll comes within a minute.
  expect(Math.min(...reactions)).toBeGreaterThanOrEqual(5);
  expect(Math.max(...reactions)).toBeLessThan(60 + 1.5 + 5);
});

test('an empty day costs nothing', () => {
  expect(measure([play(traceOf([], 24 * HOUR))])).toMatchObject({ taskHours: 0, lateMinutes: 0, p50: 0, p99: 0, handBacks: 0, wastedHours: 0 });
});

test('a run that nobody announced waits for a worker to start', () => {
  const { lateMinutes, p50 } = measure([play(traceOf([{ created: HOUR }]))]);
  expect(p50).toBeGreaterThan(30);
  expect(lateMinutes).toBeCloseTo((p50 - 15) / 60);
});

describe('a busy worker', () => {
  const mixed = (duration: number) => traceOf([...many(20, { duration: 60 }), ...many(20, { duration })]);

  test('stays as long as it has runs, also where its protection lapses', () => {
    expect(measure(SEEDS.map(seed => play(mixed(1500), {}, seed))).handBacks).toBe(0);
    expect(measure(SEEDS.map(seed => play(mixed(2 * HOUR), {}, seed))).handBacks).toBe(0);
  });

  test('is taken where its protection has lapsed and a person wants fewer, and its runs start again elsewhere', () => {
    const deployment = readTemplate(smallTemplate());
    const played = SEEDS.slice(0, 5).map(seed => simulate(mixed(2 * HOUR), deployment, world => {
      controlByTemplate(deployment)(world);
      world.clock.at(HOUR + 1000, () => world.setDesired(1));
    }, seed, USUAL));
    expect(measure(played).handBacks).toBeGreaterThan(0);
    expect(measure(played).wastedHours).toBeGreaterThan(0);
    expect(played.every(({ pool }) => pool.runs.every(({ state }) => state === 'Completed'))).toBe(true);
  });
});

test('a scheduled action raises the minimum in time', () => {
  const { service } = play(traceOf([], 24 * HOUR), {
    scheduledActions: [
      { Schedule: 'cron(0 7 * * ? *)', ScalableTargetAction: { MinCapacity: 2 } },
      { Schedule: 'cron(0 9 * * ? *)', ScalableTargetAction: { MinCapacity: 0 } },
    ],
  });
  expect(service.tasks.map(({ launched }) => Math.floor(launched / 60))).toEqual([7 * 60, 7 * 60]);
  expect(service.alive).toHaveLength(0);
});

test('runs of an interrupted Spot task are started again elsewhere', () => {
  const trace = traceOf(many(14, { duration: 20 * HOUR }), 72 * HOUR);
  const played = SEEDS.slice(0, 10).map(seed => play(trace, { min: 2, max: 3, spotWeight: 1_000_000 }, seed));
  const runs = played.flatMap(({ pool }) => pool.runs);
  expect(runs.every(run => run.state === 'Completed')).toBe(true);
  expect(runs.some(run => run.handBacks > 0)).toBe(true);
});

test('hours after the end of a trace count, until its runs and workers have ended', () => {
  const last = traceOf([{ expectedStart: 3.5 * HOUR, duration: 2 * HOUR }]);
  const { taskHours } = measure([play(last)]);
  expect(taskHours).toBeGreaterThan(2);
  expect(taskHours).toBeLessThan(2.5);
});

test('workers go when as many have not been needed for the minutes that are asked for', () => {
  const idleFor = (scaleInMinutes: number, conditions: Conditions) => SEEDS.slice(0, 8).map(seed => {
    const { service, pool } = play(traceOf([{}]), { scaleInMinutes }, seed, conditions);
    return service.tasks[0].stopped! - pool.runs[0].ended!;
  });
  for (const conditions of [USUAL, { ...USUAL, metricDelay: PESSIMISTIC.metricDelay }]) {
    expect(Math.min(...idleFor(10, conditions))).toBeGreaterThan(9 * 60);
    expect(Math.max(...idleFor(10, conditions))).toBeLessThan(12 * 60 + 30);
  }
});

test('polls that fail are late, and nothing else', () => {
  const runs = SEEDS.flatMap(seed => play(traceOf(many(20)), {}, seed, { ...USUAL, failedPolls: 0.3 }).pool.runs);
  expect(runs.every(({ state }) => state === 'Completed')).toBe(true);
  expect(Math.max(...runs.map(({ started }) => started! - HOUR))).toBeGreaterThan(40);
});

describe('the oracle', () => {
  const deployment = readTemplate(smallTemplate());
  const perfect = (trace: Trace, early: number) => simulate(trace, oracleSetting(deployment, USUAL), oracle(deployment, USUAL, early), 1, USUAL);

  test('has its worker ready as early as it is told to, and gone at the end', () => {
    const { service, pool } = perfect(traceOf([{}]), 20);
    const [{ launched, stopped }] = service.tasks;
    expect(Math.abs(launched - (HOUR - 55 - 20))).toBeLessThan(10);
    expect(stopped! - pool.runs[0].ended!).toBeLessThan(25);
  });

  test('counts slots at a time, and not runs: one worker serves many short ones', () => {
    const { service } = perfect(traceOf(Array.from({ length: 200 }, (_, index) => ({ expectedStart: HOUR + 5 * index, duration: 5 }))), 20);
    expect(service.tasks).toHaveLength(1);
  });

  test('has no more workers than the bounds, and is never beaten by a fixed fleet', () => {
    const { results: { oracle: of, oracleAsLate, fixed, template } } = compare(traceOf(many(200), 24 * HOUR), deployment, [1, 2], USUAL);
    expect(of.taskHours).toBeLessThanOrEqual(fixed.taskHours * 1.001);
    expect(of.lateMinutes).toBeLessThanOrEqual(fixed.lateMinutes + 15);
    expect(oracleAsLate.lateMinutes).toBeLessThanOrEqual(Math.max(template.lateMinutes, of.lateMinutes) + 1);
    expect(Math.max(...perfect(traceOf(many(200)), 20).samples.map(({ capacity }) => capacity))).toBe(70);
  });
});

describe('the official template', () => {
  const deployment = official(readTemplate(smallTemplate()));
  const played = simulate(traceOf(many(20)), deployment, controlByTemplate(deployment), 1, USUAL);

  test('starts a task for each flow run, that starts after it is due', () => {
    expect(played.tasks).toHaveLength(1 + 20);
    const lateness = played.pool.runs.map(({ started }) => started! - HOUR).sort((a, b) => a - b);
    expect(lateness[10]).toBeGreaterThan(45);
    expect(lateness[10]).toBeLessThan(90);
  });

  test('takes as long for many as its worker takes to submit them', () => {
    const { pool } = simulate(traceOf(many(500)), deployment, controlByTemplate(deployment), 1, USUAL);
    const last = Math.max(...pool.runs.map(({ started }) => started! - HOUR));
    expect(500 / (last / 60)).toBeGreaterThan(80);
    expect(500 / (last / 60)).toBeLessThan(180);
  });
});

test('the peak counts runs that overlap, and the children of parents', () => {
  const runs = [{ expectedStart: 0, duration: 10 }, { expectedStart: 5, duration: 10 }, { expectedStart: 10, duration: 10 }];
  expect(peak(spans(traceOf(runs)))).toBe(2);
  expect(peak(spans(traceOf([{ duration: 1, children: [60, 60, 60] }])))).toBe(4);
});

test('the bars compare with the rivals and the oracle', () => {
  const comparison = compare(traceOf(many(20), 24 * HOUR), readTemplate(smallTemplate()), [1], USUAL);
  expect(bars(comparison).map(({ what, met }) => [what, met])).toEqual([
    ['late-run minutes, of the official template\'s (the best possible)', expect.any(Boolean)],
    ['task-hours, of the official template\'s', true],
    ['no rival is both sooner and no dearer', true],
    ['task-hours, of the oracle\'s as late', expect.any(Boolean)],
    ['busy workers taken away', true],
  ]);
  const { oracleAsLate, template, official: rival, idle } = comparison.results;
  expect(oracleAsLate.taskHours).toBeLessThan(template.taskHours);
  expect(rival.lateMinutes).toBeGreaterThan(template.lateMinutes);
  expect(idle.taskHours).toBeCloseTo(24, 0);
});

test.each([USUAL, PESSIMISTIC])('in the $name setting every run of every kind ends', conditions => {
  const kinds: Partial<FlowRun>[] = [{}, { created: HOUR }, { duration: 5 }, { children: [60, 60] }, { deployment: 'limited' }, { deployment: 'limited' }];
  const trace = { ...traceOf(kinds), limits: { pool: 4, deployments: { limited: 1 } } };
  for (const seed of SEEDS.slice(0, 5)) {
    const { pool } = play(trace, {}, seed, conditions);
    expect(pool.runs.map(({ state }) => state)).toEqual(Array(8).fill('Completed'));
  }
});

describe('a trace from CSV', () => {
  test('takes its columns in any order, times as ISO 8601 or seconds, and starts at midnight', () => {
    const { start, seconds, runs, scheduled } = parseCsv('mine',
      'queue,duration,expected_start\nb,60,2026-03-02T10:00:00Z\na,30,2026-03-02T09:00:00Z\n');
    expect(new Date(start).toISOString()).toBe('2026-03-02T00:00:00.000Z');
    expect(seconds).toBe(24 * HOUR);
    expect(scheduled).toBe(true);
    expect(runs).toEqual([
      { expectedStart: 9 * HOUR, duration: 30, queue: 'a', deployment: 'a', created: -Infinity },
      { expectedStart: 10 * HOUR, duration: 60, queue: 'b', deployment: 'b', created: -Infinity },
    ]);
    expect(parseCsv('seconds', 'expected_start,duration,queue\n90000,86400,a').runs[0].expectedStart).toBe(3600);
  });

  test('with the column created has runs that nobody knows before', () => {
    const { runs, scheduled } = parseCsv('mine', 'expected_start,duration,queue,created\n100,1,a,100\n200,1,a,');
    expect(runs.map(({ created }) => created)).toEqual([100, -Infinity]);
    expect(scheduled).toBe(false);
  });

  test('says what is wrong with it', () => {
    expect(() => parseCsv('mine', 'expected_start,queue\n1,a')).toThrow('mine: the column duration is missing; there are expected_start, queue.');
    expect(() => parseCsv('mine', 'expected_start,duration,queue\n1,a,x')).toThrow('mine, line 2: duration is a.');
    expect(() => parseCsv('mine', 'expected_start,duration,queue\nsoon,1,x')).toThrow('mine, line 2: expected_start is soon.');
  });
});
