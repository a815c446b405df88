import { CLUSTER, ReconcilerWorld, TASK } from '../support/reconciler-world';

/** What the reconciler does to flow runs of a real Prefect server, which takes some changes and refuses others. */
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

const seconds = (from: string, to = Date.now()) => (new Date(from).getTime() - to) / 1000;

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

describe('a run that has begun and waits', () => {
  test.each([['PAUSED', 'Suspended'], ['SCHEDULED', 'AwaitingRetry']] as const)('is vouched for where it is %s (%s), lest its last heartbeat, handled late, have it count as crashed', async (state, stateName) => {
    const id = await world.run({ state, stateName, begun: true });
    await world.look();
    const [{ body: [event] }] = world.requests.filter(({ path }) => path === '/api/events');
    expect(event).toMatchObject({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      event: 'cdk-prefect-fargate-worker.flow-run.still-waiting',
      resource: { 'prefect.resource.id': `prefect.flow-run.${id}` },
      related: [{ 'prefect.resource.id': expect.stringMatching(/^prefect\.work-pool\.[0-9a-f-]{36}$/), 'prefect.resource.role': 'work-pool' }],
    });
    expect(world.changes()).toEqual(['POST /api/events']);
  });

  test('keeps no other from being helped where Prefect takes no events, and the look fails, so that the alarm tells', async () => {
    world.instead.push({ path: /\/events$/, status: 403 });
    await world.run({ state: 'PAUSED', stateName: 'Suspended', begun: true });
    const lost = await world.run();
    world.task(lost);
    await expect(world.look()).rejects.toThrow('403');
    expect((await world.stateOf(lost)).name).toBe('AwaitingRetry');
  });

  test('to be tried again in a process which is gone is given to the workers', async () => {
    const waiting = { state: 'SCHEDULED', stateName: 'AwaitingRetry', begun: true, due: 3600 } as const;
    const policy = { retries: 2, retry_delay: 0, retry_type: 'in_process' };
    const lost = await world.run({ ...waiting, policy });
    const well = await world.run({ ...waiting, policy });
    const due = await world.run({ ...waiting, policy: { ...policy, retry_type: 'reschedule' } });
    world.task(lost);
    world.task(well, { lastStatus: 'RUNNING' });
    await world.look();
    const runs = await Promise.all([lost, well, due].map(id => world.get(id)));
    expect(runs.map(({ empirical_policy: { retry_type: type } }) => type)).toEqual(['reschedule', 'in_process', 'reschedule']);
    // It stays due when it was: its flow may wait for an hour between two tries.
    expect(world.changes().filter(change => !change.includes('events'))).toEqual(['PATCH /api/flow_runs/id']);
    expect(seconds(runs[0].next_scheduled_start_time)).toBeGreaterThan(3500);
  });
});

describe('a run for which Spot has no capacity', () => {
  const SPOT = { capacityProviderName: 'FARGATE_SPOT' };
  const onDemand = async (id: string) => {
    const { state, job_variables: variables, next_scheduled_start_time: due } = await world.get(id);
    expect({ state: state.name, variables }).toEqual({ state: 'AwaitingRetry', variables: { image: 'ours', launch_type: 'FARGATE' } });
    return seconds(due);
  };
  const jobVariables = { image: 'ours' };

  test('because its task finds no place has it stopped, and starts on demand', async () => {
    const id = await world.run({ state: 'PENDING', jobVariables });
    world.task(id, { lastStatus: 'PROVISIONING', ...SPOT });
    await world.look();
    expect(world.targets()).toContain('StopTask');
    await onDemand(id);
  });

  test('because its task fails to start starts on demand, whether it is Pending or counts as crashed', async () => {
    const failed = { stopCode: 'TaskFailedToStart', stoppedReason: 'Capacity is unavailable at this time. Please try again later or in a different availability zone', ...SPOT };
    const pending = await world.run({ state: 'PENDING', jobVariables });
    const crashed = await world.run({ state: 'CRASHED', message: 'ECS task failed to start: Capacity is unavailable at this time.. The capacity provider could not place the task.', jobVariables });
    for (const id of [pending, crashed]) world.task(id, failed);
    await world.look();
    await onDemand(pending);
    await onDemand(crashed);
  });

  test('because its task fails to start starts on demand, also where the observer hears of that before it hears that the task waits for a place', async () => {
    const failed = { stopCode: 'TaskFailedToStart', stoppedReason: 'Capacity is unavailable at this time. Please try again later or in a different availability zone', ...SPOT };
    const id = await world.run({ state: 'PENDING', jobVariables });
    world.task(id, failed);
    await world.set(id, { type: 'CRASHED', message: 'ECS task failed to start: Capacity is unavailable at this time.' });
    await world.set(id, { type: 'PENDING', name: 'InfrastructurePending' });
    await world.look('ecs', { claimed: 300 });
    await onDemand(id);
  });

  test('because ECS refuses its task starts on demand', async () => {
    const message = 'Failed to submit flow run to infrastructure: ClientError: An error occurred (ClientException) when calling the RunTask operation: Capacity is unavailable at this time. Please try again later or in a different availability zone';
    const id = await world.run({ state: 'CRASHED', message, infrastructure: null, jobVariables });
    await world.look();
    await onDemand(id);
  });

  test.each(['run', 'deployment', 'pool'] as const)('and whose %s brings a capacity provider strategy, which wins over a launch type, starts on demand', async who => {
    const strategy = { capacity_provider_strategy: [{ capacityProvider: 'FARGATE_SPOT', base: 0, weight: 1 }] };
    if (who === 'pool') await world.changePool(strategy);
    if (who === 'deployment') await world.changeDeployment(strategy);
    const id = await world.run({ state: 'PENDING', jobVariables: who === 'run' ? strategy : {} });
    world.task(id, { lastStatus: 'PROVISIONING', ...SPOT });
    await world.look();
    expect((await world.get(id)).job_variables).toEqual({ launch_type: 'FARGATE', capacity_provider_strategy: [{ capacityProvider: 'FARGATE', base: 0, weight: 1 }] });
  });

  test('is not due before the next look, which writes what this one could not', async () => {
    const id = await world.run({ state: 'PENDING', jobVariables });
    world.task(id, { lastStatus: 'PROVISIONING', ...SPOT });
    world.instead.push({ method: 'PATCH', path: /flow_runs/, status: 403 });
    await expect(world.look()).rejects.toThrow('403');
    const { state, job_variables: variables, next_scheduled_start_time: due } = await world.get(id);
    expect({ state: state.name, variables }).toEqual({ state: 'AwaitingRetry', variables: jobVariables });
    expect(seconds(due)).toBeGreaterThan(70);

    world.instead = [];
    await world.look();
    expect(await onDemand(id)).toBeGreaterThan(60);
    expect(world.changes()).toEqual(['PATCH /api/flow_runs/id']);
    await world.look();
    expect(world.changes()).toEqual([]);
  });
});

describe('a run whose image can\'t be pulled for now', () => {
  const TOO_MANY = { stopCode: 'TaskFailedToStart', stoppedReason: 'CannotPullContainerError: 429 Too Many Requests - Server message: toomanyrequests' };
  const OBSERVED = 'The following containers stopped with a non-zero exit code: [\'prefect\']';

  /** What a worker and Prefect's observer make of the next attempt. */
  const refuse = async (id: string) => {
    await world.set(id, { type: 'PENDING' });
    await world.set(id, { type: 'CRASHED', message: OBSERVED });
    world.task(id, TOO_MANY);
  };

  test('is due again after a minute, two, four and so on; Prefect\'s history of its states keeps count', async () => {
    const id = await world.run({ state: 'CRASHED', message: OBSERVED });
    world.task(id, TOO_MANY);
    for (const delay of [60, 120, 240]) {
      await world.look();
      const { state, next_scheduled_start_time: due } = await world.get(id);
      expect(state).toMatchObject({ name: 'AwaitingRetry', message: `Its task could not be started: ${TOO_MANY.stoppedReason}` });
      expect(Math.round(seconds(due, new Date(state.timestamp).getTime()))).toBe(delay);
      await refuse(id);
    }
  });

  test('stays crashed with the reason in the end, until a person starts it again', async () => {
    const id = await world.run({ state: 'CRASHED', message: OBSERVED });
    world.task(id, TOO_MANY);
    for (let attempt = 0; attempt < 12; attempt++) {
      await world.look();
      await refuse(id);
    }
    await world.look();
    const given = await world.stateOf(id);
    expect(given).toMatchObject({ type: 'CRASHED', message: `Given up after 13 attempts. Its task could not be started: ${TOO_MANY.stoppedReason}` });
    await world.look();
    expect(world.changes()).toEqual([]);
    await world.set(id, { type: 'SCHEDULED', name: 'AwaitingRetry', message: 'Retried by a person' });
    await refuse(id);
    await world.look();
    expect((await world.stateOf(id)).name).toBe('AwaitingRetry');
  });

  test('stays crashed where the image is not there', async () => {
    const id = await world.run({ state: 'CRASHED', message: OBSERVED });
    world.task(id, { ...TOO_MANY, stoppedReason: 'CannotPullContainerError: docker.io/acme/typo: not found' });
    await world.look();
    expect(await world.stateOf(id)).toMatchObject({ type: 'CRASHED', message: OBSERVED });
  });
});

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

describe('heartbeats', () => {
  const heartbeat = (id: string, ago: number) => world.prefect.call('POST', '/events', [{
    id: crypto.randomUUID(),
    event: 'prefect.flow-run.heartbeat',
    occurred: new Date(Date.now() - ago * 1000).toISOString(),
    resource: { 'prefect.resource.id': `prefect.flow-run.${id}` },
    related: [],
  }]);
  const heard = async (id: string) => {
    for (let tries = 0; tries < 50; tries++) {
      const { events } = await world.prefect.call<any>('POST', '/events/filter', { filter: { resource: { id: [`prefect.flow-run.${id}`] }, event: { name: ['prefect.flow-run.heartbeat'] } }, limit: 1 });
      if (events.length > 0) return;
      await new Promise(resolve => setTimeout(resolve, 200));
    }
    throw new Error('The server has not stored the event.');
  };

  test('that have stopped have a run count as crashed that names no task', async () => {
    const id = await world.run({ infrastructure: null });
    await heartbeat(id, 100);
    await heard(id);
    await world.look('ecs', { silent: 0 });
    expect(await world.stateOf(id)).toMatchObject({ type: 'CRASHED', message: expect.stringMatching(/^No heartbeat since 20.*Z\.$/) });
  });

  test('that go on, or never were, leave it alone', async () => {
    const going = await world.run({ infrastructure: 'a-laptop:1' });
    const never = await world.run({ infrastructure: 'a-laptop:2' });
    await heartbeat(going, 0);
    await heard(going);
    await world.look('process', { silent: 60 });
    expect(await world.typesOf([going, never])).toEqual(['RUNNING', 'RUNNING']);
  });

  test('are looked for last, as the API may be slow', async () => {
    for (let index = 0; index < 5; index++) await world.run({ infrastructure: 'ip-10-0-0-1:77' });
    const ours = await world.run();
    world.task(ours);
    await world.look();
    const [first] = world.requests.filter(({ path }) => /events|set_state/.test(path));
    expect(first.path).toContain(`${ours}/set_state`);
  });
});

describe('of a PROCESS worker', () => {
  const ofWorker = (worker: string) => ({ infrastructure: 'ip-10-0-0-1:77', worker });

  test('a run is known by its worker\'s task, and lost with it', async () => {
    const lost = await world.run(ofWorker('us-east-1:live:dead'));
    const well = await world.run(ofWorker('us-east-1:live:alive'));
    const gone = await world.run(ofWorker('us-east-1:live:forgotten'));
    world.task('dead', { stopCode: 'EssentialContainerExited' });
    world.task('alive', { lastStatus: 'RUNNING' });
    await world.look('process');
    expect(await world.typesOf([lost, well, gone])).toEqual(['SCHEDULED', 'RUNNING', 'SCHEDULED']);
    expect(world.targets()).toEqual(['DescribeTasks']);
  });

  test.each([['a-laptop'], ['eu-west-1:live:dead'], ['us-east-1:other:dead']])('the runs of a worker named %s elsewhere are left alone', async name => {
    const id = await world.run(ofWorker(name));
    await world.look('process');
    expect((await world.stateOf(id)).type).toBe('RUNNING');
  });

  test('a run that counts as crashed because its heartbeats did not get through is started again when its task has ended', async () => {
    const crashed = { ...ofWorker('us-east-1:live:dead'), state: 'CRASHED', begun: true } as const;
    const silent = await world.run({ ...crashed, message: 'No heartbeat for 900 seconds.' });
    const broken = await world.run({ ...crashed, message: 'Flow run process exited with non-zero status code 1.' });
    world.task('dead', { stopCode: 'ServiceSchedulerInitiated' });
    await world.look('process');
    expect(await world.typesOf([silent, broken])).toEqual(['SCHEDULED', 'CRASHED']);
  });
});

describe('a secret of the API', () => {
  const SECRET = 'arn:aws:secretsmanager:us-east-1:123456789012:secret:prefect-AbCdEf';
  const restarts = () => world.targets().filter(target => target === 'UpdateService').length;
  beforeEach(() => {
    world.secrets = { PREFECT_API_KEY: `${SECRET}:key::` };
    world.values = { [SECRET]: '{"key":"pnu_x"}' };
  });

  test('that is newer than the workers\' deployment has them restarted, once', async () => {
    world.deployed = 1700000000;
    await world.look();
    expect(restarts()).toBe(1);
    await world.look();
    expect(restarts()).toBe(0);
  });

  test('has them restarted where it is an SSM parameter, too', async () => {
    const parameter = 'arn:aws:ssm:us-east-1:123456789012:parameter/prefect/api-key';
    world.secrets = { PREFECT_API_KEY: parameter };
    world.values = { [parameter]: 'pnu_x' };
    world.deployed = 1700000000;
    await world.look();
    expect(restarts()).toBe(1);
  });

  test('that they have already does not', async () => {
    world.deployed = Date.now() / 1000 + 60;
    await world.look();
    expect(restarts()).toBe(0);
  });

  test('reaches them even while Prefect refuses the old one', async () => {
    world.deployed = 1700000000;
    world.instead.push({ path: /^\/api/, status: 401 });
    await expect(world.look()).rejects.toThrow('401');
    expect(restarts()).toBe(1);
  });
});

test('helps the others where Prefect refuses one, and fails so that it is seen', async () => {
  const [first, second] = [await world.run(), await world.run()];
  for (const id of [first, second]) world.task(id);
  world.instead.push({ path: new RegExp(`${first}/set_state$`), status: 422 });
  await expect(world.look()).rejects.toThrow('422');
  expect(await world.typesOf([first, second])).toEqual(['RUNNING', 'SCHEDULED']);
});
