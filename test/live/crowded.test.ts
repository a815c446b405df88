import { copies } from '../support/copies';
import { CLUSTER, TASK } from '../support/reconciler-aws';
import { ReconcilerWorld } from '../support/reconciler-world';

/** What becomes of runs in a pool with more than Prefect shows on a page: the reconciler doesn't ask for those again that need nothing. */
let world: ReconcilerWorld;

jest.setTimeout(120_000);

beforeAll(async () => { world = await ReconcilerWorld.start(); }, 120_000);
beforeEach(async () => {
  await world.clean();
  jest.spyOn(console, 'log').mockImplementation();
});
afterEach(() => jest.restoreAllMocks());
afterAll(() => world?.stop());

/** Two looks, after which the reconciler knows all of these. */
const looks = async (type: 'ecs' | 'process') => {
  for (let look = 0; look < 2; look++) await world.look(type);
};
const listed = () => world.requests.filter(({ path }) => path.endsWith('/flow_runs/filter')).length;

describe('of a crowd of runs in tasks of their own', () => {
  let ids: string[];
  beforeEach(async () => {
    ids = await copies(world, {}, 250, `${CLUSTER}::${TASK}`);
    for (const id of ids) world.task(id, { lastStatus: 'RUNNING', startedAt: Date.now() / 1000 });
    await looks('ecs');
  });

  test('those that lose their tasks are started again, and the others are left alone', async () => {
    const lost = ids.slice(0, 3);
    for (const id of lost) world.task(id);
    await world.look();
    expect(await world.typesOf(ids.slice(0, 6))).toEqual(['SCHEDULED', 'SCHEDULED', 'SCHEDULED', 'RUNNING', 'RUNNING', 'RUNNING']);
    // Active ones, those that wait, and crashed ones.
    expect(listed()).toBe(3);
  });

  test('one that runs for longer than it may is ended', async () => {
    const [id] = ids;
    world.task(id, { lastStatus: 'RUNNING', startedAt: Date.now() / 1000 - 61, tags: [{ key: 'prefect.io/flow-run-id', value: id }, { key: 'max-run-time', value: '60 seconds' }] });
    await world.look();
    expect((await world.stateOf(id)).name).toBe('TimedOut');
  });

  test('one whose task a person stops crashes', async () => {
    const [id] = ids;
    world.task(id, { lastStatus: 'RUNNING', desiredStatus: 'STOPPED', stopCode: 'UserInitiated', stoppedReason: 'Wrong data' });
    await world.look();
    expect(await world.stateOf(id)).toMatchObject({ type: 'CRASHED', message: 'Its task was stopped: Wrong data' });
  });

  test('one that is cancelled is helped to its end', async () => {
    const [id] = ids;
    await world.set(id, { type: 'CANCELLING' });
    world.task(id);
    await world.look();
    expect((await world.stateOf(id)).type).toBe('CANCELLED');
  });

  test('one that is suspended is vouched for, and one that has ended has its task stopped', async () => {
    const [suspended, ended] = ids;
    await world.set(suspended, { type: 'PAUSED', name: 'Suspended', state_details: { pause_timeout: new Date(Date.now() + 3600_000).toISOString(), pause_reschedule: true } });
    await world.set(ended, { type: 'COMPLETED' });
    await world.look();
    const events = world.requests.filter(({ path }) => path === '/api/events').flatMap(({ body }) => body);
    expect(events.map(({ resource }) => resource['prefect.resource.id'])).toEqual([`prefect.flow-run.${suspended}`]);
    // Once it is no longer known, some minutes later.
    jest.useFakeTimers({ now: Date.now() + 11 * 60_000, doNotFake: ['nextTick', 'setImmediate', 'setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'queueMicrotask'] });
    try {
      await world.look();
    } finally {
      jest.useRealTimers();
    }
    expect(world.requests.filter(({ method }) => method === 'StopTask').map(({ body }) => body.task)).toEqual([TASK + ended]);
  });
});

test('of a crowd of runs in workers, those of a worker that is gone are started again', async () => {
  const [lost, well] = [await copies(world, { worker: 'us-east-1:live:dead' }, 125, 'ip-10-0-0-1:'), await copies(world, { worker: 'us-east-1:live:alive' }, 125, 'ip-10-0-0-1:')];
  for (const task of ['dead', 'alive']) world.task(task, { lastStatus: 'RUNNING', tags: [] });
  await looks('process');
  expect(listed()).toBe(3);
  world.task('dead', { stopCode: 'ServiceSchedulerInitiated' });
  await world.look('process');
  expect(new Set(await world.typesOf(lost))).toEqual(new Set(['SCHEDULED']));
  expect(new Set(await world.typesOf(well))).toEqual(new Set(['RUNNING']));
});

test('of a crowd of suspended runs, one that goes on and loses its task is started again', async () => {
  const ids = await copies(world, { state: 'PAUSED', stateName: 'Suspended' }, 250, `${CLUSTER}::${TASK}`);
  await looks('ecs');
  expect(listed()).toBe(3);
  await world.prefect.call('POST', `/flow_runs/${ids[0]}/set_state`, { state: { type: 'RUNNING' }, force: true });
  world.task(ids[0]);
  await world.look();
  expect(await world.typesOf(ids.slice(0, 2))).toEqual(['SCHEDULED', 'PAUSED']);
});

/** Prefect's worker asks as slowly as that where its server is busy. */
test('a hundred runs are handed back within two looks, with an API that takes two seconds an answer', async () => {
  const ids = await copies(world, {}, 100, `${CLUSTER}::${TASK}`);
  for (const id of ids) world.task(id);
  let most = 0;
  let now = 0;
  world.before = async () => {
    most = Math.max(most, ++now);
    await new Promise(resolve => setTimeout(resolve, 2000));
    now--;
  };
  const start = Date.now();
  await world.look();
  // The time that the function has.
  expect(Date.now() - start).toBeLessThan(55_000);
  if ((await world.typesOf(ids)).includes('RUNNING')) await world.look();
  expect(new Set(await world.typesOf(ids))).toEqual(new Set(['SCHEDULED']));
  expect(most).toBeLessThanOrEqual(20);
});
