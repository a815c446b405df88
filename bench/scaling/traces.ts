import { Random } from './random';
import { FlowRun, inOrder, Trace } from './trace';

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** A Monday. */
const START = Date.UTC(2026, 0, 5);

/** The traces of the results: what Prefect's users schedule, and what catches any scaling unprepared. */
export const traces: readonly Trace[] = [
  scheduled('hourly', 'cron "0 * * * *": 40 runs every hour, median 8 min', DAY, random =>
    each(0, DAY, HOUR, at => repeat(40, () => run(at, minutes(random, 8, 0.5))))),

  scheduled('steady', 'a run due every 30 s, median 5 min', DAY, random =>
    each(0, DAY, 30, at => [run(at, minutes(random, 5, 0.4))])),

  scheduled('nightly', 'cron "0 2 * * *": 60 runs every night, median 25 min', 3 * DAY, random =>
    each(2 * HOUR, 3 * DAY, DAY, at => repeat(60, () => run(at, minutes(random, 25, 0.5))))),

  scheduled('long', 'one run of 6 hours at 10:00', DAY, () => [run(10 * HOUR, 6 * HOUR)]),

  {
    ...scheduled('flash', '60 runs of 5 min at once, unannounced, three times a day', DAY, random =>
      [9 * HOUR + 13 * MINUTE + 7, 14 * HOUR + 41 * MINUTE + 33, 20 * HOUR + 28 * MINUTE + 52].flatMap(crowd =>
        repeat(60, () => {
          const at = crowd + random.uniform(0, 20);
          return { ...run(at, minutes(random, 5, 0.3)), created: at };
        }))),
    scheduled: false,
  },

  scheduled('empty', 'a week without a run', 7 * DAY, () => []),

  scheduled('mixed', 'a working day: cron runs every 15 min from 7 to 19, hourly ones all day, a batch at 2:00', DAY, random => [
    ...each(7 * HOUR, 19 * HOUR, 15 * MINUTE, at => repeat(12, () => run(at, minutes(random, 6, 0.6)))),
    ...each(0, DAY, HOUR, at => repeat(8, () => run(at, minutes(random, 10, 0.5)))),
    ...repeat(30, () => run(2 * HOUR, minutes(random, 30, 0.5))),
  ]),
];

function scheduled(name: string, what: string, seconds: number, runs: (random: Random) => FlowRun[]): Trace {
  return { name, what, start: START, seconds, runs: inOrder(runs(new Random(20260105))), scheduled: true };
}

function run(expectedStart: number, duration: number): FlowRun {
  return { expectedStart, duration, queue: 'default', created: -Infinity };
}

function minutes(random: Random, median: number, sigma: number): number {
  return Math.round(random.lognormal(median * MINUTE, sigma));
}

function each(from: number, to: number, step: number, runs: (at: number) => FlowRun[]): FlowRun[] {
  return Array.from({ length: Math.ceil((to - from) / step) }, (_, index) => runs(from + index * step)).flat();
}

function repeat(times: number, make: () => FlowRun): FlowRun[] {
  return Array.from({ length: times }, make);
}
