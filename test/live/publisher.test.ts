import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CreateClusterCommand, CreateServiceCommand, ECSClient, RegisterTaskDefinitionCommand } from '@aws-sdk/client-ecs';
import { CreateFunctionCommand, InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { REPOSITORY } from './support/cdk';
import { createSecret } from './support/environment';
import { Gate, openGate } from './support/gate';
import { Prefect } from './support/prefect';
import type { PublisherConfiguration } from '../../src/demand/configuration';
import { pythonEnvironment } from '../python/environment';
import { PrefectServer, startPrefectServer } from '../stand-in/prefect-server';
import { StandIn, startStandIn } from '../stand-in/stand-in';

jest.setTimeout(180_000);

const AUTH = 'admin:secret';
const ROLE = 'arn:aws:iam::123456789012:role/publisher';

let standIn: StandIn;
let server: PrefectServer;
let gate: Gate;
let prefect: Prefect;
let deployment: string;

beforeAll(async () => {
  [standIn, server] = await Promise.all([startStandIn(), startPrefectServer({ authString: AUTH })]);
  gate = await openGate(server.apiUrl);
  prefect = new Prefect(server.apiUrl, { authorization: `Basic ${Buffer.from(AUTH).toString('base64')}` });
  await prefect.call('POST', '/work_pools/', { name: 'etl', type: 'process', base_job_template: {} });
  deployment = await prefect.deploy('etl', { workPool: 'etl', entrypoint: 'flows.py:hello', directory: '.' });

  const ecs = new ECSClient(client());
  await ecs.send(new CreateClusterCommand({ clusterName: 'cluster' }));
  const { taskDefinition } = await ecs.send(new RegisterTaskDefinitionCommand({
    family: 'worker',
    cpu: '256',
    memory: '512',
    networkMode: 'awsvpc',
    requiresCompatibilities: ['FARGATE'],
    containerDefinitions: [{ name: 'worker', image: 'worker:1.0.0', command: ['sleep', '600'] }],
  }));
  await ecs.send(new CreateServiceCommand({ cluster: 'cluster', serviceName: 'worker', taskDefinition: taskDefinition!.taskDefinitionArn, desiredCount: 0 }));
  await iam('CreateRole', { RoleName: 'publisher', AssumeRolePolicyDocument: '{}' });
  await create('publisher', {});
});
afterAll(async () => {
  await gate?.stop();
  await Promise.all([standIn?.stop(), server?.stop()]);
});

function client() {
  const { AWS_REGION: region, AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = standIn.environment;
  return { endpoint: standIn.endpoint, region, credentials: { accessKeyId, secretAccessKey } };
}

async function iam(action: string, parameters: Record<string, string>): Promise<void> {
  await fetch(standIn.endpoint, {
    method: 'POST',
    headers: { 'authorization': 'AWS4-HMAC-SHA256 Credential=STANDIN/20260101/us-east-1/iam/aws4_request', 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ Action: action, Version: '2010-05-08', ...parameters }),
  });
}

/** The function as it is bundled, with settings of its own. */
async function create(name: string, settings: Partial<PublisherConfiguration>, credential = AUTH): Promise<void> {
  const zip = join(standIn.directory, `${name}.zip`);
  const { python } = await pythonEnvironment();
  execFileSync(python, ['-m', 'zipfile', '-c', zip, join(REPOSITORY, 'assets/demand/publisher.lambda/index.js')]);
  const configuration: PublisherConfiguration = {
    api: { url: gate.apiUrl, isCloud: false, secrets: { PREFECT_API_AUTH_STRING: await createSecret(standIn, credential) } },
    workPool: 'etl',
    worker: name,
    flowRunLimit: 7,
    leadTimeSeconds: 180,
    pollSeconds: 60,
    cluster: 'cluster',
    service: 'worker',
    ...settings,
  };
  await new LambdaClient(client()).send(new CreateFunctionCommand({
    FunctionName: name,
    Runtime: 'nodejs22.x',
    Handler: 'index.handler',
    Role: ROLE,
    Timeout: 60,
    Code: { ZipFile: readFileSync(zip) },
    Environment: { Variables: { CONFIGURATION: JSON.stringify(configuration) } },
  }));
}

/** Starts the function once, and gives what it sent to CloudWatch by its PutMetricData requests. */
async function invoke(name = 'publisher'): Promise<Record<string, number>[]> {
  const requests = async () => (await standIn.calls()).filter(({ action }) => action === 'PutMetricData');
  const before = (await requests()).length;
  const { FunctionError, Payload } = await new LambdaClient(client()).send(new InvokeCommand({ FunctionName: name }));
  expect([FunctionError, Payload && Buffer.from(Payload).toString()]).toEqual([undefined, 'null']);
  return (await requests()).slice(before).map(({ parameters }) =>
    Object.fromEntries(parameters.MetricData.map((datum: any) => [datum.MetricName, Number(datum.Value)])));
}

async function schedule(seconds: number): Promise<string> {
  const state = { type: 'SCHEDULED', state_details: { scheduled_time: new Date(Date.now() + seconds * 1000).toISOString() } };
  return (await prefect.call<{ id: string }>('POST', `/deployments/${deployment}/create_flow_run`, { state })).id;
}
const crash = async () => prefect.call('POST', `/flow_runs/${await schedule(3600)}/set_state`, { state: { type: 'CRASHED' }, force: true });

test('a poll publishes all that it read in one request', async () => {
  for (let run = 0; run < 8; run++) await schedule(60);
  expect(await invoke()).toEqual([{
    DueRuns: 8,
    LateRuns: 0,
    OldestLateSeconds: 0,
    PendingRuns: 0,
    RunningRuns: 0,
    CrashedRuns: 0,
    OnlineWorkers: 0,
    Demand: 8,
    RequiredWorkers: 2,
    MissingWorkers: 2,
    SurplusWorkers: 0,
    PublisherErrors: 0,
  }]);
});

test('metrics have the dimensions and the units that alarms ask for', async () => {
  await invoke();
  const { parameters } = (await standIn.calls()).filter(({ action }) => action === 'PutMetricData').pop()!;
  expect(parameters.Namespace).toBe('PrefectFargateWorker');
  for (const datum of parameters.MetricData) {
    expect(datum.Dimensions).toEqual([{ Name: 'WorkPool', Value: 'etl' }, { Name: 'Worker', Value: 'publisher' }]);
    expect(datum.Unit).toBe(datum.MetricName === 'OldestLateSeconds' ? 'Seconds' : 'Count');
  }
});

test('polls within the minute publish each', async () => {
  await create('often', { pollSeconds: 20 });
  expect(await invoke('often')).toHaveLength(3);
});

test('what is refused publishes only that it failed', async () => {
  await create('refused', {}, 'admin:wrong');
  expect(await invoke('refused')).toEqual([{ PublisherErrors: 1 }]);
});

test('each crashed run is counted once, by whichever instance, and also one of a time when the API was not there', async () => {
  const counts: Record<string, number>[] = [...await invoke()];
  await crash();
  await crash();
  await sleep(11_000);
  counts.push(...await invoke(), ...await invoke());
  await gate.shut();
  await crash();
  expect(await invoke()).toEqual([{ PublisherErrors: 1 }]);
  await gate.open();
  await sleep(11_000);
  counts.push(...await invoke(), ...await invoke());
  expect(counts.map(({ CrashedRuns }) => CrashedRuns)).toEqual([0, 2, 0, 1, 0]);
});
