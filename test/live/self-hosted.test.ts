import { DescribeTaskDefinitionCommand, DescribeTasksCommand, ECSClient } from '@aws-sdk/client-ecs';
import { deploy, destroy } from './support/cdk';
import { ECS_POOL, FLOWS, Live, PROCESS_POOL, startLive } from './support/environment';
import { awsLogs, eventually, leaks, physicalIds, secretsOf } from './support/evidence';
import { deployedTemplate } from './support/policies';
import { FlowRun } from './support/prefect';
import { questionsOf } from '../policy/recorded';
import { PolicySimulator } from '../policy/simulate';
import { clientConfiguration } from '../stand-in/stand-in';

jest.setTimeout(300_000);

const DB_PASSWORD = 'a password of 27 characters';
let live: Live;

beforeAll(async () => {
  live = await startLive({ api: 'self-hosted', secrets: { DATABASE_ARN: JSON.stringify({ password: DB_PASSWORD }) } });
  await deploy(live.standIn, live.deployment);
});
afterAll(() => live?.stop());

const pool = (name: string) => live.prefect.call<any>('GET', `/work_pools/${encodeURIComponent(name)}`);

describe('the deployment', () => {
  test('makes the PROCESS work pool with its limit and its queue', async () => {
    expect(await pool(PROCESS_POOL)).toMatchObject({ type: 'process', concurrency_limit: 30 });
    const queues = await live.prefect.call<any[]>('POST', `/work_pools/${encodeURIComponent(PROCESS_POOL)}/queues/filter`, {});
    expect(queues.map(({ name, priority }) => [name, priority])).toContainEqual(['urgent', 1]);
  });

  test('fills the base job template of the ECS work pool with what it deployed', async () => {
    const ids = await physicalIds(live.standIn, 'Live');
    const { base_job_template: template } = await pool(ECS_POOL);
    const defaults = Object.fromEntries(Object.entries<any>(template.variables.properties).map(([name, { default: value }]) => [name, value]));
    expect(defaults.cluster).toContain(ids('AWS::ECS::Cluster'));
    expect(ids.all('AWS::EC2::Subnet')).toEqual(expect.arrayContaining(defaults.network_configuration.subnets));
    expect(ids.all('AWS::EC2::SecurityGroup')).toEqual(expect.arrayContaining(defaults.network_configuration.securityGroups));
    expect(defaults.task_role_arn).toMatch(/FlowRunRole/);
    expect(defaults.execution_role_arn).toMatch(/FlowRunExecutionRole/);
    expect(defaults.prefect_api_auth_string_secret_arn).toBe(live.deployment.environment.SECRET_ARN);
    expect(defaults.env).toMatchObject({ GREETING: 'hello', PREFECT_FLOWS_HEARTBEAT_FREQUENCY: '60' });
    expect(template.job_configuration.task_run_request.networkConfiguration).toEqual({ awsvpcConfiguration: '{{ network_configuration }}' });
  });

  test.each([[PROCESS_POOL], [ECS_POOL]])('watches the heartbeats of the flow runs of %s', async name => {
    const automations = await live.prefect.call<any[]>('POST', '/automations/filter', { automations: { name: { any_: [`Flow runs without heartbeats in ${name}`] } } });
    expect(automations).toEqual([expect.objectContaining({ enabled: true, trigger: expect.objectContaining({ posture: 'Proactive', within: 900 }) })]);
  });

  test('copies the official images, for workers to run from there, and flow runs of the ECS work pool', async () => {
    const ids = await physicalIds(live.standIn, 'Live');
    const repository = new RegExp(`^123456789012\\.dkr\\.ecr\\.us-east-1\\.amazonaws\\.com/${ids('AWS::ECR::Repository')}:prefect(-aws)?-\\d+\\.\\d+\\.\\d+-python`);
    const tasks = await live.standIn.tasks();
    expect(tasks.length).toBeGreaterThanOrEqual(2);
    for (const { containers } of tasks) expect(containers[0].image).toMatch(repository);
    const { base_job_template: template } = await pool(ECS_POOL);
    expect(template.variables.properties.image.default).toMatch(repository);
  });

  test.each([[PROCESS_POOL], [ECS_POOL]])('brings a worker of %s online', async name => {
    expect((await live.prefect.onlineWorkers(name)).length).toBeGreaterThanOrEqual(1);
  });
});

describe('a flow run', () => {
  let endless: string;
  // Its minute passes while the others run.
  beforeAll(async () => {
    const deployment = await live.prefect.deploy('endless', { workPool: ECS_POOL, entrypoint: 'flows.py:sleeper', directory: FLOWS, jobVariables: { max_run_time: 60 } });
    endless = await live.prefect.start(deployment, { seconds: 600 });
  });

  test('completes in the container of a PROCESS worker', async () => {
    const deployment = await live.prefect.deploy('processes', { workPool: PROCESS_POOL, workQueue: 'urgent', entrypoint: 'flows.py:hello', directory: FLOWS });
    const id = await live.prefect.start(deployment, { name: 'a process' });
    expect((await live.prefect.waitFor(id, ['COMPLETED', 'FAILED', 'CRASHED'], 90)).state.type).toBe('COMPLETED');
    await live.prefect.waitForLog(id, 'Hello from a process', 20);
    expect(await awsLogs(live.standIn, 'worker/')).toContain('Hello from a process');
  });

  test('completes as a Fargate task of its own for an ECS worker, in the family and with the logs of the stack', async () => {
    const deployment = await live.prefect.deploy('tasks', { workPool: ECS_POOL, entrypoint: 'flows.py:hello', directory: FLOWS });
    const id = await live.prefect.start(deployment, { name: 'a task' });
    const run = await live.prefect.waitFor(id, ['COMPLETED', 'FAILED', 'CRASHED'], 120);
    expect(run.state.type).toBe('COMPLETED');

    const task = (await live.standIn.tasks()).find(({ taskArn }) => run.infrastructure_pid?.endsWith(taskArn));
    expect(task?.taskDefinitionArn).toMatch(/task-definition\/prefect-Live-Tasks-\w+-flow-run:\d+$/);
    expect(await awsLogs(live.standIn, 'flow-run/')).toContain('Hello from a task');
    expect(await secretsOf(live.standIn, task!.taskDefinitionArn)).toEqual({
      PREFECT_API_AUTH_STRING: live.deployment.environment.SECRET_ARN,
      DB_PASSWORD: expect.stringMatching(/:password::$/),
    });
  });

  test('that is cancelled ends, and its task with it', async () => {
    const deployment = await live.prefect.deploy('cancelled', { workPool: ECS_POOL, entrypoint: 'flows.py:sleeper', directory: FLOWS });
    const id = await live.prefect.start(deployment, { seconds: 600 });
    const running = await live.prefect.waitFor(id, ['RUNNING'], 120);
    await live.prefect.cancel(id);
    expect((await live.prefect.waitFor(id, ['CANCELLED'], 120)).state.type).toBe('CANCELLED');
    expect(await stopped(running)).toBe('STOPPED');
  });

  test('that is cancelled while its task says nothing has the task stopped by the worker, once the server gives up waiting', async () => {
    const deployment = await live.prefect.deploy('silent', {
      workPool: ECS_POOL, entrypoint: 'flows.py:hello', directory: FLOWS, jobVariables: { command: 'sleep 600' },
    });
    const id = await live.prefect.start(deployment);
    const pending = await eventually(60, async () => {
      const run = await live.prefect.flowRun(id);
      return run.infrastructure_pid ? run : undefined;
    });
    await live.prefect.cancel(id);
    expect(await stopped(pending!)).toBe('STOPPED');
  });

  test('has the volume, the sidecar, the secret\'s field, the disk, the limits and the tags that its task definition was given, behind a log router', async () => {
    const deployment = await live.prefect.deploy('look around', { workPool: ECS_POOL, entrypoint: 'flows.py:look_around', directory: FLOWS });
    const id = await live.prefect.start(deployment);
    const run = await live.prefect.waitFor(id, ['COMPLETED', 'FAILED', 'CRASHED'], 120);
    expect(run.state.type).toBe('COMPLETED');
    await live.prefect.waitForLog(id, `Around: files ['agent'], password of ${DB_PASSWORD.length} characters`, 20);

    const ecs = new ECSClient(clientConfiguration(live.standIn));
    const [cluster, task] = run.infrastructure_pid!.split('::');
    const { tasks } = await ecs.send(new DescribeTasksCommand({ cluster, tasks: [task], include: ['TAGS'] }));
    expect(tasks![0].tags).toEqual(expect.arrayContaining([{ key: 'CostCenter', value: '4711' }, { key: 'prefect.io/flow-run-id', value: id }]));
    const { taskDefinition, tags } = await ecs.send(new DescribeTaskDefinitionCommand({ taskDefinition: tasks![0].taskDefinitionArn, include: ['TAGS'] }));
    expect(tags).toContainEqual({ key: 'CostCenter', value: '4711' });
    expect(taskDefinition!.ephemeralStorage).toEqual({ sizeInGiB: 100 });
    expect(taskDefinition!.containerDefinitions!.map(({ name }) => name).sort()).toEqual(['agent', 'log-router', 'prefect']);
    expect(taskDefinition!.containerDefinitions!.find(({ name }) => name === 'prefect')!.ulimits).toEqual([{ name: 'nofile', softLimit: 65536, hardLimit: 65536 }]);
  });

  test('whose task dies before it reaches the API becomes Crashed, with the last words of the container', async () => {
    const deployment = await live.prefect.deploy('dying', {
      workPool: ECS_POOL, entrypoint: 'flows.py:hello', directory: FLOWS, jobVariables: { command: 'python -c "raise SystemExit(\'no flow here\')"' },
    });
    const id = await live.prefect.start(deployment);
    expect((await live.prefect.waitFor(id, ['CRASHED'], 120)).state.type).toBe('CRASHED');
    await live.prefect.waitForLog(id, 'no flow here', 60);
  });

  test('that runs for longer than its deployment allows is stopped with its task, and says why', async () => {
    const run = await live.prefect.waitFor(endless, ['FAILED', 'COMPLETED', 'CRASHED'], 180);
    expect(run.state).toMatchObject({ type: 'FAILED', name: 'TimedOut', message: 'Its task ran for longer than max_run_time, 60 seconds, and was stopped.' });
    expect(await stopped(run)).toBe('STOPPED');
  });
});

/** The status of a flow run's task, once it has stopped. */
function stopped(run: FlowRun): Promise<string | undefined> {
  return eventually(60, async () => {
    const task = (await live.standIn.tasks()).find(({ taskArn }) => run.infrastructure_pid?.endsWith(taskArn));
    return task?.lastStatus === 'STOPPED' ? task.lastStatus : undefined;
  });
}

describe('the recorded calls', () => {
  test('of workers and flow runs are all allowed by the synthesized policies', async () => {
    // Of the functions, only ours: the CDK's bring along rights of their own.
    const calls = (await live.standIn.calls()).filter(({ caller }) => caller.kind === 'task' || /SharedFunctions\w{8}WorkPool|PrefectImagesFunction/.test(caller.function ?? ''));
    const ids = await physicalIds(live.standIn, 'Live');
    const simulator = new PolicySimulator(deployedTemplate(live.deployment.output), { physicalIds: ids.map });
    const questions = await questionsOf(simulator, calls);

    const asked = new Set(questions.map(({ request }) => request.action));
    for (const action of [
      'ecs:RegisterTaskDefinition', 'ecs:RunTask', 'ecs:StopTask', 'ecs:DescribeTasks', 'ecs:UpdateTaskProtection', 'iam:PassRole',
      'sqs:GetQueueUrl', 'sqs:ReceiveMessage', 'sqs:DeleteMessage', 'logs:GetLogEvents', 'secretsmanager:GetSecretValue', 's3:GetObject', 's3:PutObject', 'kms:GenerateDataKey',
    ]) {
      expect(asked).toContain(action);
    }
    const refused = new Set<string>();
    for (const { role, request } of questions) {
      if (!(await simulator.decide(role, request)).allowed) refused.add(`${role}: ${request.action} on ${request.resource}`);
    }
    expect([...refused]).toEqual([]);
  });

  test('do not ask EC2 about networks', async () => {
    const calls = await live.standIn.calls();
    expect(calls.filter(({ service, caller }) => service === 'ec2' && caller.kind === 'task')).toEqual([]);
  });
});

test('the authentication string is in no template, log, request, work pool or task definition, in clear or encoded', async () => {
  expect(await leaks(live)).toEqual([]);
});

describe('a later deployment', () => {
  test('takes over what changed and keeps what users changed in the pool', async () => {
    await live.prefect.call('PATCH', `/work_pools/${encodeURIComponent(ECS_POOL)}`, { description: 'Ours', is_paused: true, concurrency_limit: 7 });
    await deploy(live.standIn, { ...live.deployment, environment: { ...live.deployment.environment, GREETING: 'good day' } });

    const changed = await pool(ECS_POOL);
    expect(changed).toMatchObject({ description: 'Ours', is_paused: true, concurrency_limit: 7 });
    expect(changed.base_job_template.variables.properties.env.default).toMatchObject({ GREETING: 'good day' });
  });

  test('that removes the stack leaves the pools, and no worker, no automation and no block behind', async () => {
    const blocks = () => live.prefect.call<unknown[]>('GET', '/block_types/slug/s3-bucket/block_documents');
    expect(await blocks()).toHaveLength(1);
    await destroy(live.standIn, live.deployment);
    expect(await live.prefect.call('POST', '/automations/filter', {})).toEqual([]);
    expect(await blocks()).toEqual([]);
    expect(await pool(ECS_POOL)).toMatchObject({ type: 'ecs' });
    expect((await live.standIn.tasks()).filter(({ lastStatus }) => lastStatus === 'RUNNING')).toEqual([]);
  });
});
