import { ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, Server } from 'node:http';
import { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { FLOWS } from './support/environment';
import { eventually } from './support/evidence';
import { Gate, openGate } from './support/gate';
import { Prefect } from './support/prefect';
import { processesOfRun } from './support/processes';
import type { FlowRun } from '../../src/rescue/flow-run';
import { wasKilled } from '../../src/rescue/out-of-memory';
import { FLOW_RUN } from '../../src/task/command';
import { pythonEnvironment } from '../python/environment';
import { PrefectServer, startPrefectServer } from '../stand-in/prefect-server';

interface Execution {
  readonly id: string;
  readonly child: ChildProcess;
  readonly code: Promise<number | null>;
  said: string;
}

/** What the command of an ECS worker's flow runs does, with a real server and the real Prefect, when its task is stopped. */
const POOL = 'tasks';
const AUTH = 'admin:a "pass" word';
const CLUSTER = 'arn:aws:ecs:us-east-1:123456789012:cluster/live';
const TASK = 'arn:aws:ecs:us-east-1:123456789012:task/live/this';
const OTHER = 'arn:aws:ecs:us-east-1:123456789012:task/live/other';

let bin: string;
let server: PrefectServer;
/** What ECS puts at ECS_CONTAINER_METADATA_URI_V4. */
let metadata: Server;
let gate: Gate;
let prefect: Prefect;
let deployment: string;
let retried: string;
let executions: Execution[] = [];

jest.setTimeout(120_000);

beforeAll(async () => {
  ({ bin } = await pythonEnvironment());
  server = await startPrefectServer({ authString: AUTH });
  gate = await openGate(server.apiUrl);
  prefect = new Prefect(server.apiUrl, { authorization: `Basic ${Buffer.from(AUTH).toString('base64')}` });
  metadata = createServer(({ url }, response) => response.end(JSON.stringify(url === '/v4/one/task' ? { TaskARN: TASK } : { Name: 'prefect' })));
  await new Promise<void>(resolve => metadata.listen(0, '127.0.0.1', resolve));
  await prefect.call('POST', '/work_pools/', { name: POOL, type: 'ecs' });
  deployment = await prefect.deploy('any', { workPool: POOL, entrypoint: 'flows.py:sleeper', directory: FLOWS });
  retried = await prefect.deploy('any', { workPool: POOL, entrypoint: 'flows.py:retried', directory: FLOWS });
}, 300_000);
afterEach(async () => {
  await gate.open();
  for (const { child } of executions) child.kill('SIGKILL');
  executions = [];
});
afterAll(async () => {
  metadata?.closeAllConnections();
  metadata?.close();
  await gate?.stop();
  await server?.stop();
});

async function claimed(seconds: number, of = deployment): Promise<string> {
  const id = await prefect.start(of, { seconds });
  await claim(id);
  return id;
}

/** As a worker does before it starts a task. */
async function claim(id: string): Promise<void> {
  await prefect.call('POST', `/flow_runs/${id}/set_state`, { state: { type: 'PENDING' } });
}

function execute(id: string, environment: Record<string, string | undefined> = {}): Execution {
  const [command, ...options] = FLOW_RUN.command;
  const child = spawn(command, options, {
    env: {
      PATH: `${bin}:${process.env.PATH}`,
      PREFECT_API_URL: gate.apiUrl,
      PREFECT_API_AUTH_STRING: AUTH,
      PREFECT_CLIENT_MAX_RETRIES: '9',
      PREFECT_FLOW_RUN_EXECUTE_SIGTERM_BEHAVIOR: 'reschedule',
      PREFECT__FLOW_RUN_ID: id,
      ...FLOW_RUN.environment,
      ...environment,
    },
  });
  const execution: Execution = { id, child, said: '', code: new Promise(resolve => child.on('close', resolve)) };
  for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => { execution.said += chunk; });
  executions.push(execution);
  return execution;
}

async function started(environment: Record<string, string> = {}, of = deployment): Promise<Execution> {
  const execution = execute(await claimed(60, of), environment);
  await prefect.waitFor(execution.id, ['RUNNING'], 60).catch(error => { throw new Error(`${error.message}\n${execution.said}`); });
  // The engine has told the process above it that it is there.
  await sleep(1000);
  return execution;
}

/** Only what gives it back is left; the flow, which had most of its minute to go, and Prefect's command have ended. */
async function stopped(id: string): Promise<void> {
  expect(await eventually(20, async () => (await processesOfRun(id)).length === 1 || undefined)).toBe(true);
}

const stateOf = async (id: string) => (await prefect.flowRun(id)).state;

test('a flow run that is interrupted stops at once, even while the API is away, and is given back when that is there again', async () => {
  const { id, child, code } = await started();
  await gate.shut();
  child.kill('SIGTERM');
  await stopped(id);
  expect((await stateOf(id)).type).toBe('RUNNING');
  await gate.open();

  expect(await code).toBe(0);
  const handedBack = Date.now();
  const state = await stateOf(id);
  expect(state).toMatchObject({ type: 'SCHEDULED', name: 'AwaitingRetry', message: 'Its task was interrupted before it was finished.' });
  // Workers take runs that are due within ten seconds. Until then the reconciler hears whether a person has stopped the task.
  expect(Date.parse(state.state_details.scheduled_time!)).toBeGreaterThan(handedBack + 20_000);
});

test('an interruption is none of the flow\'s own tries: all of its retries are left', async () => {
  const { id, child, code } = await started({ FLOW_RUN_RESTART_SECONDS: '0' }, retried);
  child.kill('SIGTERM');
  expect(await code).toBe(0);
  expect(await prefect.flowRun(id)).toMatchObject({ run_count: 1, empirical_policy: { retries: 2 } });

  await claim(id);
  const again = execute(id);
  expect(await again.code).toBe(0);
  expect(again.said).toContain('the flow\'s first own failure');
  expect(await prefect.flowRun(id)).toMatchObject({ state: { type: 'COMPLETED' }, run_count: 3 });
});

test('where the pool wants that, it crashes, unless its tag says otherwise, and before it has begun it is given back', async () => {
  const crash = { INTERRUPTED_RUNS: 'crash' };
  const once = await started(crash);
  once.child.kill('SIGTERM');
  expect(await once.code).toBe(0);
  expect(await stateOf(once.id)).toMatchObject({ type: 'CRASHED', message: 'Its task was interrupted before it was finished.' });

  const tagged = await started(crash);
  await prefect.call('PATCH', `/flow_runs/${tagged.id}`, { tags: ['when-interrupted:restart'] });
  tagged.child.kill('SIGTERM');
  expect(await tagged.code).toBe(0);
  expect((await stateOf(tagged.id)).name).toBe('AwaitingRetry');

  const early = execute(await claimed(60), crash);
  await sleep(300);
  early.child.kill('SIGTERM');
  expect(await early.code).toBe(0);
  expect((await stateOf(early.id)).name).toBe('AwaitingRetry');
});

test('before it has begun, it is given back as well', async () => {
  const id = await claimed(60);
  const { child, code } = execute(id);
  await sleep(300);
  child.kill('SIGTERM');
  expect(await code).toBe(0);
  expect(await prefect.flowRun(id)).toMatchObject({ state: { name: 'AwaitingRetry' }, empirical_policy: { retries: null } });
});

test('where the API stays away, it ends as if all were well, says so, and leaves the run to the reconciler', async () => {
  const execution = await started({ FLOW_RUN_HAND_BACK_SECONDS: '3' });
  const { id, child, code } = execution;
  await gate.shut();
  child.kill('SIGTERM');
  expect(await code).toBe(0);
  await gate.open();
  expect(execution.said).toContain(`Flow run ${id} was interrupted, and the Prefect API did not take it back; the reconciler will.`);
  expect((await stateOf(id)).type).toBe('RUNNING');
});

test('one that is being cancelled is not given back', async () => {
  const { id, child, code } = await started();
  // Prefect's own command can't see it, which may end the cancelling itself otherwise.
  await gate.shut();
  await prefect.call('POST', `/flow_runs/${id}/set_state`, { state: { type: 'CANCELLING' } });
  child.kill('SIGTERM');
  await stopped(id);
  await gate.open();

  expect(await code).toBe(0);
  expect((await stateOf(id)).type).toBe('CANCELLING');
});

test('one that isn\'t interrupted ends as it does, with Prefect\'s exit code', async () => {
  const id = await claimed(0);
  const { code } = execute(id);
  expect(await code).toBe(0);
  expect((await stateOf(id)).type).toBe('COMPLETED');

  const unknown = execute('00000000-0000-4000-8000-000000000000');
  expect(await unknown.code).toBe(1);
});

test('one whose process the kernel kills, as where memory runs out, crashes with the words by which the reconciler knows that', async () => {
  const { id, code } = await started();
  const flow = (await processesOfRun(id)).sort((one, other) => other.pid - one.pid)[0];
  process.kill(flow.pid, 'SIGKILL');
  // Prefect has said all there is to say, and its command ends well.
  expect(await code).toBe(0);
  const { type, message } = await stateOf(id);
  expect({ type, killed: wasKilled({ message } as FlowRun) }).toEqual({ type: 'CRASHED', killed: true });
});

test('in an image without Prefect, one crashes and says that, with the exit code of a command that is not there', async () => {
  const bare = await mkdtemp(join(tmpdir(), 'bare-'));
  await writeFile(join(bare, 'python'), `#!/bin/sh\nexec ${bin}/python -I -S "$@"\n`, { mode: 0o755 });
  const { id, code } = execute(await claimed(60), { PATH: bare });
  expect(await code).toBe(127);
  expect(await stateOf(id)).toMatchObject({ type: 'CRASHED', message: 'The image of its task has no Prefect. Install it there, or give the flow run another image.' });
  await rm(bare, { recursive: true });
});

test('where its environment wants interruptions to count as crashes, it is not given back, and its exit code tells', async () => {
  const { id, child, code } = await started({ PREFECT_FLOW_RUN_EXECUTE_SIGTERM_BEHAVIOR: 'crash' });
  child.kill('SIGTERM');
  expect(await code).toBe(128 + 15);
  expect((await stateOf(id)).type).toBe('RUNNING');
  // In a container it would end with the first process.
  for (const { pid } of await processesOfRun(id)) process.kill(pid, 'SIGKILL');
});

describe('in a task of Amazon ECS', () => {
  const inTask = (id: string, claimSeconds = 60) => execute(id, {
    ECS_CONTAINER_METADATA_URI_V4: `http://127.0.0.1:${(metadata.address() as AddressInfo).port}/v4/one`,
    FLOW_RUN_CLAIM_SECONDS: `${claimSeconds}`,
  });
  const name = (id: string, task: string) => prefect.call('PATCH', `/flow_runs/${id}`, { infrastructure_pid: `${CLUSTER}::${task}` });

  /** A flow run that would complete at once, in a state in which this task finds it. */
  async function found(state: string, task?: string): Promise<string> {
    const id = await claimed(0);
    if (task) await name(id, task);
    if (state !== 'PENDING') await prefect.call('POST', `/flow_runs/${id}/set_state`, { state: { type: state }, force: true });
    return id;
  }

  test('a flow run that names this task is executed at once', async () => {
    const id = await found('PENDING', TASK);
    expect(await inTask(id).code).toBe(0);
    expect(await prefect.flowRun(id)).toMatchObject({ state: { type: 'COMPLETED' }, run_count: 1 });
  });

  test('one that still names its last task is executed when its worker has written down this one', async () => {
    const id = await found('PENDING', OTHER);
    const { code } = inTask(id);
    // Longer than all of its execution takes.
    await sleep(15_000);
    expect(await stateOf(id)).toMatchObject({ type: 'PENDING' });
    // Prefect's command is there already, and loaded.
    expect(await Promise.all((await processesOfRun(id)).map(async ({ pid }) => (await readFile(`/proc/${pid}/maps`, 'utf8')).includes('pydantic_core')))).toEqual([false, true]);
    await name(id, TASK);
    expect(await code).toBe(0);
    expect(await prefect.flowRun(id)).toMatchObject({ state: { type: 'COMPLETED' }, run_count: 1 });
  });

  test('one that goes on naming another task is left to that, without an exit code that counts as a crash', async () => {
    const id = await found('PENDING', OTHER);
    const execution = inTask(id, 3);
    expect(await execution.code).toBe(0);
    expect(execution.said).toMatch(/is left alone, as it is not this task's: it names .*task\/live\/other/);
    expect(await prefect.flowRun(id)).toMatchObject({ state: { type: 'PENDING' }, run_count: 0 });
  });

  test.each([['RUNNING', 'it is executed already'], ['COMPLETED', 'it is COMPLETED'], ['SCHEDULED', 'it was given back']])('one that is %s by now is left alone, although its slow worker wrote down this task', async (state, why) => {
    const id = await found(state, TASK);
    const before = await prefect.flowRun(id);
    const execution = inTask(id);
    expect(await execution.code).toBe(0);
    expect(execution.said).toContain(why);
    expect(await prefect.flowRun(id)).toMatchObject({ state: before.state, run_count: before.run_count });
  });

  test('one of which nobody has written down a task is executed after a while, and one that is no ECS worker\'s at once', async () => {
    const unwritten = await found('PENDING');
    const start = Date.now();
    const execution = inTask(unwritten, 3);
    expect(await execution.code).toBe(0);
    expect(execution.said).toContain('warning: after 3 s, it names no task');
    expect((await stateOf(unwritten)).type).toBe('COMPLETED');
    expect(Date.now() - start).toBeGreaterThan(3000);

    const foreign = await found('PENDING');
    await prefect.call('PATCH', `/flow_runs/${foreign}`, { infrastructure_pid: 'ip-10-0-0-1:77' });
    expect(await inTask(foreign).code).toBe(0);
    expect((await stateOf(foreign)).type).toBe('COMPLETED');
  });

  test.each([['AwaitingRetry', 'no task', undefined], ['Pending', 'another task', OTHER]])('it is %s after the end of this task where it names %s', async (state, _, task) => {
    const id = await found('PENDING', task);
    const { child, code } = inTask(id);
    await sleep(2500);
    child.kill('SIGTERM');
    expect(await code).toBe(0);
    expect((await stateOf(id)).name).toBe(state);
  });

  test('one that another task executes by now is not taken from that by the end of this one', async () => {
    const id = await found('PENDING', TASK);
    await prefect.call('PATCH', `/flow_runs/${id}`, { parameters: { seconds: 60 } });
    const execution = inTask(id);
    await prefect.waitFor(id, ['RUNNING'], 60);
    await sleep(1000);
    await name(id, OTHER);
    execution.child.kill('SIGTERM');
    expect(await execution.code).toBe(0);
    expect(execution.said).toContain('is not given back');
    expect((await stateOf(id)).type).toBe('RUNNING');
  });
});

test('beside threads that something else has started before, as instrumentation does, Prefect\'s command is a program of its own', async () => {
  const instrumented = await mkdtemp(join(tmpdir(), 'instrumented-'));
  await writeFile(join(instrumented, 'sitecustomize.py'), 'import sys, threading, time\nthreading.Thread(target=time.sleep, args=(60,), daemon=True).start()\nprint("started as", sys.orig_argv[-2:])\n');
  const execution = execute(await claimed(0), { PYTHONPATH: instrumented });
  expect(await execution.code).toBe(0);
  expect(execution.said).toContain('started as [\'flow-run\', \'execute\']');
  expect((await stateOf(execution.id)).type).toBe('COMPLETED');
  await rm(instrumented, { recursive: true });
});

test('without the program, as in a task definition that a deployment brings, it is Prefect\'s own command', async () => {
  const id = await claimed(0);
  const execution = execute(id, { FLOW_RUN_PROGRAM: undefined });
  expect(await execution.code).toBe(0);
  expect((await stateOf(id)).type).toBe('COMPLETED');
});
