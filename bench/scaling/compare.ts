import { Conditions } from './conditions';
import { controlByTemplate } from './controller';
import { Measured, measure } from './measure';
import { enough, fleet, instant, official, oracle, oracleSetting } from './rivals';
import { SimulationResult, Setting, simulate, World } from './simulation';
import { Deployment } from './template/deployment';
import { Trace } from './trace';

/** What a trace came to under the template and under its rivals. */
export interface Results {
  readonly template: Measured;
  readonly official: Measured;
  /** One PROCESS worker, always. */
  readonly idle: Measured;
  /** As many as the peak needs, always. */
  readonly fixed: Measured;
  readonly instant: Measured;
  /** The least late of what knows the trace, and of those the one with the fewest task-hours. */
  readonly oracle: Measured;
  /** The one with the fewest task-hours of those that are no later than the template. */
  readonly oracleAsLate: Measured;
}

export interface Comparison {
  readonly trace: Trace;
  readonly results: Results;
  /** One seed's course, for the plot. */
  readonly course: { readonly template: SimulationResult; readonly official: SimulationResult };
}

/** How many seconds before their runs the oracle's workers are ready. It may be as late as the template, and take fewer hours for it. */
const EARLY = [40, 20, 5, -15, -45, -90, -180];

/** Little is left to chance where all is known, and there are many of them. */
const ORACLE_SEEDS = 2;

/** Differences that no seed could tell apart: a second of a run. */
const TOLERATED_MINUTES = 1 / 60;

export function compare(trace: Trace, deployment: Deployment, seeds: readonly number[], conditions: Conditions): Comparison {
  const play = (setting: Setting, control: (world: World) => void, of = seeds) =>
    of.map(seed => simulate(trace, setting, control, seed, conditions));
  const perfectly = (control: (world: World) => void) => measure(play(oracleSetting(deployment, conditions), control, seeds.slice(0, ORACLE_SEEDS)));

  const rival = official(deployment);
  const [template, other] = [play(deployment, controlByTemplate(deployment)), play(rival, controlByTemplate(rival))];
  const measured = measure(template);
  const most = enough(deployment, trace);
  const fleets = [...new Set([1, Math.ceil(most / 2), most])].map(workers => perfectly(fleet(workers)));
  const known = [...(trace.runs.length === 0 ? [] : fleets), ...EARLY.map(early => perfectly(oracle(deployment, conditions, early)))];
  return {
    trace,
    results: {
      template: measured,
      official: measure(other),
      idle: measure(play(deployment, fleet(1))),
      fixed: measure(play(deployment, fleet(most))),
      instant: perfectly(instant(deployment, conditions)),
      oracle: cheapest(known, Math.min(...known.map(({ lateMinutes }) => lateMinutes))),
      oracleAsLate: cheapest(known, measured.lateMinutes),
    },
    course: { template: template[0], official: other[0] },
  };
}

/** The fewest task-hours at no more late minutes than these; where none is as punctual, the most punctual one. */
function cheapest(of: readonly Measured[], lateMinutes: number): Measured {
  const allowed = Math.max(lateMinutes, Math.min(...of.map(measured => measured.lateMinutes))) + TOLERATED_MINUTES;
  return of.filter(measured => measured.lateMinutes <= allowed).reduce((best, measured) => (measured.taskHours < best.taskHours ? measured : best));
}
