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
          return announcedAtOnce(run(at, minutes(random, 5, 0.3)));
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

/** Runs that nobody scheduled, by themselves and in bursts: what room that is kept, and patience with idle workers, are for. */
export const unannounced: readonly Trace[] = [
  {
    ...scheduled('random', '5 runs an hour at random, median 3 min, unannounced', 2 * DAY, random =>
      repeat(2 * 24 * 5, () => announcedAtOnce(run(random.uniform(0, 2 * DAY), minutes(random, 3, 0.5))))),
    scheduled: false,
  },
  {
    ...scheduled('webhook', '12 times a day an hour of bursts: 10 runs of a minute, again after 2 to 8 min, unannounced', 2 * DAY, random =>
      each(0, 2 * DAY, 2 * HOUR, hour => bursts(random, hour + random.uniform(0, HOUR), HOUR))),
    scheduled: false,
  },
];

/** Bursts of ten runs until a time is over. */
function bursts(random: Random, from: number, seconds: number): FlowRun[] {
  const runs: FlowRun[] = [];
  for (let at = from; at < from + seconds; at += random.uniform(2 * MINUTE, 8 * MINUTE)) {
    runs.push(...repeat(10, () => announcedAtOnce(run(at + random.uniform(0, 10), minutes(random, 1, 0.3)))));
  }
  return runs;
}

function announcedAtOnce(of: FlowRun): FlowRun {
  return { ...of, created: of.expectedStart };
}

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
