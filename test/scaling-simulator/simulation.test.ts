import { SmallTemplate, smallTemplate } from './small-template';
import { bars } from '../../bench/scaling/bars';
import { compare } from '../../bench/scaling/compare';
import { controlByTemplate } from '../../bench/scaling/controller';
import { measure } from '../../bench/scaling/measure';
import { Random } from '../../bench/scaling/random';
import { oracle, oracleSetting, peak } from '../../bench/scaling/rivals';
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
    runs: runs.map(run => ({ expectedStart: HOUR, duration: 600, queue: 'default', created: -Infinity, ...run })),
  };
}

function play(trace: Trace, template: SmallTemplate = {}, seed = 1) {
  const deployment = readTemplate(smallTemplate(template));
  return simulate(trace, deployment, controlByTemplate(deployment), seed);
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
    expect(pool.runs.every(run => run.state === 'Completed' && run.started! - HOUR < 15)).toBe(true);
    expect(service.alive).toHaveLength(0);
  }
});

test('a launch comes after a poll that sees the run, the end of its minute and an evaluation, and no later than that takes', () => {
  for (const seed of SEEDS) {
    const { service } = play(traceOf([{}]), { leadTimeSeconds: 600 }, seed);
    const after = service.tasks[0].launched - (HOUR - 600);
    // At least the minute's end; at most a poll that just missed the lead time, the next minute's end, and an evaluation.
    expect(after).toBeGreaterThan(5);
    expect(after).toBeLessThan(60 + 60 + 60 + 5 + 3 + 5);
  }
});

test('an alarm of ten seconds need not wait for the minute of a poll to end', () => {
  const reactions = (template: SmallTemplate) => SEEDS.map(seed => play(traceOf([{}]), template, seed).service.tasks[0].launched - (HOUR - 240));
  const average = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  expect(Math.max(...reactions({ alarmPeriod: 10 }))).toBeLessThan(60 + 1.5 + 10 + 10 + 10 + 8);
  expect(average(reactions({ alarmPeriod: 60 })) - average(reactions({ alarmPeriod: 10 }))).toBeGreaterThan(30);
});

test('an empty day costs nothing', () => {
  expect(measure([play(traceOf([], 24 * HOUR))])).toEqual({ taskHours: 0, lateMinutes: 0, p50: 0, p99: 0, lost: 0 });
});

test('a run that nobody announced waits for a worker to start', () => {
  const { lateMinutes, p50 } = measure([play(traceOf([{ created: HOUR }]))]);
  expect(p50).toBeGreaterThan(30);
  expect(lateMinutes).toBeCloseTo((p50 - 15) / 60);
});

test('a busy worker survives scale-in and an unprotected one takes its run with it', () => {
  const mixed = traceOf([...many(20, { duration: 60 }), ...many(20, { duration: HOUR })]);
  expect(measure(SEEDS.map(seed => play(mixed, {}, seed))).lost).toBe(0);
  expect(measure(SEEDS.map(seed => play(mixed, { supervised: false }, seed))).lost).toBeGreaterThan(0);
});

test('an alarm on a metric that nobody publishes is refused: it would never scale', () => {
  const template = JSON.parse(JSON.stringify(smallTemplate()).replace(/"Value":"etl"/g, '"Value":"another"'));
  expect(() => readTemplate(template)).toThrow('0 rules have a function publish PrefectFargateWorker|MissingWorkers|WorkPool=another|Worker=StackWorker');
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
  expect(measure(played).lost).toBe(0);
  const runs = played.flatMap(({ pool }) => pool.runs);
  expect(runs.every(run => run.state === 'Completed')).toBe(true);
  expect(runs.some(run => run.ended! - run.started! > run.duration)).toBe(true);
});

test('the oracle has its worker ready at the due time and gone at the end', () => {
  const deployment = readTemplate(smallTemplate());
  const { service, pool } = simulate(traceOf([{}]), oracleSetting(deployment), oracle(deployment, 0), 1);
  const [{ launched, stopped }] = service.tasks;
  expect([launched, stopped]).toEqual([HOUR - 55, Math.ceil(pool.runs[0].ended!)]);
});

test('the peak counts runs that overlap', () => {
  const runs = traceOf([{ expectedStart: 0, duration: 10 }, { expectedStart: 5, duration: 10 }, { expectedStart: 10, duration: 10 }]).runs;
  expect(peak(runs)).toBe(2);
});

test('the bars compare with the official template and the oracle', () => {
  const comparison = compare(traceOf(many(20), 24 * HOUR), readTemplate(smallTemplate()), [1]);
  expect(bars(comparison).map(({ what, met }) => [what, met])).toEqual([
    ['late-run minutes, of the official template\'s', true],
    ['task-hours, of the official template\'s', true],
    ['task-hours, of the oracle\'s as late', expect.any(Boolean)],
    ['p99 lateness', true],
  ]);
  expect(comparison.results.oracle.taskHours).toBeLessThan(comparison.results.template.taskHours);
  expect(comparison.results.official.lateMinutes).toBeGreaterThan(0);
});

describe('a trace from CSV', () => {
  test('takes its columns in any order, times as ISO 8601 or seconds, and starts at midnight', () => {
    const { start, seconds, runs, scheduled } = parseCsv('mine',
      'queue,duration,expected_start\nb,60,2026-03-02T10:00:00Z\na,30,2026-03-02T09:00:00Z\n');
    expect(new Date(start).toISOString()).toBe('2026-03-02T00:00:00.000Z');
    expect(seconds).toBe(24 * HOUR);
    expect(scheduled).toBe(true);
    expect(runs).toEqual([
      { expectedStart: 9 * HOUR, duration: 30, queue: 'a', created: -Infinity },
      { expectedStart: 10 * HOUR, duration: 60, queue: 'b', created: -Infinity },
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
