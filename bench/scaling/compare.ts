import { controlByTemplate } from './controller';
import { Measured, measure } from './measure';
import { fixedFleet, instant, official, oracle, oracleSetting } from './rivals';
import { Played, simulate } from './simulation';
import { Deployment } from './template/deployment';
import { Trace } from './trace';

/** What a trace came to under the template and under its rivals. */
export interface Results {
  readonly template: Measured;
  readonly official: Measured;
  readonly fixed: Measured;
  readonly instant: Measured;
  readonly oracle: Measured;
  /** The oracle when it may be as late as the template is. */
  readonly oracleAsLate: Measured;
}

export interface Comparison {
  readonly trace: Trace;
  readonly results: Results;
  /** One seed's course, for the plot. */
  readonly course: { readonly template: Played; readonly official: Played };
}

export function compare(trace: Trace, deployment: Deployment, seeds: readonly number[]): Comparison {
  const play = (of: Deployment) => seeds.map(seed => simulate(trace, of, controlByTemplate(of), seed));
  const perfectly = (control: Parameters<typeof simulate>[2]) =>
    measure(seeds.map(seed => simulate(trace, oracleSetting(deployment), control, seed)));

  const [template, rival] = [play(deployment), play(official(deployment))];
  const measured = measure(template);
  const perfect = perfectly(oracle(deployment, 0));
  return {
    trace,
    results: {
      template: measured,
      official: measure(rival),
      fixed: measure(seeds.map(seed => simulate(trace, deployment, fixedFleet(deployment, trace), seed))),
      instant: perfectly(instant(deployment)),
      oracle: perfect,
      oracleAsLate: asLate(measured.lateMinutes, perfect, lag => perfectly(oracle(deployment, lag))),
    },
    course: { template: template[0], official: rival[0] },
  };
}

/** The oracle that waits as long as it may without more late minutes than these. */
function asLate(lateMinutes: number, perfect: Measured, play: (lag: number) => Measured): Measured {
  let [best, low, high] = [perfect, 0, 600];
  while (perfect.lateMinutes < lateMinutes && high - low > 5) {
    const lag = Math.round((low + high) / 2);
    const tried = play(lag);
    if (tried.lateMinutes <= lateMinutes) [best, low] = [tried, lag];
    else high = lag;
  }
  return best;
}
