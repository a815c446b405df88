import { Random } from './random';
import { FlowRun, sortedByName, Limits, Trace } from './trace';

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** A Monday. */
const START = Date.UTC(2026, 0, 5);

/** The traces that the numbers in the policies were chosen on: what Prefect's users schedule, and what catches any scaling unprepared. */
export const traces: readonly Trace[] = [
  scheduled('hourly', 'cron "0 * * * *": 40 runs every hour, median 8 min', DAY, random =>
    each(0, DAY, HOUR, at => repeat(40, () => run(at, minutes(random, 8, 0.5))))),

  scheduled('steady', 'a run due every 30 s, median 5 min', DAY, random =>
    each(0, DAY, 30, at => [run(at, minutes(random, 5, 0.4))])),

  scheduled('nightly', 'cron "0 2 * * *": 60 runs every night, median 25 min', 3 * DAY, random =>
    each(2 * HOUR, 3 * DAY, DAY, at => repeat(60, () => run(at, minutes(random, 25, 0.5))))),

  scheduled('long', 'one run of 6 hours at 10:00', DAY, () => [run(10 * HOUR, 6 * HOUR)]),

  unscheduled('flash', '60 runs of 5 min at once, unannounced, three times a day', DAY, random =>
    [9 * HOUR + 13 * MINUTE + 7, 14 * HOUR + 41 * MINUTE + 33, 20 * HOUR + 28 * MINUTE + 52].flatMap(crowd =>
      repeat(60, () => run(crowd + random.uniform(0, 20), minutes(random, 5, 0.3))))),

  scheduled('empty', 'a week without a run', 7 * DAY, () => []),

  scheduled('mixed', 'a working day: cron runs every 15 min from 7 to 19, hourly ones all day, a batch at 2:00', DAY, random => [
    ...each(7 * HOUR, 19 * HOUR, 15 * MINUTE, at => repeat(12, () => run(at, minutes(random, 6, 0.6), 'quarters'))),
    ...each(0, DAY, HOUR, at => repeat(8, () => run(at, minutes(random, 10, 0.5), 'hours'))),
    ...repeat(30, () => run(2 * HOUR, minutes(random, 30, 0.5), 'batch')),
  ]),
];

/** Runs that nobody scheduled, by themselves and in bursts: what room that is kept, and patience with idle workers, are for. */
export const unannounced: readonly Trace[] = [
  unscheduled('random', '5 runs an hour at random, median 3 min, unannounced', 2 * DAY, random =>
    repeat(2 * 24 * 5, () => run(random.uniform(0, 2 * DAY), minutes(random, 3, 0.5)))),

  unscheduled('webhook', '12 times a day an hour of bursts: 10 runs of a minute, again after 2 to 8 min, unannounced', 2 * DAY, random =>
    each(0, 2 * DAY, 2 * HOUR, hour => bursts(random, hour + random.uniform(0, HOUR), HOUR))),
];

/** The traces that nothing was chosen on: a change is kept where it shows on these. */
export const unseen: readonly Trace[] = [
  scheduled('five-minutes', 'cron "*/5 * * * *", 3 min each', DAY, random =>
    each(0, DAY, 5 * MINUTE, at => [run(at, minutes(random, 3, 0.1))])),

  scheduled('monday', 'working days: 10 runs an hour from 8 to 18, on Monday 100 at 6:00; two days', 2 * DAY, random => [
    ...[0, DAY].flatMap(day => each(day + 8 * HOUR, day + 18 * HOUR, HOUR, at => repeat(10, () => run(at, minutes(random, 6, 0.5), 'hours')))),
    ...repeat(100, () => run(6 * HOUR, minutes(random, 12, 0.6), 'weekly')),
  ]),

  unscheduled('poisson-5', '5 runs an hour at random with a heavy tail, median 2 min, unannounced', 2 * DAY, random =>
    poisson(random, 2 * DAY, 5, at => run(at, minutes(random, 2, 1.3)))),

  unscheduled('poisson-60', '60 runs an hour at random with a heavy tail, median 2 min, unannounced', DAY, random =>
    poisson(random, DAY, 60, at => run(at, minutes(random, 2, 1.3)))),

  scheduled('short', '12 runs of 5 s a minute', DAY, random =>
    each(0, DAY, 5, at => [run(at, random.uniform(4, 6))])),

  scheduled('minutely', '20 crons "* * * * *" of 15 s', DAY, random =>
    each(0, DAY, MINUTE, at => Array.from({ length: 20 }, (_, index) => run(at, random.uniform(12, 18), `minutely-${index}`)))),

  unscheduled('bursts', 'a webhook: 25 runs of 2 min in a minute, nine times in a working day, unannounced', DAY, random =>
    repeat(9, () => random.uniform(8 * HOUR, 18 * HOUR)).flatMap(at =>
      repeat(25, () => run(at + random.uniform(0, MINUTE), minutes(random, 2, 0.4))))),

  unscheduled('backfill', '2,000 runs of 2 min at once, unannounced', DAY, random =>
    repeat(2000, () => run(10 * HOUR + 11 * MINUTE, minutes(random, 2, 0.4)))),

  unscheduled('backfill-limited', 'the same in a pool with a limit of 20', DAY, random =>
    repeat(2000, () => run(10 * HOUR + 11 * MINUTE, minutes(random, 2, 0.4))), { pool: 20 }),

  scheduled('fan-out', 'a parent every 2 hours that creates 30 children of 3 min', DAY, random =>
    each(HOUR, DAY, 2 * HOUR, at => [{ ...run(at, MINUTE, 'parent'), children: repeat(30, () => minutes(random, 3, 0.4)) }])),

  scheduled('queues', 'crons of two queues that overlap: 15 runs every 20 min, 9 every 30 min', DAY, random => [
    ...each(0, DAY, 20 * MINUTE, at => repeat(15, () => ({ ...run(at, minutes(random, 5, 0.4), 'a'), queue: 'a' }))),
    ...each(10 * MINUTE, DAY, 30 * MINUTE, at => repeat(9, () => ({ ...run(at, minutes(random, 9, 0.4), 'b'), queue: 'b' }))),
  ]),

  scheduled('weekend', 'Friday to Monday: 12 runs every half hour from 7 to 19, none on Saturday and Sunday', 4 * DAY, random =>
    [0, 3].flatMap(day => each(day * DAY + 7 * HOUR, day * DAY + 19 * HOUR, 30 * MINUTE, at => repeat(12, () => run(at, minutes(random, 5, 0.5)))))),

  scheduled('long-among-short', 'one run of 20 h, and 12 runs of 2 min every 10 min', DAY, random => [
    run(2 * HOUR + 10 * MINUTE, 20 * HOUR, 'long'),
    ...each(0, DAY, 10 * MINUTE, at => repeat(12, () => run(at, minutes(random, 2, 0.4), 'short'))),
  ]),

  unscheduled('hour-long', 'runs of an hour, 14 an hour at random all day, unannounced', DAY, random =>
    poisson(random, DAY, 14, at => run(at, minutes(random, 60, 0.2)))),

  scheduled('limited', 'every 10 min 20 runs of 1.5 min of a deployment with a limit of 5, beside 6 of another', DAY, random =>
    each(0, DAY, 10 * MINUTE, at => [
      ...repeat(20, () => run(at, minutes(random, 1.5, 0.3), 'limited')),
      ...repeat(6, () => run(at, minutes(random, 3, 0.3), 'free')),
    ]),
  { deployments: { limited: 5 } }),

  daylightSaving(),
];

/** Central Europe puts its clocks forward on Sunday, 29 March 2026: cron "30 2,9 * * *" there skips a time and is an hour earlier in UTC. */
function daylightSaving(): Trace {
  const of = scheduled('clock', '30 runs at 2:30 and 9:30 in Berlin, over the change to summer time', 3 * DAY, random =>
    [1.5, 8.5, DAY / HOUR + 0.5, DAY / HOUR + 7.5, 2 * DAY / HOUR + 0.5, 2 * DAY / HOUR + 7.5].flatMap(hour =>
      repeat(30, () => run(hour * HOUR, minutes(random, 10, 0.4)))));
  return { ...of, start: Date.UTC(2026, 2, 28) };
}

/** Bursts of ten runs until a time is over. */
function bursts(random: Random, from: number, seconds: number): FlowRun[] {
  const runs: FlowRun[] = [];
  for (let at = from; at < from + seconds; at += random.uniform(2 * MINUTE, 8 * MINUTE)) {
    runs.push(...repeat(10, () => run(at + random.uniform(0, 10), minutes(random, 1, 0.3))));
  }
  return runs;
}

function poisson(random: Random, seconds: number, anHour: number, make: (at: number) => FlowRun): FlowRun[] {
  const runs: FlowRun[] = [];
  for (let at = random.exponential(HOUR / anHour); at < seconds; at += random.exponential(HOUR / anHour)) runs.push(make(at));
  return runs;
}

function scheduled(name: string, what: string, seconds: number, runs: (random: Random) => FlowRun[], limits?: Limits): Trace {
  return { name, what, start: START, seconds, runs: sortedByName(runs(new Random(20260105))), scheduled: true, limits };
}

/** Nobody knows of these before they are due. */
function unscheduled(name: string, what: string, seconds: number, runs: (random: Random) => FlowRun[], limits?: Limits): Trace {
  const of = scheduled(name, what, seconds, runs, limits);
  return { ...of, scheduled: false, runs: of.runs.map(one => ({ ...one, created: one.expectedStart })) };
}

function run(expectedStart: number, duration: number, deployment = 'flow'): FlowRun {
  return { expectedStart, duration, queue: 'default', deployment, created: -Infinity };
}

function minutes(random: Random, median: number, sigma: number): number {
  return Math.round(random.lognormal(median * MINUTE, sigma));
}

function each(from: number, to: number, step: number, runs: (at: number) => FlowRun[]): FlowRun[] {
  return Array.from({ length: Math.ceil((to - from) / step) }, (_, index) => runs(from + index * step)).flat();
}

function repeat<T>(times: number, make: () => T): T[] {
  return Array.from({ length: times }, make);
}
