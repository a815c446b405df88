import { Duration } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { InterruptedRuns, OutOfMemoryOptions, WorkerType, WorkPool } from '../../src';
import { LIMITS } from '../../src/rescue/configuration';
import { newStack, addWorker, resource, resources, selfHosted, settingsOf, statementsOf, templateOf, text } from '../support/worker';

const functionOf = (template: Template) => resource(template, 'AWS::Lambda::Function', /RescueFunction/).Properties;
const cluster = (template: Template) => `{${resource(template, 'AWS::ECS::Cluster').logicalId}}`;

describe.each([[WorkerType.ECS], [WorkerType.PROCESS]])('of a worker of the type %s', workerType => {
  const template = templateOf({ workerType });
  const { Environment: { Variables: variables }, ...fn } = functionOf(template);

  test('is told the API, the pool, the type, the cluster and the limits, and no secret', () => {
    const apiKey = expect.stringMatching(/^\{ApiKey\w+\}$/);
    expect(JSON.parse(text(variables.API))).toEqual({ url: expect.stringMatching(/^https:/), isCloud: true, secrets: { PREFECT_API_KEY: apiKey } });
    expect(JSON.parse(text(variables.WORKER_SECRETS))).toEqual([apiKey]);
    expect(settingsOf(template, /RescueSchedule/)).toEqual({
      workPool: 'etl',
      worker: 'StackWorker0CCD12BB',
      type: workerType,
      interruptedRuns: 'restart',
      cluster: expect.stringMatching(/Cluster\w+\.Arn\}$/),
      service: expect.stringMatching(/Service\w+\.Name\}$/),
    });
    expect(JSON.parse(variables.LIMITS)).toEqual(LIMITS);
  });

  test('looks every minute, and never twice at a time', () => {
    const rule = resource(template, 'AWS::Events::Rule', /RescueSchedule/).Properties;
    expect(rule.ScheduleExpression).toBe('rate(1 minute)');
    expect(rule.Targets[0].RetryPolicy).toMatchObject({ MaximumRetryAttempts: 0 });
    expect(fn.Timeout).toBeLessThan(Duration.minutes(1).toSeconds());
  });

  test('may look at tasks of this cluster', () => {
    const statement = statementsOf(template, /RescueRole/).find(({ Action }) => [Action].flat().includes('ecs:DescribeTasks'))!;
    expect(text(statement.Resource)).toMatch(new RegExp(`:task/${cluster(template)}/\\*$`.replace(/[{}]/g, '\\$&')));
    expect(Object.keys(statement.Condition.ArnEquals)).toEqual(['ecs:cluster']);
  });
});

test('is told the work queues that its workers serve, where these are not all', () => {
  expect(settingsOf(templateOf({ workQueues: ['fast'] }), /RescueSchedule/).workQueues).toEqual(['fast']);
});

test('looks at once where a person stops the task of a flow run, which only ECS workers\' runs have', () => {
  const rules = (workerType: WorkerType) => resources(templateOf({ workerType }), 'AWS::Events::Rule')
    .map(({ Properties }) => Properties).filter(({ EventPattern }) => EventPattern?.detail.stopCode?.includes('UserInitiated'));
  const [{ EventPattern: pattern, Targets: [target] }] = rules(WorkerType.ECS);
  expect(pattern.detail).toMatchObject({ stopCode: ['UserInitiated'], desiredStatus: ['STOPPED'], clusterArn: [{ 'Fn::GetAtt': [expect.any(String), 'Arn'] }] });
  expect(text(target.Arn)).toMatch(/RescueFunction\w+\.Arn/);
  expect(rules(WorkerType.PROCESS)).toEqual([]);
});

test('is told what becomes of interrupted runs', () => {
  const template = templateOf({ workPool: WorkPool.managed('etl', { interruptedRuns: InterruptedRuns.CRASH }) });
  expect(settingsOf(template, /RescueSchedule/).interruptedRuns).toBe('crash');
});

test('is told how much memory runs may have that ran out of it, unless that is switched off', () => {
  const told = (outOfMemory: OutOfMemoryOptions) => settingsOf(templateOf({ workPool: WorkPool.managed('etl', { flowRunDefaults: { outOfMemory } }) }), /RescueSchedule/).outOfMemory;
  expect(told({ maxMemoryMiB: 4096 })).toEqual({ maxMemoryMiB: 4096, remember: false });
  expect(told({ maxMemoryMiB: 4096, remember: true })).toEqual({ maxMemoryMiB: 4096, remember: true });
  expect(told({ maxMemoryMiB: 4096, retry: false })).toBeUndefined();
});

test('may stop tasks only where each run has its own', () => {
  const actions = (workerType: WorkerType) => statementsOf(templateOf({ workerType }), /RescueRole/).flatMap(({ Action }) => Action);
  expect(actions(WorkerType.ECS)).toContain('ecs:StopTask');
  expect(actions(WorkerType.PROCESS)).not.toContain('ecs:StopTask');
});

test('runs in the network where the API is in it', () => {
  const stack = newStack();
  addWorker(stack, { api: selfHosted(stack) });
  expect(functionOf(Template.fromStack(stack)).VpcConfig.SubnetIds).toHaveLength(2);
  expect(functionOf(templateOf())).not.toHaveProperty('VpcConfig');
});
