import './reconciler/waiting-runs';
import './reconciler/start-failures';
import './reconciler/stopped-tasks';
import './reconciler/heartbeats';
import './reconciler/process-workers';
import './reconciler/rotated-secrets';
import { startWorld, world } from './reconciler/world';
import { CLUSTER, TASK } from '../support/reconciler-aws';

/** What the reconciler does to flow runs of a real Prefect server, which takes some changes and refuses others. */
jest.setTimeout(60_000);

beforeAll(startWorld, 120_000);
beforeEach(async () => {
  await world.clean();
  jest.spyOn(console, 'log').mockImplementation();
  jest.spyOn(console, 'error').mockImplementation();
});
afterEach(() => jest.restoreAllMocks());
afterAll(() => world?.stop());

test('asks ECS only for its list of tasks where no run is on its way', async () => {
  await world.look();
  expect(world.targets()).toEqual(['ListTasks']);
  await world.look('process');
  expect(world.targets()).toEqual([]);
});

test('gives a run whose task was taken away back to the workers, and says why', async () => {
  const id = await world.run();
  world.task(id);
  await world.look();
  expect(await world.stateOf(id)).toMatchObject({ type: 'SCHEDULED', name: 'AwaitingRetry', message: 'Its task has ended: Your Spot Task was interrupted.' });
});

test('ends a run whose task has run for longer than it may, before it stops the task, and gives it no retry', async () => {
  const id = await world.run({ policy: { retries: 3 } });
  const limit = [{ key: 'prefect.io/flow-run-id', value: id }, { key: 'max-run-time', value: '60 seconds' }];
  world.task(id, { lastStatus: 'RUNNING', startedAt: Date.now() / 1000 - 61, tags: limit });
  await world.look();
  expect(await world.stateOf(id)).toMatchObject({ type: 'FAILED', name: 'TimedOut', message: 'Its task ran for longer than max_run_time, 60 seconds, and was stopped.' });
  const acts = world.requests.map(({ method, path }) => path.endsWith('/set_state') ? 'set_state' : method).filter(act => ['set_state', 'StopTask'].includes(act));
  expect(acts).toEqual(['set_state', 'StopTask']);
  expect(world.requests.find(({ method }) => method === 'StopTask')!.body.reason).toContain('longer than max_run_time');
});

test('leaves a run alone whose task may go on', async () => {
  const id = await world.run();
  world.task(id, { lastStatus: 'RUNNING', startedAt: Date.now() / 1000 - 61, tags: [{ key: 'prefect.io/flow-run-id', value: id }, { key: 'max-run-time', value: '3600 seconds' }] });
  await world.look();
  expect((await world.stateOf(id)).type).toBe('RUNNING');
});

test('looks at the other runs where a task is tagged with something that is no flow run', async () => {
  const id = await world.run();
  world.task(id);
  world.task('foreign', { lastStatus: 'RUNNING', tags: [{ key: 'prefect.io/flow-run-id', value: 'nightly' }] });
  await world.look();
  expect((await world.stateOf(id)).type).toBe('SCHEDULED');
});

test('never forces a state', async () => {
  world.task(await world.run());
  await world.look();
  expect(world.requests.find(({ path }) => path.endsWith('/set_state'))!.body.force).toBe(false);
});

test('says what ECS says of the containers', async () => {
  const id = await world.run();
  world.task(id, { stopCode: 'EssentialContainerExited', stoppedReason: 'Essential container in task exited', containers: [{ name: 'prefect', reason: 'OutOfMemoryError: Container killed due to memory usage', exitCode: 137 }] });
  await world.look();
  expect(await world.stateOf(id)).toMatchObject({ type: 'CRASHED', message: 'Its task has ended: Essential container in task exited; prefect: OutOfMemoryError: Container killed due to memory usage, exit code 137' });
});

test('asks for more than a hundred tasks and two hundred runs in turns', async () => {
  const ids: string[] = [];
  while (ids.length < 210) ids.push(...await Promise.all(Array.from({ length: 10 }, () => world.run({ state: 'PENDING' }))));
  await world.look('ecs', { settle: 3600 });
  const described = world.requests.filter(({ method }) => method === 'DescribeTasks').map(({ body }) => body.tasks);
  expect(described.map(tasks => tasks.length)).toEqual([100, 100, 10]);
  expect(new Set(described.flat())).toEqual(new Set(ids.map(id => TASK + id)));
});

test('leaves a run alone that has gone on in the meantime', async () => {
  const id = await world.run();
  world.task(id);
  world.before = async ({ method, path }) => {
    if (method === 'GET' && path.includes(id)) await world.set(id, { type: 'COMPLETED' });
  };
  await world.look();
  expect((await world.stateOf(id)).type).toBe('COMPLETED');
  expect(world.changes()).toEqual([]);
});

test('leaves runs alone whose tasks are in another cluster, region or account', async () => {
  const elsewhere = ['arn:aws:ecs:us-east-1:123456789012:task/other/1', 'arn:aws:ecs:eu-west-1:123456789012:task/live/1', 'arn:aws:ecs:us-east-1:999999999999:task/live/1'];
  for (const arn of elsewhere) await world.run({ infrastructure: `cluster::${arn}` });
  await world.run({ infrastructure: 'ip-10-0-0-1:77' });
  await world.look();
  expect(world.targets()).not.toContain('DescribeTasks');
  expect(world.changes()).toEqual([]);
});

test('finds by its tag a task that the worker failed to write down', async () => {
  const claimed = await world.run({ state: 'PENDING', infrastructure: null });
  const unwritten = await world.run({ state: 'PENDING', infrastructure: null });
  const again = await world.run({ infrastructure: `${CLUSTER}::${TASK}forgotten` });
  world.task(unwritten, { lastStatus: 'RUNNING' });
  world.task(again, { lastStatus: 'RUNNING' });
  await world.look();
  expect(await world.typesOf([claimed, unwritten, again])).toEqual(['SCHEDULED', 'PENDING', 'RUNNING']);
});

test('knows the task of the attempt that is Pending from that of an earlier one, which still cleaned up when the run was claimed', async () => {
  const created = Date.now() / 1000 - 1000;
  const claimed = await world.run({ state: 'PENDING', stateName: 'Submitting' });
  const placed = await world.run({ state: 'PENDING', stateName: 'InfrastructurePending' });
  for (const id of [claimed, placed]) world.task(id, { createdAt: created });
  await world.look('ecs', { claimed: 300 });
  expect(await world.typesOf([claimed, placed])).toEqual(['PENDING', 'SCHEDULED']);
});

describe('where interrupted runs are to crash', () => {
  test('one that executed does, and one whose tag says otherwise is started again', async () => {
    world.interruptedRuns = 'crash';
    const [once, again] = [await world.run(), await world.run({ tags: ['when-interrupted:restart'] })];
    for (const id of [once, again]) world.task(id);
    await world.look();
    expect(await world.typesOf([once, again])).toEqual(['CRASHED', 'SCHEDULED']);
  });

  test('a deployment\'s tag says so for its runs', async () => {
    await world.changeDeployment({}, ['when-interrupted:crash']);
    const id = await world.run();
    world.task(id);
    await world.look();
    expect((await world.stateOf(id)).type).toBe('CRASHED');
  });
});

test('does not repeat a change of state whose answer is lost: a worker may have claimed the run since', async () => {
  world.task(await world.run());
  world.instead.push({ path: /\/set_state$/, status: 504, heard: true });
  await expect(world.look()).rejects.toThrow('504');
  expect(world.changes()).toEqual(['POST /api/flow_runs/id/set_state']);
});

test('helps the others where Prefect refuses one, and fails so that it is seen', async () => {
  const [first, second] = [await world.run(), await world.run()];
  for (const id of [first, second]) world.task(id);
  world.instead.push({ path: new RegExp(`${first}/set_state$`), status: 422 });
  await expect(world.look()).rejects.toThrow('422');
  expect(await world.typesOf([first, second])).toEqual(['RUNNING', 'SCHEDULED']);
});
