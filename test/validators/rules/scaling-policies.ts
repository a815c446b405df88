import { Resolver } from '../intrinsics';
import { asArray, ofType } from '../template';
import type { Rule } from '../types';
import { mathFaults, metricFault, statisticFault } from './metrics';

/** https://docs.aws.amazon.com/autoscaling/application/APIReference/API_PredefinedMetricSpecification.html, as far as ECS has them. */
const PREDEFINED = ['ECSServiceAverageCPUUtilization', 'ECSServiceAverageMemoryUtilization', 'ALBRequestCountPerTarget'];

/** A policy follows a metric that somebody publishes, moves the right way, and is within what its target allows. */
export const scalingPolicies: Rule = (template, { named }) => {
  const resolver = new Resolver(template, { imports: named.imports });
  const policies = ofType(template, 'AWS::ApplicationAutoScaling::ScalingPolicy').flatMap(([logicalId, { Properties = {} }]) => {
    const { TargetTrackingScalingPolicyConfiguration: tracking, StepScalingPolicyConfiguration: step } = resolver.resolve(Properties);
    const missing = (Properties.PolicyType === 'StepScaling' ? step : tracking) === undefined ? [`It has no configuration for its type, ${Properties.PolicyType}.`] : [];
    return [...missing, ...tracking ? trackingFaults(tracking) : [], ...step ? stepFaults(step) : []].map((message) => ({ logicalId, message }));
  });
  const targets = ofType(template, 'AWS::ApplicationAutoScaling::ScalableTarget').flatMap(([logicalId, { Properties = {} }]) => {
    const { MinCapacity: min, MaxCapacity: max } = resolver.resolve(Properties);
    return Number(min) > Number(max) ? [{ logicalId, message: `Its least number of tasks (${min}) is above its largest (${max}).` }] : [];
  });
  return [...policies, ...targets];
};

function trackingFaults(policy: any): string[] {
  const { PredefinedMetricSpecification: predefined, CustomizedMetricSpecification: custom } = policy;
  const queries = asArray<any>(custom?.Metrics);
  const type = predefined?.PredefinedMetricType;
  return [
    type !== undefined && !PREDEFINED.includes(type) ? `ECS has no predefined metric ${type}.` : undefined,
    metricFault(custom?.Namespace, custom?.MetricName),
    statisticFault(custom?.Statistic),
    ...queries.flatMap(({ MetricStat: stat }) =>
      stat ? [metricFault(stat.Metric?.Namespace, stat.Metric?.MetricName), statisticFault(stat.Stat)] : []),
    ...mathFaults(queries.map(({ Id, Expression }) => ({ id: Id, expression: Expression }))),
  ].filter((fault): fault is string => fault !== undefined);
}

/** Steps leave no gap and overlap nowhere, which Application Auto Scaling refuses at deployment only. */
function stepFaults(policy: any): string[] {
  const lower = (step: any) => Number(step.MetricIntervalLowerBound ?? -Infinity);
  const upper = (step: any) => Number(step.MetricIntervalUpperBound ?? Infinity);
  const steps = asArray<any>(policy.StepAdjustments).sort((a, b) => lower(a) - lower(b));
  return steps.slice(1).filter((step, index) => lower(step) !== upper(steps[index]))
    .map((step) => `Its steps leave a gap or overlap at ${lower(step)}.`);
}
