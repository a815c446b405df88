import { Duration } from 'aws-cdk-lib';
import { Conditions } from './conditions';
import { controlByTemplate } from './controller';
import { Measured, measure } from './measure';
import { simulate } from './simulation';
import { synthesized } from './synthesized';
import { Trace } from './trace';
import { traces, unannounced, unseen } from './traces';
import { ScalingOptions } from '../../src';

/** What a user may set where runs come that nobody scheduled. */
export const WARMTH: readonly (readonly [string, ScalingOptions])[] = [
  ['the defaults', {}],
  ['`pollInterval` of 20 s', { pollInterval: Duration.seconds(20) }],
  ['`spareFlowRuns: 1`', { spareFlowRuns: 1 }],
  ['`spareFlowRuns: 10`', { spareFlowRuns: 10 }],
  ['`scaleInAfter` of 5 min', { scaleInAfter: Duration.minutes(5) }],
  ['`scaleInAfter` of 10 min', { scaleInAfter: Duration.minutes(10) }],
  ['`scaleInAfter` of 30 min', { scaleInAfter: Duration.minutes(30) }],
  ['`spareFlowRuns: 1`, `scaleInAfter` of 10 min', { spareFlowRuns: 1, scaleInAfter: Duration.minutes(10) }],
  ['`minWorkers: 1`', { minWorkers: 1 }],
  ['`warmTaskHours: 4`', { warmTaskHours: 4 }],
  ['`warmTaskHours: 12`', { warmTaskHours: 12 }],
  ['`warmTaskHours: 24`', { warmTaskHours: 24 }],
];

/** Traces of such runs; and one where all are scheduled, for which nothing should be paid. */
export const WARMTH_TRACES = [...unannounced, ...[...traces, ...unseen].filter(({ name }) => ['bursts', 'flash', 'mixed'].includes(name))];

/** What a trace comes to with these options, by the template that they give. */
export function simulateWith(scaling: ScalingOptions, trace: Trace, seeds: readonly number[], conditions: Conditions): Measured {
  const deployment = synthesized(scaling);
  return measure(seeds.map(seed => simulate(trace, deployment, controlByTemplate(deployment), seed, conditions)));
}
