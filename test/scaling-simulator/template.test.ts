import { smallTemplate } from './small-template';
import { timesOf } from '../../bench/scaling/aws/schedule';
import { Template } from '../../bench/scaling/template/intrinsics';
import { readTemplate } from '../../bench/scaling/template/read';

test('everything that says how the worker scales is read', () => {
  const deployment = readTemplate(smallTemplate({ min: 1, max: 3, leadTimeSeconds: 200 }));
  expect(deployment).toMatchObject({
    bounds: { min: 1, max: 3 },
    desired: 1,
    worker: { flowRunLimit: 7, queues: undefined, supervised: true, vcpu: 1 },
    capacity: { onDemandBase: 0, onDemandWeight: 1, spotWeight: 0 },
    publisher: { workPool: 'etl', worker: 'StackWorker', flowRunLimit: 7, leadTimeSeconds: 200, pollSeconds: 60, invocationSeconds: 60, scaleInMinutes: 2 },
  });
});

test('alarms and step policies that users add are read', () => {
  const { Resources } = smallTemplate();
  const Policy = {
    Type: 'AWS::ApplicationAutoScaling::ScalingPolicy',
    Properties: {
      PolicyType: 'StepScaling',
      ScalingTargetId: { Ref: 'Target' },
      StepScalingPolicyConfiguration: {
        AdjustmentType: 'ChangeInCapacity',
        Cooldown: 120,
        MetricAggregationType: 'Maximum',
        StepAdjustments: [
          { MetricIntervalLowerBound: 0, MetricIntervalUpperBound: 1, ScalingAdjustment: 1 }, { MetricIntervalLowerBound: 1, ScalingAdjustment: 2 },
        ],
      },
    },
  };
  const Alarm = {
    Type: 'AWS::CloudWatch::Alarm',
    Properties: {
      AlarmActions: [{ Ref: 'Policy' }],
      ComparisonOperator: 'GreaterThanOrEqualToThreshold',
      Dimensions: [{ Name: 'Queue', Value: { 'Fn::GetAtt': ['Jobs', 'QueueName'] } }],
      EvaluationPeriods: 1,
      MetricName: 'Waiting',
      Namespace: 'Jobs',
      Period: 60,
      Statistic: 'Maximum',
      Threshold: 1,
      TreatMissingData: 'notBreaching',
    },
  };
  const { policies, alarms } = readTemplate({ Resources: { ...Resources, Policy, Alarm } });
  expect(policies).toMatchObject([{
    kind: 'step',
    id: 'Policy',
    adjustmentType: 'ChangeInCapacity',
    cooldown: 120,
    aggregation: 'Maximum',
    steps: [{ lower: 0, upper: 1, adjustment: 1 }, { lower: 1, adjustment: 2 }],
  }]);
  expect(alarms).toEqual([{
    rule: { comparison: 'GreaterThanOrEqualToThreshold', threshold: 1, evaluationPeriods: 1, datapointsToAlarm: 1, missingData: 'notBreaching' },
    metric: 'Jobs|Waiting|Queue=${Jobs.QueueName}',
    statistic: 'Maximum',
    period: 60,
    policies: ['Policy'],
  }]);
});

test('queues, Spot, scheduled actions and a missing protection are read', () => {
  const deployment = readTemplate(smallTemplate({
    command: ['prefect', 'worker', 'start', '--type', 'process', '--work-queue', 'a', '--work-queue', 'b', '--limit', '3'],
    spotWeight: 4,
    supervised: false,
    cpu: '512',
    scheduledActions: [{ Schedule: 'cron(0 7 * * ? *)', Timezone: 'UTC', ScheduledActionName: 'up', ScalableTargetAction: { MinCapacity: 2 } }],
  }));
  expect(deployment.worker).toEqual({ flowRunLimit: 3, queues: ['a', 'b'], supervised: false, vcpu: 0.5 });
  expect(deployment.capacity).toEqual({ onDemandBase: 1, onDemandWeight: 1, spotWeight: 4 });
  expect(deployment.scheduledActions).toMatchObject([{ bounds: { min: 2 } }]);
  expect(timesOf(deployment.scheduledActions[0].schedule, 0, 86_400_000)).toEqual([7 * 3_600_000]);
});

test('target tracking of CPU and memory is read, and what the simulator cannot play is refused', () => {
  const withPolicy = (metric: string): Template => {
    const { Resources } = smallTemplate();
    return {
      Resources: {
        ...Resources,
        Cpu: {
          Type: 'AWS::ApplicationAutoScaling::ScalingPolicy',
          Properties: {
            PolicyType: 'TargetTrackingScaling',
            ScalingTargetId: { Ref: 'Target' },
            TargetTrackingScalingPolicyConfiguration: {
              PredefinedMetricSpecification: { PredefinedMetricType: metric }, TargetValue: 70, ScaleInCooldown: 300,
            },
          },
        },
      },
    };
  };
  expect(readTemplate(withPolicy('ECSServiceAverageCPUUtilization')).policies).toContainEqual({
    kind: 'target-tracking', id: 'Cpu', metric: 'ECSServiceAverageCPUUtilization', target: 70, scaleOutCooldown: 300, scaleInCooldown: 300, disableScaleIn: false,
  });
  expect(() => readTemplate(withPolicy('ALBRequestCountPerTarget'))).toThrow('not TargetTrackingScaling of ALBRequestCountPerTarget');
});

test('a service without a scalable target stays at its count', () => {
  const { Target, ...Resources } = smallTemplate({ min: 3 }).Resources;
  expect(readTemplate({ Resources })).toMatchObject({ bounds: { min: 3, max: 3 }, desired: 3, policies: [], alarms: [] });
});

test('a template without a PROCESS worker is refused', () => {
  expect(() => readTemplate(smallTemplate({ command: ['prefect', 'worker', 'start', '--type', 'ecs'] }))).toThrow('0 services with a worker of the type process');
});
