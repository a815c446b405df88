import { CLUSTER, TASK } from '../support/reconciler-aws';
import { ReconcilerWorld } from '../support/reconciler-world';

/** Which flow runs of a pool the reconciler looks after, and which are none of its business: several can serve one pool. */
let world: ReconcilerWorld;

jest.setTimeout(60_000);

beforeAll(async () => { world = await ReconcilerWorld.start(); }, 120_000);
beforeEach(async () => {
  await world.clean();
  jest.spyOn(console, 'log').mockImplementation();
  jest.spyOn(console, 'error').mockImplementation();
});
afterEach(() => jest.restoreAllMocks());
afterAll(() => world?.stop());

const OURS = 'us-east-1:live:worker';
const ELSEWHERE = 'cluster::arn:aws:ecs:us-east-1:123456789012:task/other/1';

test('runs of work queues that the workers don\'t serve are left to those who do', async () => {
  await world.changeQueue('fast');
  const fast = await world.run();
  await world.changeQueue('slow');
  const slow = await world.run();
  for (const id of [fast, slow]) world.task(id);
  await world.look('ecs', {}, ['fast']);
  expect(await world.typesOf([fast, slow])).toEqual(['SCHEDULED', 'RUNNING']);
  await world.look('ecs');
  expect(await world.typesOf([slow])).toEqual(['SCHEDULED']);
});

describe('a run that was claimed', () => {
  test.each([
    ['by a worker of this cluster', OURS, null, 'SCHEDULED'],
    ['by nobody knows whom', undefined, null, 'SCHEDULED'],
    ['by a worker of this cluster, after an attempt elsewhere', OURS, ELSEWHERE, 'SCHEDULED'],
    ['by a worker elsewhere', 'us-east-1:other:worker', null, 'PENDING'],
    ['by a worker that somebody named', 'ECSWorker 7c4c1b2e', null, 'PENDING'],
    ['by a worker elsewhere, after an attempt here', 'us-east-1:other:worker', `${CLUSTER}::${TASK}before`, 'PENDING'],
  ])('%s, and has no task, is helped where it is ours', async (_, worker, infrastructure, state) => {
    const id = await world.run({ state: 'PENDING', worker, infrastructure });
    world.task('before', { stoppedAt: Date.now() / 1000 - 10 });
    await world.look();
    expect(await world.typesOf([id])).toEqual([state]);
  });

  test('by a worker of this cluster that lives is not taken for the worker\'s own task', async () => {
    const id = await world.run({ state: 'PENDING', worker: OURS, infrastructure: null });
    world.task('worker', { lastStatus: 'RUNNING', tags: [] });
    await world.look();
    expect(await world.typesOf([id])).toEqual(['SCHEDULED']);
  });
});

test.each([['ecs', ELSEWHERE, undefined], ['ecs', null, 'ECSWorker 7c4c1b2e'], ['process', 'a-laptop:77', 'a-laptop']] as const)(
  'a run of a worker elsewhere (%s, %s) is not asked for its heartbeats', async (type, infrastructure, worker) => {
    const id = await world.run({ infrastructure, worker });
    await world.look(type);
    expect(await world.typesOf([id])).toEqual(['RUNNING']);
    expect(world.requests.filter(({ path }) => path.includes('events'))).toEqual([]);
  });

describe('the subflows of a run', () => {
  const killed = { stopCode: 'EssentialContainerExited', stoppedReason: 'Essential container in task exited' };

  test('that crashes with its task end with it, those of theirs, too, and what has ended stays', async () => {
    const parent = await world.run();
    const [running, done] = [await world.subflow(parent, 'RUNNING'), await world.subflow(parent, 'COMPLETED')];
    const below = await world.subflow(running, 'PAUSED');
    world.task(parent, killed);
    await world.look();
    expect(await world.typesOf([parent, running, below, done])).toEqual(['CRASHED', 'CRASHED', 'CRASHED', 'COMPLETED']);
    expect((await world.stateOf(running)).message).toBe('The process of its parent flow run has ended.');
  });

  test('that was cancelled end with it', async () => {
    const parent = await world.run({ state: 'CANCELLING' });
    const subflow = await world.subflow(parent, 'RUNNING');
    world.task(parent);
    await world.look();
    expect(await world.typesOf([parent])).toEqual(['CANCELLED']);
    expect(['CRASHED', 'CANCELLED']).toContain((await world.stateOf(subflow)).type);
  });

  test('that counts as crashed end where its process is gone, and go on where it may live', async () => {
    const ofWorker = { state: 'CRASHED', begun: true, infrastructure: 'ip:77', worker: OURS } as const;
    const died = await world.run({ ...ofWorker, message: 'Flow run process exited with non-zero status code 137.' });
    const silent = await world.run({ ...ofWorker, message: 'No heartbeat for 900 seconds.' });
    const [first, second] = [await world.subflow(died, 'RUNNING'), await world.subflow(silent, 'RUNNING')];
    world.task('worker', { lastStatus: 'RUNNING', tags: [] });
    await world.look('process');
    expect(await world.typesOf([died, first, silent, second])).toEqual(['CRASHED', 'CRASHED', 'CRASHED', 'RUNNING']);
  });

  test('that is started again are left to it', async () => {
    const parent = await world.run();
    const subflow = await world.subflow(parent, 'RUNNING');
    world.task(parent);
    await world.look();
    expect(await world.typesOf([parent, subflow])).toEqual(['SCHEDULED', 'RUNNING']);
  });
});
