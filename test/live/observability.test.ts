import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ECSClient, RegisterTaskDefinitionCommand, UpdateServiceCommand } from '@aws-sdk/client-ecs';
import { deploy } from './support/cdk';
import { TRACED_IMAGE, tracedImages } from './support/collector';
import { FLOWS, Live, startLive } from './support/environment';
import { awsLogs, eventually, physicalIds } from './support/evidence';
import { FlowRun } from './support/prefect';
import { workerProcess } from './support/processes';
import { sqs } from './support/queue';
import { Tracing } from '../../src';
import { pythonEnvironment } from '../python/environment';
import { freePort } from '../stand-in/child';
import { clientConfiguration, TaskInfo } from '../stand-in/stand-in';
import { templateOf, container } from '../support/worker';

jest.setTimeout(400_000);

const COLLECTOR: string = container(templateOf({ observability: { tracing: Tracing.xray() } }), 'collector').Image;

/** AWS's times and Prefect's pass so many times as fast: ten minutes are half a minute. */
const TIME_SCALE = 20;
const WORKER_ENVIRONMENT = {
  PREFECT_WORKER_QUERY_SECONDS: `${10 / TIME_SCALE}`,
  PREFECT_WORKER_HEARTBEAT_SECONDS: '1',
  // A call is tried again for two seconds; five times would be for a minute, as it is on AWS.
  PREFECT_CLIENT_MAX_RETRIES: '1',
  WORKER_DRAIN_SECONDS: `${100 / TIME_SCALE}`,
};
const SERVICES = [/Processes/, /Tasks/];
const PROCESS_POOL = 'observed processes';
const ECS_POOL = 'observed tasks';

let live: Live;
let unconnected: ReturnType<typeof unconnectedWorker>;
/** All at once, which takes no longer than one of them. */
let runs: { readonly inProcess: Promise<FlowRun>; readonly inTask: Promise<FlowRun>; readonly untraced: Promise<FlowRun> };

// The first run builds the collector and the image's Python environment.
beforeAll(async () => {
  unconnected = unconnectedWorker();
  live = await startLive({
    api: 'self-hosted',
    app: 'test/live/support/observed-app.ts',
    images: await tracedImages(COLLECTOR),
    environment: { WORKER_ENVIRONMENT: JSON.stringify(WORKER_ENVIRONMENT) },
    timeScale: TIME_SCALE,
    gate: true,
  });
  await deploy(live.standIn, live.deployment);
  runs = {
    inProcess: flowRun(PROCESS_POOL),
    inTask: flowRun(ECS_POOL, { image: TRACED_IMAGE }),
    untraced: flowRun(ECS_POOL),
  };
  // Each is awaited by its own test.
  await Promise.allSettled(Object.values(runs));
}, 600_000);
afterAll(() => live?.stop());

interface Span {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly service: string;
  readonly attributes: Record<string, string>;
}

const flatten = (attributes: any[] = []) => Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));

/** The spans that the collectors of a task have written. */
async function spansOf(taskArn: string): Promise<Span[]> {
  const lines = (await live.standIn.containerLog(taskArn, 'collector')).split('\n').filter(line => line.startsWith('{"resourceSpans"'));
  return lines.flatMap(line => JSON.parse(line).resourceSpans).flatMap(({ resource, scopeSpans }: any) => scopeSpans
    .filter(({ scope }: any) => scope.name === 'prefect')
    .flatMap(({ spans }: any) => spans.map((span: any) => ({
      ...span, service: flatten(resource.attributes)['service.name'], attributes: flatten(span.attributes),
    }))));
}

const spansOfRun = async (taskArn: string, run: FlowRun) => {
  const spans = await spansOf(taskArn);
  const ofFlow = spans.find(({ attributes }) => attributes['prefect.run.id'] === run.id);
  return { ofFlow, ofTasks: spans.filter(({ parentSpanId }) => ofFlow && parentSpanId === ofFlow.spanId) };
};

async function flowRun(workPool: string, jobVariables: { readonly image?: string } = {}): Promise<FlowRun> {
  // By its name: another deployment of that name would take its place, and its pool.
  const deployment = await live.prefect.deploy(`in ${workPool} with ${jobVariables.image ?? 'the image of the pool'}`, {
    workPool, entrypoint: 'flows.py:hello', directory: FLOWS, jobVariables,
  });
  const id = await live.prefect.start(deployment, { name: 'a trace' });
  return live.prefect.waitFor(id, ['COMPLETED', 'FAILED', 'CRASHED'], 120);
}

async function completed(run: Promise<FlowRun>): Promise<FlowRun> {
  expect((await run).state.type).toBe('COMPLETED');
  return run;
}

const workerTask = async (service: RegExp) => (await live.standIn.tasks()).find(({ group, lastStatus }) => lastStatus === 'RUNNING' && service.test(group))!;
const stoppedTaskOf = async ({ id }: FlowRun) => (await eventually(60, async () => {
  // The worker writes the task down once it has seen it start, which can be after the run has completed.
  const [run] = await live.prefect.flowRuns([id]);
  return (await live.standIn.tasks()).find(({ taskArn, lastStatus }) => lastStatus === 'STOPPED' && run.infrastructure_pid?.endsWith(taskArn));
}))!;

test.each(SERVICES.map(service => [service]))('the collector next to the worker %s is healthy', async service => {
  const health = await eventually(60, async () => {
    const collector = (await workerTask(service)).containers.find(({ name }) => name === 'collector');
    return collector?.healthStatus === 'HEALTHY' ? collector.healthStatus : undefined;
  });
  expect(health).toBe('HEALTHY');
});

describe('with an image that has prefect-otel, the spans of a flow run and of its task run arrive', () => {
  test('at the collector of a PROCESS worker', async () => {
    const run = await completed(runs.inProcess);
    const arrived = await eventually(30, async () => {
      // The worker that took the run may have been replaced since.
      const workers = (await live.standIn.tasks()).filter(({ group }) => /Processes/.test(group));
      const spans = await Promise.all(workers.map(({ taskArn }) => spansOfRun(taskArn, run)));
      return spans.find(({ ofFlow }) => ofFlow);
    });
    if (!arrived) throw new Error(`No span of ${JSON.stringify(run)} has arrived.`);
    expect(arrived).toMatchObject({
      ofFlow: { service: PROCESS_POOL, attributes: { 'prefect.run.type': 'flow', 'prefect.run.name': run.name } },
      ofTasks: [{ name: expect.stringMatching(/^greet/), traceId: arrived.ofFlow!.traceId, attributes: { 'prefect.run.type': 'task' } }],
    });
    expect(arrived.ofFlow).not.toHaveProperty('parentSpanId');
    expect(arrived.ofFlow!.attributes).toHaveProperty(['prefect.deployment.id']);
  });

  test('at the collector in the task of an ECS worker\'s flow run, before the task ends', async () => {
    const run = await completed(runs.inTask);
    const task = await stoppedTaskOf(run);
    const { ofFlow, ofTasks } = await spansOfRun(task.taskArn, run);
    expect(ofFlow).toMatchObject({ service: ECS_POOL, attributes: { 'prefect.run.name': run.name } });
    expect(ofTasks.map(({ name }) => name)).toEqual([expect.stringMatching(/^greet/)]);
    expect(task.containers.map(({ name, exitCode }) => [name, exitCode])).toEqual(expect.arrayContaining([['prefect', 0], ['collector', 0]]));
  });
});

test('with the unchanged official image flow runs complete, and send nothing', async () => {
  const task = await stoppedTaskOf(await completed(runs.untraced));
  expect(await spansOf(task.taskArn)).toEqual([]);
});

/** A worker without a way to the API: what it answers to its health check, what it says, and after how many seconds it gives up. */
async function unconnectedWorker() {
  const port = await freePort();
  const { bin } = await pythonEnvironment();
  const home = await mkdtemp(join(tmpdir(), 'unconnected-'));
  const start = Date.now();
  const worker = spawn(join(bin, 'prefect'), ['worker', 'start', '--pool', 'any', '--type', 'process', '--with-healthcheck', '--no-create-pool-if-not-found'], {
    env: {
      PATH: `${bin}:${process.env.PATH}`,
      ...WORKER_ENVIRONMENT,
      PREFECT_HOME: home,
      PREFECT_API_URL: `http://127.0.0.1:${await freePort()}/api`,
      PREFECT_WORKER_WEBSERVER_PORT: `${port}`,
    },
  });
  let [said, ended] = ['', false];
  for (const stream of [worker.stdout, worker.stderr]) stream.on('data', chunk => { said += chunk; });
  worker.on('close', () => { ended = true; });
  process.once('exit', () => worker.kill('SIGKILL'));
  const answers = new Set<number>();
  while (!ended) {
    await fetch(`http://127.0.0.1:${port}/health`).then(({ status }) => answers.add(status), () => undefined);
    await sleep(500);
  }
  await rm(home, { recursive: true });
  return { answers: [...answers], said, code: worker.exitCode, seconds: (Date.now() - start) / 1000 };
}

describe('a worker', () => {
  const workers = () => Promise.all(SERVICES.map(workerTask));
  const online = async () => [...await live.prefect.onlineWorkers(PROCESS_POOL), ...await live.prefect.onlineWorkers(ECS_POOL)];

  test('stays, and so does what is in flight in it, while the API is away for ten minutes', async () => {
    const deployment = await live.prefect.deploy('long', { workPool: PROCESS_POOL, entrypoint: 'flows.py:sleeper', directory: FLOWS });
    const id = await live.prefect.start(deployment, { seconds: 600 / TIME_SCALE + 6 });
    await live.prefect.waitFor(id, ['RUNNING'], 60);
    const before = await workers();

    await live.gate!.shut();
    await sleep(600_000 / TIME_SCALE);
    // Without the check's patience, they would have been replaced after half of it.
    const said = await awsLogs(live.standIn, 'worker/');
    await live.gate!.open();

    expect(said).toContain('Worker has not polled in the last');
    expect((await live.prefect.waitFor(id, ['COMPLETED', 'FAILED', 'CRASHED', 'SCHEDULED'], 60))).toMatchObject({ state: { type: 'COMPLETED' }, run_count: 1 });
    expect((await workers()).map(({ taskArn }) => taskArn)).toEqual(before.map(({ taskArn }) => taskArn));
    // They have caught up.
    const later = await live.prefect.start(deployment, { seconds: 0 });
    expect((await live.prefect.waitFor(later, ['COMPLETED', 'FAILED', 'CRASHED'], 60)).state.type).toBe('COMPLETED');
  });

  test('whose process hangs is replaced by one that comes online', async () => {
    const before = await workers();
    const known = await online();
    for (const task of before) process.kill(await workerProcess(task), 'SIGSTOP');

    const replaced = await eventually(120, async () => {
      const tasks = await live.standIn.tasks();
      const hung = before.map(({ taskArn }) => tasks.find(task => task.taskArn === taskArn)!);
      return hung.every(({ lastStatus }) => lastStatus === 'STOPPED') ? hung : undefined;
    });
    expect(replaced?.map(({ stoppedReason }: TaskInfo) => stoppedReason)).toEqual(SERVICES.map(() => 'Task failed container health checks'));
    const fresh = await eventually(60, async () => {
      const names = (await online()).filter(name => !known.includes(name));
      return names.length >= SERVICES.length ? names : undefined;
    });
    expect(fresh).toHaveLength(SERVICES.length);
  });

  test('that never reaches the API is healthy, says so, and ends by itself in the end', async () => {
    const { answers, said, code, seconds } = await unconnected;
    expect(answers).toEqual([200]);
    expect(said).toContain('Unable to reach the Prefect API while starting up');
    expect(said).toContain('Service exceeded error threshold');
    expect(code).not.toBe(0);
    // Its heartbeats are tried 12 times in 44 of their intervals, of one second here and of 30 on AWS, and some seconds each: nearly 25 minutes.
    expect(seconds).toBeGreaterThan(30);
  });

  test('that was replaced, and a deployment that fails, are told to the topic, with the reason and the first step', async () => {
    const ids = await physicalIds(live.standIn, 'Observed');
    const messages: string[] = [];
    const told = (...parts: string[]) => eventually(60, async () => {
      const { Messages = [] } = await sqs<{ Messages?: { Body: string }[] }>(live.standIn, 'ReceiveMessage', { QueueUrl: queue, MaxNumberOfMessages: 10 });
      messages.push(...Messages.map(({ Body }) => Body));
      return messages.find(message => parts.every(part => message.includes(part)));
    });
    const queue = ids.all('AWS::SQS::Queue').find(url => /Pager/.test(url))!;
    for (const worker of ['Processes', 'Tasks']) {
      expect(await told(`TaskFailed: a task of the Prefect worker Observed/${worker} stopped`, 'Reason: Task failed container health checks', 'operations.md#taskfailed')).toBeDefined();
    }

    const ecs = new ECSClient(clientConfiguration(live.standIn));
    const { taskDefinition } = await ecs.send(new RegisterTaskDefinitionCommand({
      family: 'broken', cpu: '256', memory: '512', networkMode: 'awsvpc', containerDefinitions: [{ name: 'worker', image: 'any', command: ['false'], memory: 512 }],
    }));
    const service = ids.all('AWS::ECS::Service').find(arn => /Tasks/.test(arn));
    await ecs.send(new UpdateServiceCommand({ cluster: ids('AWS::ECS::Cluster'), service, taskDefinition: taskDefinition!.taskDefinitionArn }));
    expect(await told('DeploymentFailed: a deployment of the Prefect worker Observed/Tasks failed.', 'circuit breaker: tasks failed to start', 'operations.md#deploymentfailed')).toBeDefined();
    expect(await told('TaskFailed: a task of the Prefect worker Observed/Tasks stopped', 'Reason: Essential container in task exited (EssentialContainerExited)')).toBeDefined();
  });
});
