import { world } from './world';
import { TASK } from '../../support/reconciler-aws';

describe('a task whose flow run has ended', () => {
  const ENDED = ['COMPLETED', 'FAILED', 'CANCELLED', 'CRASHED'] as const;
  const stops = () => world.requests.filter(({ method }) => method === 'StopTask').map(({ body }) => body);

  test('is stopped after a while, with the reason', async () => {
    const ids: string[] = [];
    for (const state of ENDED) ids.push(await world.run({ state, begun: true }));
    for (const id of ids) world.task(id, { lastStatus: 'RUNNING' });
    await world.look('ecs', { forgotten: 600 });
    expect(stops()).toEqual([]);
    await world.look('ecs', { forgotten: 0 });
    expect(stops().map(({ task }) => task).sort()).toEqual(ids.map(id => TASK + id).sort());
    expect(stops().map(({ reason }) => reason).sort()).toEqual(['Cancelled', 'Completed', 'Crashed', 'Failed'].map(state => expect.stringMatching(`^Prefect reconciler: Its flow run has been ${state} since 20`)));
    // ECS lists it no more.
    await world.look('ecs', { forgotten: 0 });
    expect(stops()).toEqual([]);
  });

  test('goes on where a tag says so, where the run is of another pool, and where it was started again', async () => {
    const kept = await world.run({ state: 'CRASHED', begun: true, tags: ['when-ended:keep-task'] });
    const again = await world.run({ state: 'CANCELLED', begun: true });
    for (const id of [kept, again]) world.task(id, { lastStatus: 'RUNNING' });
    world.task('00000000-0000-4000-8000-000000000000', { lastStatus: 'RUNNING' });
    world.before = async ({ method, path }) => {
      if (method === 'GET' && path.includes(again)) await world.set(again, { type: 'SCHEDULED' });
    };
    await world.look('ecs', { forgotten: 0 });
    expect(stops()).toEqual([]);
  });

  test('goes on for an hour where its run is only silent, as it may be cut off from the API', async () => {
    const id = await world.run({ state: 'CRASHED', begun: true, message: 'No heartbeat for 900 seconds.' });
    world.task(id, { lastStatus: 'RUNNING' });
    await world.look('ecs', { forgotten: 0, cutOff: 3600 });
    expect(stops()).toEqual([]);
    await world.look('ecs', { forgotten: 0, cutOff: 0 });
    expect(stops()).toHaveLength(1);
  });

  test('is a worker\'s, and of no concern, where runs are its processes', async () => {
    world.task(await world.run({ state: 'CANCELLED', begun: true }), { lastStatus: 'RUNNING' });
    await world.look('process', { forgotten: 0 });
    expect(world.targets()).toEqual([]);
  });
});

describe('a run whose task a person has stopped', () => {
  const STOPPING = { lastStatus: 'DEACTIVATING', desiredStatus: 'STOPPED', stopCode: 'UserInitiated', stoppedReason: 'Wrong data' };

  test('crashes with their reason, at once', async () => {
    const id = await world.run();
    world.task(id, STOPPING);
    await world.look('ecs', { settle: 60 });
    expect(await world.stateOf(id)).toMatchObject({ type: 'CRASHED', message: 'Its task was stopped: Wrong data' });
  });

  test('crashes even where the task was faster and has given it back', async () => {
    const id = await world.run({ state: 'SCHEDULED', stateName: 'AwaitingRetry', begun: true, message: 'Its task was interrupted before it was finished.', due: 20 });
    world.task(id, STOPPING);
    await world.look('ecs', { settle: 60 });
    expect(await world.stateOf(id)).toMatchObject({ type: 'CRASHED', message: 'Its task was stopped: Wrong data' });
  });
});
