import { another, editReference, first, Mutant, NotApplicable, remove } from './mutant';
import { ofType, pathOf } from '../template';
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

const SCHEDULED = ({ ScheduledActions }: any) => ScheduledActions?.length > 0;
const cron = (template: Template, expression: string) => {
  first(template, TARGET, SCHEDULED)[1].Properties.ScheduledActions[0].Schedule = expression;
};
const rule = (template: Template) => first(template, 'AWS::Events::Rule', ({ ScheduleExpression }) => ScheduleExpression)[1].Properties;

/** A statement of the function that sets the number of workers. */
const statement = (template: Template, sid: string) => {
  const found = ofType(template, 'AWS::IAM::Policy').flatMap(([, { Properties }]) => Properties!.PolicyDocument.Statement).find(({ Sid }: any) => Sid === sid);
  if (!found) throw new NotApplicable(`No statement ${sid}.`);
  return found;
};
const anyService = { 'Fn::Sub': 'arn:${AWS::Partition}:ecs:${AWS::Region}:${AWS::AccountId}:service/*' };

export const scalingMutants: Mutant[] = [
  { name: 'scaling of another service', caughtBy: 'scalable-targets', edit: (template) => { target(template)[1].Properties.ResourceId = 'service/other/worker'; } },
  { name: 'scaling of a service by the ARN of its cluster', caughtBy: 'scalable-targets', edit: (template) => editReference(template, TARGET, /^service\/$/, ({ Ref }) => ({ 'Fn::GetAtt': [Ref, 'Arn'] })) },
  { name: 'two targets for one service', caughtBy: 'scalable-targets', edit: (template) => { const [id, { Properties }] = target(template); Properties.ResourceId = template.Resources[another(template, id)].Properties!.ResourceId; } },
  {
    name: 'policy of another worker\'s target',
    caughtBy: 'scalable-targets',
    edit: (template) => {
      const [id] = target(template);
      const other = another(template, id);
      policy(template, { PolicyType: 'TargetTrackingScaling' });
      template.Resources.MutantPolicy.Metadata = { 'aws:cdk:path': pathOf(template, other).replace(/\/[^/]+$/, '/Mutant') };
    },
  },
  { name: 'policy of a service, which is no target', caughtBy: 'scalable-targets', edit: (template) => { first(template, 'AWS::ApplicationAutoScaling::ScalingPolicy')[1].Properties.ScalingTargetId = { Ref: first(template, 'AWS::ECS::Service')[0] }; } },
  { name: 'policy without what its type asks for', caughtBy: 'scaling-policies', edit: (template) => { first(template, 'AWS::ApplicationAutoScaling::ScalingPolicy')[1].Properties.PolicyType = 'StepScaling'; } },
  { name: 'workers that follow demand between no bounds', caughtBy: 'scalable-targets', edit: (template) => { statement(template, 'ScaledServices'); remove(template, target(template)[0]); } },
  { name: 'demand that may not set the number of workers', caughtBy: 'needs', edit: (template) => { statement(template, 'ScaledServices').Action = 'ecs:DescribeServices'; } },
  { name: 'demand that may set the number of another service\'s tasks', caughtBy: 'refusals', edit: (template) => { statement(template, 'ScaledServices').Resource = anyService; } },
  { name: 'demand that may not ask for bounds', caughtBy: 'needs', edit: (template) => { statement(template, 'Scaling').Action = 'cloudwatch:GetMetricData'; } },
  { name: 'demand that may not ask which workers are protected', caughtBy: 'needs', edit: (template) => { statement(template, 'BusyTasks').Action = 'ecs:DescribeTasks'; } },
  { name: 'demand that may look at tasks of another cluster only', caughtBy: 'needs', edit: (template) => { statement(template, 'BusyTasks').Resource = { 'Fn::Sub': 'arn:${AWS::Partition}:ecs:${AWS::Region}:${AWS::AccountId}:task/other/*' }; } },
  { name: 'schedule that lowers the largest number of workers for good', caughtBy: 'scalable-targets', edit: (template) => { first(template, TARGET, SCHEDULED)[1].Properties.ScheduledActions[1].ScalableTargetAction.MaxCapacity = 5; } },
  { name: 'schedule of five fields', caughtBy: 'schedules', edit: (template) => cron(template, 'cron(0 6 * * ?)') },
  { name: 'schedule at 25 o\'clock', caughtBy: 'schedules', edit: (template) => cron(template, 'cron(0 25 * * ? *)') },
  { name: 'schedule with both days', caughtBy: 'schedules', edit: (template) => cron(template, 'cron(0 6 * * * *)') },
  { name: 'schedule in a time zone that is none', caughtBy: 'schedules', edit: (template) => { first(template, TARGET, SCHEDULED)[1].Properties.ScheduledActions[0].Timezone = 'Europe/Bonn'; } },
  { name: 'rule with a rate in the singular', caughtBy: 'schedules', edit: (template) => { rule(template).ScheduleExpression = 'rate(5 minute)'; } },
  { name: 'rule that is off', caughtBy: 'schedules', edit: (template) => { rule(template).State = 'DISABLED'; } },
  { name: 'scaling that is suspended', caughtBy: 'schedules', edit: (template) => { target(template)[1].Properties.SuspendedState = { DynamicScalingOutSuspended: true }; } },
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
