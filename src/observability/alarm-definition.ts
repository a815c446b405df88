import { aws_cloudwatch as cloudwatch, aws_lambda as lambda, Duration } from 'aws-cdk-lib';
import { AlarmName } from './alarm-settings';

/** An alarm as data: what is measured, when that is too much, and what an operator is told. */
export interface AlarmDefinition {
  /** Construct id, and the alarm's heading in docs/operations.md. */
  readonly name: AlarmName;
  readonly metric: cloudwatch.IMetric;
  /** The alarm is raised at this value and above. */
  readonly threshold: number;
  /** How many of the last periods have to be at the threshold. */
  readonly datapoints: readonly [needed: number, of: number];
  /** What a period without data means. */
  readonly missing: cloudwatch.TreatMissingData;
  readonly happened: string;
  readonly means: string;
  readonly firstStep: string;
  /** Whether flow runs don't start while it lasts: it pages, and makes the worker unhealthy. */
  readonly critical?: boolean;
}

export const MINUTE = Duration.minutes(1);

/** Metric maths over metrics by their ids. */
export function math(
  expression: string, usingMetrics: Record<string, cloudwatch.IMetric>, label: string, period = MINUTE,
): cloudwatch.MathExpression {
  return new cloudwatch.MathExpression({ expression, usingMetrics, label, period });
}

/**
 * Failed turns of a function that several workers share, for one of them: those that it tells. Where it says nothing of the worker, it may
 * not have come to it: then what AWS Lambda says of the function counts, errors and calls for which there was no room.
 */
export function failedTurns(told: cloudwatch.Metric, fn: lambda.IFunction, label: string): cloudwatch.MathExpression {
  const sum = { statistic: cloudwatch.Stats.SUM, period: MINUTE };
  const silent = 'broken * 0, throttles * 0';
  return math(`IF(SUM([errors * 0 + 1, ${silent}]) >= 1, SUM([errors, ${silent}]), SUM([broken, throttles]))`, {
    errors: told.with({ statistic: cloudwatch.Stats.MAXIMUM, period: MINUTE }), broken: fn.metricErrors(sum), throttles: fn.metricThrottles(sum),
  }, label);
}
