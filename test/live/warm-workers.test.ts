import { setTimeout as sleep } from 'node:timers/promises';
import { ApplicationAutoScalingClient, RegisterScalableTargetCommand } from '@aws-sdk/client-application-auto-scaling';
import { CloudWatchClient, PutMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { CloudWatchLogsClient, CreateLogGroupCommand } from '@aws-sdk/client-cloudwatch-logs';
import { CreateClusterCommand, CreateServiceCommand, ECSClient, RegisterTaskDefinitionCommand } from '@aws-sdk/client-ecs';
import { FLOWS } from './support/environment';
import { Prefect } from './support/prefect';
import { watchScaling, WatchedScaling } from './support/watched-scaling';
import type { PublisherConfiguration } from '../../src/demand/configuration';
import { NAMESPACE } from '../../src/demand/metrics';
import { PrefectServer, startPrefectServer } from '../stand-in/prefect-server';
import { clientConfiguration, StandIn, startStandIn } from '../stand-in/stand-in';

jest.setTimeout(120_000);

const LEAD_SECONDS = 3;

let server: PrefectServer;
let standIn: StandIn;
let prefect: Prefect;
let environment: NodeJS.ProcessEnv;
let handler: (configuration: PublisherConfiguration) => Promise<void>;
const services = new Map<string, WatchedScaling>();

beforeAll(async () => {
  environment = process.env;
  [server, standIn] = await Promise.all([startPrefectServer(), startStandIn()]);
  prefect = new Prefect(server.apiUrl);
  const client = clientConfiguration(standIn);
  await new CloudWatchLogsClient(client).send(new CreateLogGroupCommand({ logGroupName: 'publisher' }));
  const ecs = new ECSClient(client);
  await ecs.send(new CreateClusterCommand({ clusterName: 'cluster' }));
  const role = 'arn:aws:iam::123456789012:role/worker';
  await ecs.send(new RegisterTaskDefinitionCommand({
    family: 'worker',
    cpu: '256',
    memory: '512',
    requiresCompatibilities: ['FARGATE'],
    executionRoleArn: role,
    taskRoleArn: role,
    containerDefinitions: [{ name: 'worker', image: 'unused', command: ['python', '-c', 'import time; time.sleep(600)'] }],
  }));
  process.env = {
    ...process.env,
    ...standIn.environment,
    AWS_LAMBDA_LOG_GROUP_NAME: 'publisher',
    API: JSON.stringify({ url: server.apiUrl, isCloud: false, secrets: {} }),
  };
  // Its clients are of the environment in which it is loaded.
  ({ handler } = jest.requireActual<typeof import('../../src/demand/publisher.lambda')>('../../src/demand/publisher.lambda'));
  jest.spyOn(console, 'log').mockImplementation();
});
afterAll(async () => {
  process.env = environment;
  jest.restoreAllMocks();
  await Promise.all([server?.stop(), standIn?.stop()]);
});

/** A pool and its service with three workers, of which unscheduled runs have needed two every half hour for a day, the last time ten minutes ago. */
async function worker(name: string): Promise<WatchedScaling> {
  await prefect.call('POST', '/work_pools/', { name, type: 'process', base_job_template: {} });
  const client = clientConfiguration(standIn);
  await new ECSClient(client).send(new CreateServiceCommand({
    cluster: 'cluster', serviceName: name, taskDefinition: 'worker', desiredCount: 3, networkConfiguration: { awsvpcConfiguration: { subnets: ['subnet-1'] } },
  }));
  await new ApplicationAutoScalingClient(client).send(new RegisterScalableTargetCommand({
    ServiceNamespace: 'ecs', ScalableDimension: 'ecs:service:DesiredCount', ResourceId: `service/cluster/${name}`, MinCapacity: 0, MaxCapacity: 10,
  }));
  const at = (MetricName: string, minutesAgo: number, Value: number) => ({
    MetricName,
    Value,
    Timestamp: new Date(Date.now() - minutesAgo * 60_000),
    StorageResolution: 1,
    Dimensions: [{ Name: 'WorkPool', Value: name }, { Name: 'Worker', Value: name }],
  });
  await new CloudWatchClient(client).send(new PutMetricDataCommand({
    Namespace: NAMESPACE,
    MetricData: [
      ...Array.from({ length: 47 }, (_, index) => at('UnscheduledWorkers', 10 + 30 * index, 2)),
      at('UnscheduledWorkers', 24 * 60 - 1, 0),
      at('RequiredWorkers', 1, 0),
      at('RequiredWorkers', 2, 0),
    ],
  }));
  services.set(name, watchScaling(standIn, name, 'cluster', name));
  return services.get(name)!;
}

const poll = (name: string, settings: Partial<PublisherConfiguration> = {}) => handler({
  workPool: name, worker: name, flowRunLimit: 7, leadTimeSeconds: LEAD_SECONDS, pollSeconds: 60, scaleInMinutes: 2, cluster: 'cluster', service: name, ...settings,
});
const seen = async (name: string, metric: string) => (await services.get(name)!.values(metric, new Date(Date.now() - 30_000))).pop();

test('of three workers the two are kept that the last day makes likely, and are no surplus', async () => {
  const scaling = await worker('kept');
  await poll('kept', { warmTaskHours: 48 });
  expect((await scaling.counts()).desired).toBe(2);
  expect([await seen('kept', 'RequiredWorkers'), await seen('kept', 'WarmWorkers'), await seen('kept', 'SurplusWorkers')]).toEqual([0, 2, 1]);
});

test.each<[string, number | undefined, number]>([
  ['none where none may wait', undefined, 0],
  ['one where the hours are enough for one', 24, 1],
  ['none where they are not', 12, 0],
])('it is %s', async (_, warmTaskHours, count) => {
  const name = `of-${warmTaskHours}`;
  const scaling = await worker(name);
  await poll(name, { warmTaskHours });
  expect((await scaling.counts()).desired).toBe(count);
});

test('it is none while the pool is paused', async () => {
  const scaling = await worker('paused');
  await prefect.call('PATCH', '/work_pools/paused', { is_paused: true });
  await poll('paused', { warmTaskHours: 48 });
  expect((await scaling.counts()).desired).toBe(0);
});

test('Prefect tells a run that came at once from one that was created before, also while it runs', async () => {
  await worker('told');
  const flow = await prefect.deploy('flow', { workPool: 'told', entrypoint: 'flows.py:hello', directory: FLOWS });
  const unscheduled = async () => {
    // Values of one second would be added up.
    await sleep(1000);
    await poll('told', { warmTaskHours: 48 });
    return [await seen('told', 'RequiredWorkers'), await seen('told', 'UnscheduledWorkers')];
  };
  const id = await prefect.schedule(flow, Date.now() + (LEAD_SECONDS + 2) * 1000);
  await sleep(1500);
  expect(await unscheduled()).toEqual([1, 0]);
  await prefect.call('POST', `/flow_runs/${id}/set_state`, { state: { type: 'RUNNING' }, force: true });
  expect(await unscheduled()).toEqual([1, 0]);
  await prefect.call('DELETE', `/flow_runs/${id}`);

  const webhook = await prefect.start(flow);
  expect(await unscheduled()).toEqual([1, 1]);
  // What it creates is not more of them: eight runs take two workers.
  const task = await prefect.call<{ id: string }>('POST', '/task_runs/', { flow_run_id: webhook, task_key: 'child', dynamic_key: '0' });
  const children: string[] = [];
  while (children.length < 7) children.push((await prefect.call<{ id: string }>('POST', `/deployments/${flow}/create_flow_run`, { parent_task_run_id: task.id })).id);
  expect(await unscheduled()).toEqual([2, 1]);
  for (const child of children) await prefect.call('DELETE', `/flow_runs/${child}`);

  await prefect.call('POST', `/flow_runs/${webhook}/set_state`, { state: { type: 'RUNNING' }, force: true });
  expect(await unscheduled()).toEqual([1, 1]);
});
