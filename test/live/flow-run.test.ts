import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { FlowRunWorld, TASK } from './support/flow-run-world';
import { processesOfRun } from './support/processes';
import type { FlowRun } from '../../src/rescue/flow-run';
import { wasKilled } from '../../src/rescue/out-of-memory';

/** What the command of an ECS worker's flow runs does, with a real server and the real Prefect, when its task is stopped. */
const CLUSTER = 'arn:aws:ecs:us-east-1:123456789012:cluster/live';
const OTHER = 'arn:aws:ecs:us-east-1:123456789012:task/live/other';

let world: FlowRunWorld;

jest.setTimeout(120_000);

beforeAll(async () => { world = await FlowRunWorld.start(); }, 300_000);
afterEach(() => world.clean());
afterAll(() => world?.stop());

test('a flow run that is interrupted stops at once, even while the API is away, and is given back when that is there again', async () => {
  const { id, child, code } = await world.started();
  await world.gate.shut();
  child.kill('SIGTERM');
  await world.stopped(id);
  expect((await world.stateOf(id)).type).toBe('RUNNING');
  await world.gate.open();

  expect(await code).toBe(0);
  const handedBack = Date.now();
  const state = await world.stateOf(id);
  expect(state).toMatchObject({ type: 'SCHEDULED', name: 'AwaitingRetry', message: 'Its task was interrupted before it was finished.' });
  // Workers take runs that are due within ten seconds. Until then the reconciler hears whether a person has stopped the task.
  expect(Date.parse(state.state_details.scheduled_time!)).toBeGreaterThan(handedBack + 20_000);
});

test('an interruption is none of the flow\'s own tries: all of its retries are left', async () => {
  const { id, child, code } = await world.started({ FLOW_RUN_RESTART_SECONDS: '0' }, world.retried);
  child.kill('SIGTERM');
  expect(await code).toBe(0);
  expect(await world.prefect.flowRun(id)).toMatchObject({ run_count: 1, empirical_policy: { retries: 2 } });

  await world.claim(id);
  const again = world.execute(id);
  expect(await again.code).toBe(0);
  expect(again.said).toContain('the flow\'s first own failure');
  expect(await world.prefect.flowRun(id)).toMatchObject({ state: { type: 'COMPLETED' }, run_count: 3 });
});

test('where the pool wants that, it crashes, unless its tag says otherwise, and before it has begun it is given back', async () => {
  const crash = { INTERRUPTED_RUNS: 'crash' };
  const once = await world.started(crash);
  once.child.kill('SIGTERM');
  expect(await once.code).toBe(0);
  expect(await world.stateOf(once.id)).toMatchObject({ type: 'CRASHED', message: 'Its task was interrupted before it was finished.' });

  const tagged = await world.started(crash);
  await world.prefect.call('PATCH', `/flow_runs/${tagged.id}`, { tags: ['when-interrupted:restart'] });
  tagged.child.kill('SIGTERM');
  expect(await tagged.code).toBe(0);
  expect((await world.stateOf(tagged.id)).name).toBe('AwaitingRetry');

  const early = await world.loading(world.execute(await world.claimed(60), crash));
  early.child.kill('SIGTERM');
  expect(await early.code).toBe(0);
  expect((await world.stateOf(early.id)).name).toBe('AwaitingRetry');
});

test('before it has begun, it is given back as well', async () => {
  const { id, child, code } = await world.loading(world.execute(await world.claimed(60)));
  child.kill('SIGTERM');
  expect(await code).toBe(0);
  expect(await world.prefect.flowRun(id)).toMatchObject({ state: { name: 'AwaitingRetry' }, empirical_policy: { retries: null } });
});

test('where the API stays away, it ends as if all were well, says so, and leaves the run to the reconciler', async () => {
  const execution = await world.started({ FLOW_RUN_HAND_BACK_SECONDS: '3' });
  const { id, child, code } = execution;
  await world.gate.shut();
  child.kill('SIGTERM');
  expect(await code).toBe(0);
  await world.gate.open();
  expect(execution.said).toContain(`Flow run ${id} was interrupted, and the Prefect API did not take it back; the reconciler will.`);
  expect((await world.stateOf(id)).type).toBe('RUNNING');
});

test('one that is being cancelled is not given back', async () => {
  const { id, child, code } = await world.started();
  // Prefect's own command can't see it, which may end the cancelling itself otherwise.
  await world.gate.shut();
  await world.prefect.call('POST', `/flow_runs/${id}/set_state`, { state: { type: 'CANCELLING' } });
  child.kill('SIGTERM');
  await world.stopped(id);
  await world.gate.open();

  expect(await code).toBe(0);
  expect((await world.stateOf(id)).type).toBe('CANCELLING');
});

test('one that isn\'t interrupted ends as it does, with Prefect\'s exit code', async () => {
  const id = await world.claimed(0);
  const { code } = world.execute(id);
  expect(await code).toBe(0);
  expect((await world.stateOf(id)).type).toBe('COMPLETED');

  const unknown = world.execute('00000000-0000-4000-8000-000000000000');
  expect(await unknown.code).toBe(1);
});

test('one whose process the kernel kills, as where memory runs out, crashes with the words by which the reconciler knows that', async () => {
  const { id, code } = await world.started();
  const flow = (await processesOfRun(id)).sort((one, other) => other.pid - one.pid)[0];
  process.kill(flow.pid, 'SIGKILL');
  // Prefect has said all there is to say, and its command ends well.
  expect(await code).toBe(0);
  const { type, message } = await world.stateOf(id);
  expect({ type, killed: wasKilled({ message } as FlowRun) }).toEqual({ type: 'CRASHED', killed: true });
});

test('in an image without Prefect, one crashes and says that, with the exit code of a command that is not there', async () => {
  const bare = await mkdtemp(join(tmpdir(), 'bare-'));
  await writeFile(join(bare, 'python'), `#!/bin/sh\nexec ${world.bin}/python -I -S "$@"\n`, { mode: 0o755 });
  const { id, code } = world.execute(await world.claimed(60), { PATH: bare });
  expect(await code).toBe(127);
  expect(await world.stateOf(id)).toMatchObject({ type: 'CRASHED', message: 'The image of its task has no Prefect. Install it there, or give the flow run another image.' });
  await rm(bare, { recursive: true });
});

test('where its environment wants interruptions to count as crashes, it is not given back, and its exit code tells', async () => {
  const { id, child, code } = await world.started({ PREFECT_FLOW_RUN_EXECUTE_SIGTERM_BEHAVIOR: 'crash' });
  child.kill('SIGTERM');
  expect(await code).toBe(128 + 15);
  expect((await world.stateOf(id)).type).toBe('RUNNING');
  // In a container it would end with the first process.
  for (const { pid } of await processesOfRun(id)) process.kill(pid, 'SIGKILL');
});

describe('in a task of Amazon ECS', () => {
  const inTask = (id: string, claimSeconds = 60) => world.execute(id, {
    ECS_CONTAINER_METADATA_URI_V4: world.metadataUrl,
    FLOW_RUN_CLAIM_SECONDS: `${claimSeconds}`,
  });
  const name = (id: string, task: string) => world.prefect.call('PATCH', `/flow_runs/${id}`, { infrastructure_pid: `${CLUSTER}::${task}` });

  /** A flow run that would complete at once, in a state in which this task finds it. */
  async function found(state: string, task?: string): Promise<string> {
    const id = await world.claimed(0);
    if (task) await name(id, task);
    if (state !== 'PENDING') await world.prefect.call('POST', `/flow_runs/${id}/set_state`, { state: { type: state }, force: true });
    return id;
  }

  test('a flow run that names this task is executed at once', async () => {
    const id = await found('PENDING', TASK);
    expect(await inTask(id).code).toBe(0);
    expect(await world.prefect.flowRun(id)).toMatchObject({ state: { type: 'COMPLETED' }, run_count: 1 });
  });

  test('one that still names its last task is executed when its worker has written down this one', async () => {
    const id = await found('PENDING', OTHER);
    const { code } = inTask(id);
    // Longer than all of its execution takes.
    await sleep(15_000);
    expect(await world.stateOf(id)).toMatchObject({ type: 'PENDING' });
    // Prefect's command is there already, and loaded.
    expect(await Promise.all((await processesOfRun(id)).map(async ({ pid }) => (await readFile(`/proc/${pid}/maps`, 'utf8')).includes('pydantic_core')))).toEqual([false, true]);
    await name(id, TASK);
    expect(await code).toBe(0);
    expect(await world.prefect.flowRun(id)).toMatchObject({ state: { type: 'COMPLETED' }, run_count: 1 });
  });

  test('one that goes on naming another task is left to that, without an exit code that counts as a crash', async () => {
    const id = await found('PENDING', OTHER);
    const execution = inTask(id, 3);
    expect(await execution.code).toBe(0);
    expect(execution.said).toMatch(/is left alone, as it is not this task's: it names .*task\/live\/other/);
    expect(await world.prefect.flowRun(id)).toMatchObject({ state: { type: 'PENDING' }, run_count: 0 });
  });

  test.each([['RUNNING', 'it is executed already'], ['COMPLETED', 'it is COMPLETED'], ['SCHEDULED', 'it was given back']])('one that is %s by now is left alone, although its slow worker wrote down this task', async (state, why) => {
    const id = await found(state, TASK);
    const before = await world.prefect.flowRun(id);
    const execution = inTask(id);
    expect(await execution.code).toBe(0);
    expect(execution.said).toContain(why);
    expect(await world.prefect.flowRun(id)).toMatchObject({ state: before.state, run_count: before.run_count });
  });

  test('one of which nobody has written down a task is executed after a while, and one that is no ECS worker\'s at once', async () => {
    const unwritten = await found('PENDING');
    const start = Date.now();
    const execution = inTask(unwritten, 3);
    expect(await execution.code).toBe(0);
    expect(execution.said).toContain('warning: after 3 s, it names no task');
    expect((await world.stateOf(unwritten)).type).toBe('COMPLETED');
    expect(Date.now() - start).toBeGreaterThan(3000);

    const foreign = await found('PENDING');
    await world.prefect.call('PATCH', `/flow_runs/${foreign}`, { infrastructure_pid: 'ip-10-0-0-1:77' });
    expect(await inTask(foreign).code).toBe(0);
    expect((await world.stateOf(foreign)).type).toBe('COMPLETED');
  });

  test.each([['AwaitingRetry', 'no task', undefined], ['Pending', 'another task', OTHER]])('it is %s after the end of this task where it names %s', async (state, _, task) => {
    const id = await found('PENDING', task);
    const { child, code } = await world.loading(inTask(id));
    await sleep(2500);
    child.kill('SIGTERM');
    expect(await code).toBe(0);
    expect((await world.stateOf(id)).name).toBe(state);
  });

  test('one that another task executes by now is not taken from that by the end of this one', async () => {
    const id = await found('PENDING', TASK);
    await world.prefect.call('PATCH', `/flow_runs/${id}`, { parameters: { seconds: 60 } });
    const execution = inTask(id);
    await world.prefect.waitFor(id, ['RUNNING'], 60);
    await sleep(1000);
    await name(id, OTHER);
    execution.child.kill('SIGTERM');
    expect(await execution.code).toBe(0);
    expect(execution.said).toContain('is not given back');
    expect((await world.stateOf(id)).type).toBe('RUNNING');
  });
});

test('beside threads that something else has started before, as instrumentation does, Prefect\'s command is a program of its own', async () => {
  const instrumented = await mkdtemp(join(tmpdir(), 'instrumented-'));
  await writeFile(join(instrumented, 'sitecustomize.py'), 'import sys, threading, time\nthreading.Thread(target=time.sleep, args=(60,), daemon=True).start()\nprint("started as", sys.orig_argv[-2:])\n');
  const execution = world.execute(await world.claimed(0), { PYTHONPATH: instrumented });
  expect(await execution.code).toBe(0);
  expect(execution.said).toContain('started as [\'flow-run\', \'execute\']');
  expect((await world.stateOf(execution.id)).type).toBe('COMPLETED');
  await rm(instrumented, { recursive: true });
});

test('without the program, as in a task definition that a deployment brings, it is Prefect\'s own command', async () => {
  const id = await world.claimed(0);
  const execution = world.execute(id, { FLOW_RUN_PROGRAM: undefined });
  expect(await execution.code).toBe(0);
  expect((await world.stateOf(id)).type).toBe('COMPLETED');
});
