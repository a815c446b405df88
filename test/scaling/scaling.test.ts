import { aws_applicationautoscaling as appscaling, CfnParameter, Duration } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { ScalingOptions, StandbyOptions, WorkerType, WorkPool } from '../../src';
import { addWorker, newStack, resource, resources, settingsOf, statementsOf, templateOf, text } from '../support/worker';

const { ECS, PROCESS } = WorkerType;

const bounds = (template: Template) => {
  const { MinCapacity, MaxCapacity } = resource(template, 'AWS::ApplicationAutoScaling::ScalableTarget').Properties;
  return [MinCapacity, MaxCapacity];
};
const trackingPolicies = (template: Template) => resources(template, 'AWS::ApplicationAutoScaling::ScalingPolicy')
  .map(({ Properties }) => Properties.TargetTrackingScalingPolicyConfiguration).filter(Boolean);

describe('the bounds of', () => {
  test.each<[string, WorkerType, ScalingOptions, number, number]>([
    ['ECS workers', ECS, {}, 2, 2],
    ['ECS workers', ECS, { minWorkers: 1 }, 1, 1],
    ['ECS workers', ECS, { minWorkers: 0 }, 0, 2],
    ['ECS workers', ECS, { minWorkers: 15 }, 15, 15],
    ['ECS workers', ECS, { maxWorkers: 4 }, 2, 4],
    ['ECS workers', ECS, { maxWorkers: 1 }, 1, 1],
    ['ECS workers', ECS, { standby: {} }, 0, 2],
    ['PROCESS workers', PROCESS, {}, 0, 10],
    ['PROCESS workers', PROCESS, { minWorkers: 3 }, 3, 10],
    ['PROCESS workers', PROCESS, { maxWorkers: 40 }, 0, 40],
    ['PROCESS workers', PROCESS, { standby: {}, minWorkers: 0, maxWorkers: 3 }, 0, 3],
  ])('%s (%s) with %j are %d and %d', (_, workerType, scaling, min, max) => {
    expect(bounds(templateOf({ workerType, scaling }))).toEqual([min, max]);
  });

  test.each([ECS, PROCESS])('%s workers may be known only at deployment, one or both', workerType => {
    const stack = newStack();
    const [minWorkers, maxWorkers] = ['Min', 'Max'].map(id => new CfnParameter(stack, id, { type: 'Number' }).valueAsNumber);
    addWorker(stack, { workerType, scaling: { minWorkers, maxWorkers }, workPool: WorkPool.existing('etl') }, 'Both');
    addWorker(stack, { workerType, scaling: { minWorkers }, workPool: WorkPool.existing('etl') }, 'One');
    const targets = resources(Template.fromStack(stack), 'AWS::ApplicationAutoScaling::ScalableTarget').map(({ Properties }) => [Properties.MinCapacity, Properties.MaxCapacity]);
    expect(targets).toEqual([[{ Ref: 'Min' }, { Ref: 'Max' }], [{ Ref: 'Min' }, 10]]);
  });
});

describe('ECS workers', () => {
  const policies = (scaling: ScalingOptions) => resources(templateOf({ scaling }), 'AWS::ApplicationAutoScaling::ScalingPolicy');

  test.each<ScalingOptions>([{}, { minWorkers: 1 }, { minWorkers: 4 }, { maxWorkers: 10 }])('keep their number, whatever is late, with %j', scaling => {
    expect(policies(scaling)).toEqual([]);
  });

  test('of which there may be none are told how many it takes, and that is never more than two', () => {
    expect(settingsOf(templateOf({ scaling: { minWorkers: 0 } }), /Demand/).workers).toBe(2);
  });
});

const night = { start: appscaling.Schedule.cron({ hour: '20', minute: '0' }), end: appscaling.Schedule.cron({ hour: '6', minute: '0' }) };

describe.each<[string, WorkerType, ScalingOptions]>([
  ['PROCESS workers', PROCESS, {}],
  ['standby PROCESS workers', PROCESS, { standby: {} }],
  ['standby ECS workers', ECS, { standby: {}, maxWorkers: 10 }],
  ['ECS workers from none', ECS, { minWorkers: 0, maxWorkers: 10 }],
  ['ECS workers of which there are more by day', ECS, { maxWorkers: 10, schedules: [{ ...night, minWorkers: 4 }] }],
  ['ECS workers of which there may be none by night', ECS, { maxWorkers: 10, schedules: [{ ...night, minWorkers: 0 }] }],
])('%s', (_, workerType, scaling) => {
  const template = templateOf({ workerType, scaling });

  test('are as many as the function says that counts the demand, which may set the number of this service and of no other', () => {
    const settings = settingsOf(template, /Demand/);
    const { logicalId } = resource(template, 'AWS::ECS::Service');
    expect(settings).toMatchObject({ service: `{${logicalId}.Name}`, scaleInMinutes: 2 });
    const [{ Resource }, ...others] = statementsOf(template, /DemandRole/).filter(({ Action }) => [Action].flat().includes('ecs:UpdateService'));
    expect(others).toEqual([]);
    expect(text(Resource)).toBe(`{${logicalId}}`);
    expect(resources(template, 'AWS::ApplicationAutoScaling::ScalingPolicy')).toEqual([]);
  });

  test('do not follow CPU and memory, which say nothing of runs that wait', () => {
    expect(trackingPolicies(template)).toEqual([]);
  });
});

describe('polls', () => {
  test('more often than every minute shorten the lead time', () => {
    const leadTime = (scaling: ScalingOptions) => settingsOf(templateOf({ workerType: PROCESS, scaling }), /Demand/).leadTimeSeconds;
    expect(leadTime({})).toBe(210);
    expect(leadTime({ pollInterval: Duration.seconds(10) })).toBe(160);
    expect(leadTime({ leadTime: Duration.seconds(0) })).toBe(0);
  });
});

describe('schedules', () => {
  const { Schedule } = appscaling;

  test('raise the minimum at their start and give it back at their end', () => {
    const template = templateOf({
      workerType: PROCESS,
      scaling: {
        maxWorkers: 8,
        schedules: [{ start: Schedule.cron({ hour: '7', minute: '45', weekDay: 'MON-FRI' }), end: Schedule.cron({ hour: '9', minute: '0', weekDay: 'MON-FRI' }), minWorkers: 5, maxWorkers: 20 }],
      },
    });
    expect(resource(template, 'AWS::ApplicationAutoScaling::ScalableTarget').Properties.ScheduledActions).toEqual([
      expect.objectContaining({ Schedule: 'cron(45 7 ? * MON-FRI *)', ScalableTargetAction: { MinCapacity: 5, MaxCapacity: 20 } }),
      expect.objectContaining({ Schedule: 'cron(0 9 ? * MON-FRI *)', ScalableTargetAction: { MinCapacity: 0, MaxCapacity: 8 } }),
    ]);
  });
});

describe('scaling that can not be is refused:', () => {
  test.each<[ScalingOptions, string]>([
    [{ minWorkers: -1 }, 'scaling.minWorkers is -1: give a whole number of at least 0.'],
    [{ minWorkers: 1.5 }, 'scaling.minWorkers is 1.5: give a whole number of at least 0.'],
    [{ maxWorkers: 0 }, 'scaling.maxWorkers is 0: give a whole number of at least 1.'],
    [{ maxWorkers: -3 }, 'scaling.maxWorkers is -3: give a whole number of at least 1.'],
    [{ minWorkers: 5, maxWorkers: 4 }, 'scaling.minWorkers is 5: it is above scaling.maxWorkers, which is 4; lower one or raise the other.'],
    [{ pollInterval: Duration.seconds(5) }, 'scaling.pollInterval is "5 seconds": give one of 10, 15, 20, 30, 60 seconds.'],
    [{ pollInterval: Duration.minutes(2) }, 'scaling.pollInterval is "2 minutes": give one of 10, 15, 20, 30, 60 seconds.'],
    [{ standby: {}, minWorkers: 1 }, 'scaling.minWorkers is 1: a standby has no workers while another serves the pool; remove it, or remove scaling.standby.'],
    [{ standby: { after: Duration.seconds(0) } }, 'scaling.standby.after is "0 seconds": give at least a minute; the API is asked for late flow runs as often as that.'],
    [{ standby: { after: Duration.seconds(59) } }, 'scaling.standby.after is "59 seconds": give at least a minute'],
    [{ spareFlowRuns: 3 }, 'scaling.spareFlowRuns is 3: an ECS worker takes any number of flow runs, so one that is there has room for them; set scaling.minWorkers to 1 or more instead.'],
    [{ minWorkers: 0, spareFlowRuns: 1 }, 'scaling.spareFlowRuns is 1: an ECS worker takes any number of flow runs'],
    [{ scaleInAfter: Duration.minutes(10) }, 'scaling.scaleInAfter is "10 minutes": the number of these ECS workers is fixed, and none is taken away; set scaling.minWorkers to 0, or remove it.'],
    [{ warmTaskHours: 4 }, 'scaling.warmTaskHours is 4: an ECS worker takes any number of flow runs, so a single one that is there serves them all; set scaling.minWorkers to 1 instead.'],
    [{ minWorkers: 0, warmTaskHours: 4 }, 'scaling.warmTaskHours is 4: an ECS worker takes any number of flow runs'],
    [{ minWorkers: 0, scaleInAfter: Duration.seconds(90) }, 'scaling.scaleInAfter is "1 minute 30 seconds": give whole minutes, from one to a day.'],
    [{ minWorkers: 0, scaleInAfter: Duration.seconds(0) }, 'scaling.scaleInAfter is "0 seconds": give whole minutes'],
    [{ minWorkers: 0, scaleInAfter: Duration.minutes(24 * 60 + 1) }, 'scaling.scaleInAfter is "1 day 1 minute": give whole minutes'],
    [{ minWorkers: 0, scaleInAfter: Duration.hours(25) }, 'scaling.scaleInAfter is "1 day 1 hour": give whole minutes'],
  ])('%j', (scaling, message) => {
    expect(() => addWorker(newStack(), { scaling })).toThrow(message);
  });

  test('a lead time below nothing', () => {
    expect(() => addWorker(newStack(), { scaling: { leadTime: Duration.seconds(-1) } })).toThrow(/negative/);
  });
});

test('a standby may wait for a minute, and waits for five unless said', () => {
  const told = (standby: StandbyOptions) => JSON.stringify(templateOf({ workerType: PROCESS, scaling: { standby } })).replaceAll('\\', '');
  expect(told({ after: Duration.minutes(1) })).toContain('"standby":{"afterSeconds":60}');
  expect(told({})).toContain('"standby":{"afterSeconds":300}');
});

describe('scaleInAfter', () => {
  test.each<[string, WorkerType, ScalingOptions, number]>([
    ['two unless said', PROCESS, {}, 2],
    ['as said', PROCESS, { scaleInAfter: Duration.minutes(10) }, 10],
    ['as said for ECS workers from none', ECS, { minWorkers: 0, scaleInAfter: Duration.minutes(1) }, 1],
    ['as said for a standby', ECS, { standby: {}, scaleInAfter: Duration.hours(1) }, 60],
    ['a day of them', PROCESS, { scaleInAfter: Duration.days(1) }, 1440],
  ])('is for how many minutes, all of them, there have to be too many: %s', (_, workerType, scaling, minutes) => {
    expect(settingsOf(templateOf({ workerType, scaling }), /Demand/).scaleInMinutes).toBe(minutes);
  });
});

describe('spareFlowRuns', () => {
  const told = (scaling: ScalingOptions) => JSON.stringify(templateOf({ workerType: PROCESS, flowRunLimit: 5, scaling })).replaceAll('\\', '');

  test('are told to what counts the workers', () => {
    expect(told({ spareFlowRuns: 3 })).toContain('"flowRunLimit":5,"spareFlowRuns":3,');
  });

  test('of none change nothing', () => {
    expect(told({ spareFlowRuns: 0 })).toBe(told({}));
  });

  test('are refused where even all workers could not hold them', () => {
    const add = (spareFlowRuns: number) => () =>
      addWorker(newStack(), { workerType: PROCESS, flowRunLimit: 5, scaling: { maxWorkers: 2, spareFlowRuns } });
    expect(add(10)).not.toThrow();
    expect(add(11)).toThrow('scaling.spareFlowRuns is 11: scaling.maxWorkers is 2, and as many workers hold 10 flow runs, 5 each; lower one or raise the other.');
    expect(add(-1)).toThrow('scaling.spareFlowRuns is -1: give a whole number of at least 0.');
  });

  test('may be known only at deployment', () => {
    const stack = newStack();
    addWorker(stack, { workerType: PROCESS, scaling: { spareFlowRuns: new CfnParameter(stack, 'Spare', { type: 'Number' }).valueAsNumber } });
    const [{ Input }] = resource(Template.fromStack(stack), 'AWS::Events::Rule', /Demand/).Properties.Targets;
    expect(text(Input)).toContain('"spareFlowRuns":{Spare},');
  });
});

describe('warmTaskHours', () => {
  const told = (scaling: ScalingOptions) => JSON.stringify(templateOf({ workerType: PROCESS, flowRunLimit: 5, scaling })).replaceAll('\\', '');

  test('are told to what counts the workers, parts of hours too', () => {
    expect(told({ warmTaskHours: 4 })).toContain('"flowRunLimit":5,"warmTaskHours":4,');
    expect(told({ warmTaskHours: 0.5 })).toContain('"warmTaskHours":0.5,');
  });

  test('of none change nothing, and some no more than what it is told, beside the dashboard', () => {
    const without = (scaling: ScalingOptions) => JSON.stringify(templateOf({ workerType: PROCESS, observability: { dashboard: false }, scaling }));
    expect(told({ warmTaskHours: 0 })).toBe(told({}));
    expect(without({ warmTaskHours: 4 }).replace(/[\\]+"warmTaskHours[\\]+":4,/, '') === without({})).toBe(true);
  });

  test.each<[ScalingOptions, string]>([
    [{ warmTaskHours: -1 }, 'scaling.warmTaskHours is -1: give the task-hours of a day, at least 0.'],
    [{ warmTaskHours: NaN }, 'scaling.warmTaskHours is null: give the task-hours of a day'],
    [{ warmTaskHours: Infinity }, 'scaling.warmTaskHours is null: give the task-hours of a day'],
    [{ maxWorkers: 2, warmTaskHours: 49 }, 'scaling.warmTaskHours is 49: scaling.maxWorkers is 2, and as many workers are there for 48 hours a day; lower one or raise the other.'],
    [{ standby: {}, warmTaskHours: 4 }, 'scaling.warmTaskHours is 4: a standby has no workers while another serves the pool; remove it, or remove scaling.standby.'],
  ])('are refused: %j', (scaling, message) => {
    expect(() => addWorker(newStack(), { workerType: PROCESS, scaling })).toThrow(message);
  });

  test('of ECS workers and of a standby are refused, known or not', () => {
    const add = (workerType: WorkerType, standby?: StandbyOptions) => () => {
      const stack = newStack();
      addWorker(stack, { workerType, scaling: { standby, warmTaskHours: new CfnParameter(stack, 'Warm', { type: 'Number' }).valueAsNumber } });
    };
    expect(add(ECS)).toThrow('scaling.warmTaskHours is known only at deployment: an ECS worker takes any number of flow runs');
    expect(add(PROCESS, {})).toThrow('scaling.warmTaskHours is known only at deployment: a standby has no workers');
  });

  test('may be as many as all workers have', () => {
    expect(() => addWorker(newStack(), { workerType: PROCESS, scaling: { maxWorkers: 2, warmTaskHours: 48 } })).not.toThrow();
  });

  test('may be known only at deployment', () => {
    const stack = newStack();
    addWorker(stack, { workerType: PROCESS, scaling: { warmTaskHours: new CfnParameter(stack, 'Warm', { type: 'Number' }).valueAsNumber } });
    const [{ Input }] = resource(Template.fromStack(stack), 'AWS::Events::Rule', /Demand/).Properties.Targets;
    expect(text(Input)).toContain('"warmTaskHours":{Warm},');
  });
});

describe('scalableTaskCount', () => {
  const policies = (template: Template) => resources(template, 'AWS::ApplicationAutoScaling::ScalingPolicy').map(({ Properties }) => Properties);

  test.each<[string, WorkerType, ScalingOptions, number]>([
    ['ECS workers that have room', ECS, { maxWorkers: 6 }, 0],
    ['PROCESS workers, whose number follows demand', PROCESS, {}, 0],
  ])('takes policies of your own for %s', (_, workerType, scaling, library) => {
    const stack = newStack();
    addWorker(stack, { workerType, scaling }).scalableTaskCount.scaleOnCpuUtilization('Cpu', { targetUtilizationPercent: 50 });
    const template = Template.fromStack(stack);
    const { logicalId } = resource(template, 'AWS::ApplicationAutoScaling::ScalableTarget');
    expect(policies(template)).toHaveLength(library + 1);
    expect(policies(template).map(({ ScalingTargetId }) => ScalingTargetId)).toEqual(Array(library + 1).fill({ Ref: logicalId }));
    expect(trackingPolicies(template)).toEqual([expect.objectContaining({ TargetValue: 50 })]);
  });

  test.each([ECS, PROCESS])('takes schedules of your own for %s workers, beside those of scaling.schedules', workerType => {
    const stack = newStack();
    const worker = addWorker(stack, { workerType, scaling: { maxWorkers: 8, schedules: [{ ...night, minWorkers: 4 }] } });
    worker.scalableTaskCount.scaleOnSchedule('Noon', { schedule: appscaling.Schedule.cron({ hour: '12', minute: '0' }), minCapacity: 3 });
    const { ScheduledActions } = resource(Template.fromStack(stack), 'AWS::ApplicationAutoScaling::ScalableTarget').Properties;
    expect(ScheduledActions.map(({ ScalableTargetAction }: any) => ScalableTargetAction.MinCapacity)).toEqual([4, workerType === ECS ? 2 : 0, 3]);
  });

  test('is there for ECS workers of a fixed number, and adds nothing by itself', () => {
    const stack = newStack();
    expect(addWorker(stack).scalableTaskCount).toBeDefined();
    expect(policies(Template.fromStack(stack))).toEqual([]);
  });

  test.each<[WorkerType, ScalingOptions]>([[ECS, {}], [PROCESS, { minWorkers: 3, maxWorkers: 3 }]])('says of a policy that it can change nothing between two equal bounds: %s', (workerType, scaling) => {
    const stack = newStack();
    addWorker(stack, { workerType, scaling }).scalableTaskCount.scaleOnMemoryUtilization('Memory', { targetUtilizationPercent: 50 });
    const number = scaling.minWorkers ?? 2;
    expect(() => Template.fromStack(stack)).toThrow(
      `[Stack/Worker] scalableTaskCount has the policy Memory, and scaling.minWorkers and scaling.maxWorkers are both ${number}, so that it can change nothing: raise scaling.maxWorkers.`);
  });

  test('says nothing of it where a schedule of your own moves the bounds', () => {
    const stack = newStack();
    const { scalableTaskCount } = addWorker(stack);
    scalableTaskCount.scaleOnMemoryUtilization('Memory', { targetUtilizationPercent: 50 });
    scalableTaskCount.scaleOnSchedule('Noon', { schedule: appscaling.Schedule.cron({ hour: '12', minute: '0' }), maxCapacity: 6 });
    expect(() => Template.fromStack(stack)).not.toThrow();
  });
});
