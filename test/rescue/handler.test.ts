import { CLUSTER, OLD, RescueWorld, TASK } from '../support/rescue-world';

let world: RescueWorld;

beforeEach(async () => {
  world = await RescueWorld.start();
  jest.spyOn(console, 'log').mockImplementation();
  jest.spyOn(console, 'error').mockImplementation();
});

afterEach(async () => {
  jest.restoreAllMocks();
  await world.server.stop();
});

test('asks ECS nothing where no run is on its way', async () => {
  await world.look();
  expect(world.targets()).toEqual([]);
});

test('gives a run whose task was taken away back to the workers, and says why', async () => {
  world.addRun('lost');
  world.addTask('lost');
  await world.look();
  expect(world.stateOf('lost')).toMatchObject({ type: 'SCHEDULED', name: 'AwaitingRetry', message: 'Its task has ended: Your Spot Task was interrupted.' });
});

describe('a run that has begun and waits', () => {
  const waits = (name: string, timestamp: string) => ({ state_type: name === 'Suspended' ? 'PAUSED' : 'SCHEDULED', state: { name, message: null, timestamp }, work_pool_id: 'p' });

  test.each(['Suspended', 'AwaitingRetry'])('is vouched for where it is %s, lest its last heartbeat, handled late, have it count as crashed', async name => {
    world.addRun('lately', waits(name, new Date().toISOString()));
    world.addRun('long', waits(name, OLD));
    await world.look();
    expect(world.server.requests.filter(({ path }) => path === '/api/events').map(({ body }) => body)).toEqual([[{
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      event: 'cdk-prefect-fargate-worker.flow-run.still-waiting',
      occurred: expect.stringMatching(/Z$/),
      resource: { 'prefect.resource.id': 'prefect.flow-run.lately' },
      related: [{ 'prefect.resource.id': 'prefect.work-pool.p', 'prefect.resource.role': 'work-pool' }],
    }]]);
    expect(world.server.calls.filter(call => call.includes('set_state'))).toEqual([]);
  });

  test('keeps no other from being helped where Prefect takes no events, and the look fails, so that the alarm tells', async () => {
    world.answer(/\/events$/, { status: 403, body: { detail: 'no events' } });
    world.addRun('waiting', waits('Suspended', new Date().toISOString()));
    world.addRun('lost');
    world.addTask('lost');
    await expect(world.look()).rejects.toThrow('no events');
    expect(world.stateOf('lost').name).toBe('AwaitingRetry');
  });
});

test('never forces a state', async () => {
  world.addRun('lost');
  world.addTask('lost');
  await world.look();
  expect(world.server.sent('POST', '/api/flow_runs/lost/set_state').force).toBe(false);
});

test('says what ECS says of the containers', async () => {
  world.addRun('big');
  world.addTask('big', { stopCode: 'EssentialContainerExited', stoppedReason: 'Essential container in task exited', containers: [{ name: 'prefect', reason: 'OutOfMemoryError: Container killed due to memory usage', exitCode: 137 }] });
  await world.look();
  expect(world.stateOf('big')).toMatchObject({ type: 'CRASHED', message: 'Its task has ended: Essential container in task exited; prefect: OutOfMemoryError: Container killed due to memory usage, exit code 137' });
});

test('asks for more than a hundred tasks and two hundred runs in turns', async () => {
  for (let index = 0; index < 401; index++) {
    world.addRun(`run-${index}`);
    world.addTask(`run-${index}`);
  }
  await world.look();
  expect(world.runs.filter(({ state_type: type }) => type === 'SCHEDULED')).toHaveLength(401);
  expect(Math.max(...world.server.requests.map(({ body }) => body?.tasks?.length ?? 0))).toBe(100);
});

test('leaves a run alone that has gone on in the meantime', async () => {
  const run = world.addRun('quick');
  world.addTask('quick');
  const serve = world.server.instead!;
  world.server.instead = request => {
    if (request.method === 'GET') run.state_id = 'completed';
    return serve(request);
  };
  await world.look();
  expect(world.server.calls.filter(call => call.includes('set_state'))).toEqual([]);
});

test('leaves runs alone whose tasks are in another cluster, region or account', async () => {
  for (const [index, arn] of ['arn:aws:ecs:us-east-1:123456789012:task/other/1', 'arn:aws:ecs:eu-west-1:123456789012:task/live/1', 'arn:aws:ecs:us-east-1:999999999999:task/live/1'].entries()) {
    world.addRun(`${index}`, { infrastructure_pid: `cluster::${arn}` });
  }
  world.addRun('host', { infrastructure_pid: 'ip-10-0-0-1:77' });
  await world.look();
  expect(world.targets()).toEqual([]);
  expect(world.server.calls.filter(call => call.includes('set_state'))).toEqual([]);
});

test('finds by its tag a task that the worker failed to write down', async () => {
  world.addRun('claimed', { state_type: 'PENDING', infrastructure_pid: null });
  world.addRun('unwritten', { state_type: 'PENDING', infrastructure_pid: null });
  world.addRun('again', { infrastructure_pid: `${CLUSTER}::${TASK}forgotten` });
  world.addTask('a', { lastStatus: 'RUNNING', desiredStatus: 'RUNNING', tags: [{ key: 'prefect.io/flow-run-id', value: 'unwritten' }] });
  world.addTask('b', { lastStatus: 'RUNNING', desiredStatus: 'RUNNING', tags: [{ key: 'prefect.io/flow-run-id', value: 'again' }] });
  await world.look();
  expect(world.runs.map(({ id, state_type: type }) => [id, type])).toEqual([['claimed', 'SCHEDULED'], ['unwritten', 'PENDING'], ['again', 'RUNNING']]);
});

test('knows the task of the attempt that is Pending from that of an earlier one, which still cleaned up when the run was claimed', async () => {
  const now = Date.now() / 1000;
  const since = (name: string) => ({ state_type: 'PENDING', state: { name, message: null, timestamp: new Date((now - 200) * 1000).toISOString() } });
  world.addRun('claimed', since('Submitting'));
  world.addRun('placed', since('InfrastructurePending'));
  for (const id of ['claimed', 'placed']) world.addTask(id, { createdAt: now - 1000, stoppedAt: now - 180 });
  await world.look();
  expect(world.runs.map(({ id, state_type: type }) => [id, type])).toEqual([['claimed', 'PENDING'], ['placed', 'SCHEDULED']]);
});

test('stops a task that can\'t be placed, and has the run start on demand where it was to be on Spot', async () => {
  world.addRun('waiting', { state_type: 'PENDING' });
  world.addTask('waiting', { lastStatus: 'PROVISIONING', desiredStatus: 'RUNNING', capacityProviderName: 'FARGATE_SPOT' });
  await world.look();
  expect(world.targets()).toContain('StopTask');
  expect(world.runs[0]).toMatchObject({ state_type: 'SCHEDULED', job_variables: { image: 'ours', launch_type: 'FARGATE' } });
});

test('gives a run that waits to be tried again in a process which is gone to the workers', async () => {
  const policy = { retries: 2, retry_delay: 0, retry_type: 'in_process' };
  const waiting = { state_type: 'SCHEDULED', state: { name: 'AwaitingRetry', message: null, timestamp: OLD } };
  world.addRun('lost', { ...waiting, empirical_policy: policy });
  world.addRun('well', { ...waiting, empirical_policy: policy });
  world.addRun('due', { ...waiting, empirical_policy: { ...policy, retry_type: 'reschedule' } });
  world.addTask('lost');
  world.addTask('well', { lastStatus: 'RUNNING', desiredStatus: 'RUNNING' });
  await world.look();
  expect(world.runs.map(({ empirical_policy: { retry_type: type } }) => type)).toEqual(['reschedule', 'in_process', 'reschedule']);
  // It stays due when it was: its flow may wait for an hour between two tries.
  expect(world.server.calls.filter(call => /PATCH|set_state/.test(call))).toEqual(['PATCH /api/flow_runs/lost']);
});

test('does not repeat a change of state whose answer is lost: a worker may have claimed the run since', async () => {
  world.addRun('lost');
  world.addTask('lost');
  const serve = world.server.instead!;
  world.server.instead = request => request.path.endsWith('/set_state') ? (serve(request), { status: 504, body: 'gateway' }) : serve(request);
  await expect(world.look()).rejects.toThrow('504');
  expect(world.server.calls.filter(call => call.includes('set_state'))).toHaveLength(1);
});

test('counts a run that names no task as crashed when its heartbeats have stopped', async () => {
  world.addRun('unwritten', { infrastructure_pid: null });
  world.events.push({ event: 'prefect.flow-run.heartbeat', occurred: OLD });
  await world.look();
  expect(world.stateOf('unwritten')).toMatchObject({ type: 'CRASHED', message: 'No heartbeat since 2020-01-01T00:00:00.000Z.' });
});

test('helps runs of its own cluster first, where there are many elsewhere and the API is slow', async () => {
  for (let index = 0; index < 20; index++) world.addRun(`${index}`, { infrastructure_pid: 'ip-10-0-0-1:77' });
  world.addRun('ours');
  world.addTask('ours');
  await world.look();
  const calls = world.server.calls.filter(call => /events|set_state/.test(call));
  expect(calls[0]).toBe('POST /api/flow_runs/ours/set_state');
  expect(calls).toHaveLength(21);
});

describe('of a PROCESS worker', () => {
  const ofWorker = (name: string) => ({ infrastructure_pid: 'ip-10-0-0-1:77', labels: { 'prefect.worker.name': name } });

  test('a run is known by its worker\'s task, and lost with it', async () => {
    world.addRun('lost', ofWorker('us-east-1:live:dead'));
    world.addRun('well', ofWorker('us-east-1:live:alive'));
    world.addRun('gone', ofWorker('us-east-1:live:forgotten'));
    world.addTask('dead', { stopCode: 'EssentialContainerExited' });
    world.addTask('alive', { lastStatus: 'RUNNING' });
    await world.look('process');
    expect(world.runs.map(({ state_type: type }) => type)).toEqual(['SCHEDULED', 'RUNNING', 'SCHEDULED']);
    expect(world.targets()).toEqual(['DescribeTasks']);
  });

  test.each([['a-laptop'], ['eu-west-1:live:dead'], ['us-east-1:other:dead']])('the runs of a worker named %s elsewhere are left alone', async name => {
    world.addRun('theirs', ofWorker(name));
    await world.look('process');
    expect(world.runs[0].state_type).toBe('RUNNING');
  });

  test('a run elsewhere counts as crashed when its heartbeats have stopped', async () => {
    world.addRun('silent', ofWorker('a-laptop'));
    world.events.push({ event: 'prefect.flow-run.heartbeat', occurred: OLD });
    await world.look('process');
    expect(world.stateOf('silent')).toMatchObject({ type: 'CRASHED', message: 'No heartbeat since 2020-01-01T00:00:00.000Z.' });
  });

  test('a run that counts as crashed because its heartbeats did not get through is started again when its task has ended', async () => {
    const crashed = (message: string) => ({ ...ofWorker('us-east-1:live:dead'), state_type: 'CRASHED', state: { message, timestamp: OLD } });
    world.addRun('silent', crashed('No heartbeat for 900 seconds.'));
    world.addRun('broken', crashed('Flow run process exited with non-zero status code 1.'));
    world.addTask('dead', { stopCode: 'ServiceSchedulerInitiated' });
    await world.look('process');
    expect(world.runs.map(({ id, state_type: type }) => [id, type])).toEqual([['silent', 'SCHEDULED'], ['broken', 'CRASHED']]);
  });

  test('a run elsewhere is left alone while there are heartbeats, and where there never were any', async () => {
    world.addRun('heard', ofWorker('a-laptop'));
    await world.look('process');
    world.events.push({ event: 'prefect.flow-run.heartbeat', occurred: new Date().toISOString() });
    await world.look('process');
    expect(world.runs[0].state_type).toBe('RUNNING');
  });
});

describe('a secret of the API', () => {
  const SECRET = 'arn:aws:secretsmanager:us-east-1:123456789012:secret:prefect-AbCdEf';
  const restarts = () => world.targets().filter(target => target === 'UpdateService').length;
  beforeEach(() => {
    world.secrets = { PREFECT_API_KEY: `${SECRET}:key::` };
    world.server.secrets.set(SECRET, '{"key":"pnu_x"}');
  });

  test('that is newer than the workers\' deployment has them restarted, once', async () => {
    world.deployed = 1700000000;
    await world.look();
    await world.look();
    expect(restarts()).toBe(1);
  });

  test('has them restarted where it is an SSM parameter, too', async () => {
    const parameter = 'arn:aws:ssm:us-east-1:123456789012:parameter/prefect/api-key';
    world.secrets = { PREFECT_API_KEY: parameter };
    world.server.secrets.set(parameter, 'pnu_x');
    world.deployed = 1700000000;
    await world.look();
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
    world.answer(/^\/api/, { status: 401, body: 'Unauthorized' });
    await expect(world.look()).rejects.toThrow('Unauthorized');
    expect(restarts()).toBe(1);
  });
});

test('helps the others where Prefect refuses one, and fails so that it is seen', async () => {
  for (const id of ['first', 'second']) {
    world.addRun(id);
    world.addTask(id);
  }
  world.answer(/\/first\/set_state$/, { status: 422, body: 'refused' });
  await expect(world.look()).rejects.toThrow('refused');
  expect(world.stateOf('second')).toMatchObject({ type: 'SCHEDULED' });
});
