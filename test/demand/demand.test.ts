import { Duration, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { PrefectFargateWorker, WorkerType, WorkPool } from '../../src';
import { addWorker, newStack, resource, resources, selfHosted, settingsOf, statementsOf, templateOf, text } from '../support/worker';

const publisher = (template: Template) => resource(template, 'AWS::Lambda::Function', /DemandFunction/).Properties;

describe('the demand publisher', () => {
  const template = templateOf(stack => ({
    api: selfHosted(stack), workerType: WorkerType.PROCESS, workPool: WorkPool.existing('on premises "etl"'), workQueues: ['urgent'], flowRunLimit: 5,
  }));

  test('is told where the API and its secrets are, what to read and about which service', () => {
    const service = resource(template, 'AWS::ECS::Service').logicalId;
    expect(JSON.parse(text(publisher(template).Environment.Variables.API))).toEqual({
      url: 'https://prefect.example.com:4200/api',
      isCloud: false,
      tlsCaCertificate: expect.stringMatching(/^-----BEGIN/),
      secrets: { PREFECT_API_AUTH_STRING: expect.stringMatching(/^\{AuthString\w+\}:auth::$/), PREFECT_CLIENT_CUSTOM_HEADERS: expect.stringMatching(/^\{Headers\w+\}$/) },
    });
    expect(settingsOf(template, /Demand/)).toEqual({
      workPool: 'on premises "etl"',
      worker: 'StackWorker0CCD12BB',
      workQueues: ['urgent'],
      scaleInMinutes: 2,
      flowRunLimit: 5,
      leadTimeSeconds: 210,
      pollSeconds: 60,
      cluster: expect.stringMatching(/^\{WorkerCluster\w+\.Arn\}$/),
      service: `{${service}.Name}`,
      pricedTask: { cpu: '1024', memoryMiB: '2048', cpuArchitecture: 'X86_64' },
    });
  });

  test('runs every minute, once', () => {
    const { Properties } = resource(template, 'AWS::Events::Rule', /Demand/);
    expect(Properties.ScheduleExpression).toBe('rate(1 minute)');
    expect(Properties.Targets).toEqual([expect.objectContaining({ RetryPolicy: expect.objectContaining({ MaximumRetryAttempts: 0 }) })]);
    expect(resource(template, 'AWS::Lambda::EventInvokeConfig', /Demand/).Properties).toMatchObject({ MaximumRetryAttempts: 0 });
    expect(publisher(template).Timeout).toBeLessThanOrEqual(60);
  });

  test('may do what it does, on what it does it with', () => {
    const statements = statementsOf(template, /DemandRole/).map(({ Action, Resource, Condition }) => [Action, [text(Resource)].flat().join(' '), Condition]);
    expect(statements).toEqual(expect.arrayContaining([
      ['cloudwatch:PutMetricData', '*', { StringEquals: { 'cloudwatch:namespace': 'PrefectFargateWorker' } }],
      ['ecs:DescribeServices', `{${resource(template, 'AWS::ECS::Service').logicalId}}`, undefined],
      ['ecs:UpdateService', `{${resource(template, 'AWS::ECS::Service').logicalId}}`, undefined],
      [['ecs:DescribeTasks', 'ecs:GetTaskProtection'], expect.stringMatching(/:task\/\{WorkerCluster\w+\}\/\*$/), undefined],
      [['cloudwatch:GetMetricData', 'application-autoscaling:DescribeScalableTargets'], '*', undefined],
      ['logs:FilterLogEvents', expect.stringMatching(/^(arn\S+:log-group:\{\w+DemandLogs\w+\} )?\{\w+DemandLogs\w+\.Arn\}$/), undefined],
      [['secretsmanager:GetSecretValue', 'secretsmanager:DescribeSecret'], expect.stringMatching(/AuthString/), undefined],
      [['secretsmanager:GetSecretValue', 'secretsmanager:DescribeSecret'], expect.stringMatching(/Headers/), undefined],
      ['ec2:DescribeSubnets', '*', undefined],
    ]));
    expect(statements).toHaveLength(10);
  });

  test('runs in the VPC where the API is inside the network, with a way to what it calls', () => {
    expect(publisher(template).VpcConfig.SubnetIds).toHaveLength(2);
    expect(text(publisher(template).VpcConfig.SecurityGroupIds)).toEqual([expect.stringMatching(/FunctionSecurityGroup/)]);
    const services = resources(template, 'AWS::EC2::VPCEndpoint').map(({ Properties }) => text(Properties.ServiceName));
    for (const service of ['monitoring', 'ecs', 'logs', 'secretsmanager', 'application-autoscaling']) {
      expect(services).toContainEqual(expect.stringMatching(new RegExp(`\\.${service}$`)));
    }
  });

  test('stays outside otherwise, and needs no endpoint', () => {
    const cloud = templateOf({ workerType: WorkerType.PROCESS });
    expect(publisher(cloud).VpcConfig).toBeUndefined();
    expect(resources(cloud, 'AWS::EC2::VPCEndpoint').map(({ Properties }) => text(Properties.ServiceName))).not.toContainEqual(expect.stringMatching(/monitoring$/));
  });
});

describe('metrics', () => {
  const METHODS = {
    metricLateRuns: 'LateRuns',
    metricBlockedRuns: 'BlockedRuns',
    metricDueRuns: 'DueRuns',
    metricRunningRuns: 'RunningRuns',
    metricPendingRuns: 'PendingRuns',
    metricOnlineWorkers: 'OnlineWorkers',
    metricCrashedRuns: 'CrashedRuns',
  } as const;
  let stack: Stack;
  let worker: PrefectFargateWorker;
  beforeAll(() => {
    stack = newStack();
    worker = addWorker(stack, { workPool: WorkPool.managed('etl') });
  });

  test.each(Object.entries(METHODS))('%s gives %s of the pool and the worker', (method, metricName) => {
    const metric = worker[method as keyof typeof METHODS]();
    expect(metric).toMatchObject({ namespace: 'PrefectFargateWorker', metricName, dimensions: { WorkPool: 'etl', Worker: 'StackWorker0CCD12BB' } });
    expect(metric.statistic).toBe(metricName === 'CrashedRuns' ? 'Sum' : 'Maximum');
  });

  test.each(Object.keys(METHODS))('%s takes options of its own', method => {
    const metric = worker[method as keyof typeof METHODS]({ statistic: 'p90', period: Duration.minutes(15), label: 'Mine' });
    expect([metric.statistic, metric.period.toMinutes(), metric.label]).toEqual(['p90', 15, 'Mine']);
  });

  test('of two workers of a pool stay apart', () => {
    const own = newStack();
    const [one, two] = ['One', 'Two'].map(id => addWorker(own, { workPool: WorkPool.existing('etl') }, id));
    expect(one.metricLateRuns().dimensions!.Worker).not.toBe(two.metricLateRuns().dimensions!.Worker);
  });
});
