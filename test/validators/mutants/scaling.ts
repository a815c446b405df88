import { first, Mutant } from './mutant';
import type { Template } from '../types';

const TARGET = 'AWS::ApplicationAutoScaling::ScalableTarget';
const target = (template: Template) => first(template, TARGET);
const policy = (template: Template, properties: Record<string, unknown>) => {
  const [id] = target(template);
  template.Resources.MutantPolicy = { Type: 'AWS::ApplicationAutoScaling::ScalingPolicy', Properties: { PolicyName: 'mutant', ScalingTargetId: { Ref: id }, ...properties } };
};
const steps = (...bounds: [number, number | undefined][]) => ({
  PolicyType: 'StepScaling',
  StepScalingPolicyConfiguration: {
    AdjustmentType: 'ChangeInCapacity',
    StepAdjustments: bounds.map(([lower, upper]) => ({ MetricIntervalLowerBound: lower, MetricIntervalUpperBound: upper, ScalingAdjustment: 1 })),
  },
});

export const scalingMutants: Mutant[] = [
  {
    name: 'scaling on a predefined metric that ECS lacks',
    caughtBy: 'scaling-policies',
    edit: (template) => policy(template, {
      PolicyType: 'TargetTrackingScaling',
      TargetTrackingScalingPolicyConfiguration: { TargetValue: 70, PredefinedMetricSpecification: { PredefinedMetricType: 'ECSServiceAverageCpuUtilization' } },
    }),
  },
  {
    name: 'scaling on a metric that nobody publishes',
    caughtBy: 'scaling-policies',
    edit: (template) => policy(template, {
      PolicyType: 'TargetTrackingScaling',
      TargetTrackingScalingPolicyConfiguration: {
        TargetValue: 1, CustomizedMetricSpecification: { Namespace: 'PrefectFargateWorker', MetricName: 'QueuedRuns', Statistic: 'Average' },
      },
    }),
  },
  { name: 'steps with a gap', caughtBy: 'scaling-policies', edit: (template) => policy(template, steps([0, 5], [6, undefined])) },
  { name: 'steps that overlap', caughtBy: 'scaling-policies', edit: (template) => policy(template, steps([0, 5], [4, undefined])) },
  {
    name: 'fewest tasks above most tasks',
    caughtBy: 'scaling-policies',
    edit: (template) => { target(template)[1].Properties.MinCapacity = 1 + Number(target(template)[1].Properties.MaxCapacity); },
  },
];
