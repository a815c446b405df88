import { CfnParameter } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { ScalingOptions, WorkerType } from '../../src';
import { addWorker, newStack, resource, resources, templateOf, warnings } from '../support/worker';

const desired = (template: Template) => resource(template, 'AWS::ECS::Service').Properties.DesiredCount;
const bounds = (template: Template) => {
  const { MinCapacity, MaxCapacity } = resource(template, 'AWS::ApplicationAutoScaling::ScalableTarget').Properties;
  return [MinCapacity, MaxCapacity];
};

describe('ECS workers', () => {
  const template = templateOf();

  test('are two, and up to ten under load', () => {
    expect(desired(template)).toBe(2);
    expect(bounds(template)).toEqual([2, 10]);
  });

  test('grow by CPU at 70 % and memory at 80 %, quickly up and slowly down', () => {
    const policies = resources(template, 'AWS::ApplicationAutoScaling::ScalingPolicy').map(({ Properties }) => Properties.TargetTrackingScalingPolicyConfiguration);
    expect(policies).toEqual([
      { PredefinedMetricSpecification: { PredefinedMetricType: 'ECSServiceAverageCPUUtilization' }, TargetValue: 70, ScaleInCooldown: 300, ScaleOutCooldown: 120 },
      { PredefinedMetricSpecification: { PredefinedMetricType: 'ECSServiceAverageMemoryUtilization' }, TargetValue: 80, ScaleInCooldown: 300, ScaleOutCooldown: 120 },
    ]);
  });

  test.each<[ScalingOptions, number, number]>([
    [{ minWorkers: 1 }, 1, 10],
    [{ minWorkers: 0 }, 0, 10],
    [{ minWorkers: 15 }, 15, 15],
    [{ maxWorkers: 4 }, 2, 4],
    [{ minWorkers: 3, maxWorkers: 3 }, 3, 3],
  ])('stay within %j', (scaling, min, max) => {
    const own = templateOf({ scaling });
    expect(desired(own)).toBe(min);
    expect(bounds(own)).toEqual([min, max]);
  });

  test('take bounds that are known only at deployment', () => {
    const stack = newStack();
    const [minWorkers, maxWorkers] = ['Min', 'Max'].map(id => new CfnParameter(stack, id, { type: 'Number' }).valueAsNumber);
    addWorker(stack, { scaling: { minWorkers, maxWorkers } });
    const own = Template.fromStack(stack);
    expect(desired(own)).toEqual({ Ref: 'Min' });
    expect(bounds(own)).toEqual([{ Ref: 'Min' }, { Ref: 'Max' }]);
  });

  test('take a minimum that is known only at deployment beside a maximum that is known', () => {
    const stack = newStack();
    addWorker(stack, { scaling: { minWorkers: new CfnParameter(stack, 'Min', { type: 'Number' }).valueAsNumber } });
    expect(bounds(Template.fromStack(stack))).toEqual([{ Ref: 'Min' }, 10]);
  });

  test.failing('are as many as maxWorkers where that is below the default minimum', () => {
    expect(bounds(templateOf({ scaling: { maxWorkers: 1 } }))).toEqual([1, 1]);
  });
});

describe('PROCESS workers', () => {
  const FIXED = 'cdk-prefect-fargate-worker:fixedCount';

  test('keep their number, because taking one away would end its flow runs', () => {
    const template = templateOf({ workerType: WorkerType.PROCESS, scaling: { minWorkers: 3 } });
    expect(desired(template)).toBe(3);
    template.resourceCountIs('AWS::ApplicationAutoScaling::ScalableTarget', 0);
  });

  test('warn of a maximum that has no effect', () => {
    const stack = newStack();
    addWorker(stack, { workerType: WorkerType.PROCESS, scaling: { minWorkers: 3, maxWorkers: 5 } });
    expect(warnings(stack, FIXED)).toEqual([expect.stringMatching(/scaling\.maxWorkers has no effect on a PROCESS worker yet: .*\(3\)/)]);
  });

  test.each<ScalingOptions>([{}, { minWorkers: 3 }, { minWorkers: 3, maxWorkers: 3 }])('warn of nothing with %j', scaling => {
    const stack = newStack();
    addWorker(stack, { workerType: WorkerType.PROCESS, scaling });
    expect(warnings(stack, FIXED)).toEqual([]);
  });
});

describe('bounds that can not be are refused:', () => {
  test.each<[ScalingOptions, string]>([
    [{ minWorkers: -1 }, 'scaling.minWorkers is -1: give a whole number of at least 0.'],
    [{ minWorkers: 1.5 }, 'scaling.minWorkers is 1.5: give a whole number of at least 0.'],
    [{ maxWorkers: 0 }, 'scaling.maxWorkers is 0: give a whole number of at least 1.'],
    [{ maxWorkers: -3 }, 'scaling.maxWorkers is -3: give a whole number of at least 1.'],
    [{ minWorkers: 5, maxWorkers: 4 }, 'scaling.minWorkers is 5: it is above scaling.maxWorkers, which is 4; lower the one or raise the other.'],
  ])('%j', (scaling, message) => {
    expect(() => addWorker(newStack(), { scaling })).toThrow(message);
  });
});
