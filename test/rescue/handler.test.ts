import { handler } from '../../src/rescue/rescue.lambda';
import { Answer, PrefectServer, Request } from '../support/prefect-server';

const CLUSTER = 'arn:aws:ecs:us-east-1:123456789012:cluster/live';
const TASK = 'arn:aws:ecs:us-east-1:123456789012:task/live/';
const OLD = '2020-01-01T00:00:00Z';

type Stored = Record<string, any>;

let server: PrefectServer;
let runs: Stored[];
let tasks: Stored[];
let events: Stored[];
let eventsAreTaken: boolean;
let deployed: number;
let secrets: Record<string, string>;

beforeEach(async () => {
  server = await PrefectServer.start();
  [runs, tasks, events] = [[], [], []];
  [deployed, secrets, eventsAreTaken] = [Date.now() / 1000, {}, true];
  server.instead = request => request.headers['x-amz-target'] ? ecs(request) : prefect(request);
  server.standInForAws();
  jest.spyOn(console, 'log').mockImplementation();
  jest.spyOn(console, 'error').mockImplementation();
});

afterEach(async () => {
  jest.restoreAllMocks();
  await server.stop();
});

async function look(type: 'ecs' | 'process' = 'ecs'): Promise<void> {
  process.env.CONFIGURATION = JSON.stringify({ api: { url: `${server.origin}/api`, isCloud: false, secrets }, workPool: 'etl', type, cluster: CLUSTER, service: 'workers' });
  await handler();
}

/** A run that has been in its state since 2020, with its task named by its id. */
function addRun(id: string, overrides: Stored = {}): Stored {
  const run = {
    id,
    state_id: `state-of-${id}`,
    state_type: 'RUNNING',
    state: { message: null, timestamp: OLD },
    run_count: 1,
    empirical_policy: { retries: 0, retry_delay: 0 },
    infrastructure_pid: `${CLUSTER}::${TASK}${id}`,
    job_variables: { image: 'ours' },
    labels: {},
    ...overrides,
  };
  runs.push(run);
  return run;
}

function addTask(id: string, overrides: Stored = {}): void {
  tasks.push({ taskArn: `${TASK}${id}`, lastStatus: 'STOPPED', desiredStatus: 'STOPPED', stopCode: 'SpotInterruption', stoppedReason: 'Your Spot Task was interrupted.', stoppedAt: 1700000000, ...overrides });
}

function prefect({ method, path, body }: Request): Answer {
  if (path === '/api/flow_runs/filter') {
    expect(body.work_pools).toEqual({ name: { any_: ['etl'] } });
    const { type, name } = body.flow_runs.state;
    const found = runs.filter(run => type.any_.includes(run.state_type) && (!name || name.any_.includes(run.state.name)));
    return { status: 200, body: found.slice(body.offset, body.offset + body.limit) };
  }
  if (path === '/api/events/filter') return { status: 200, body: { events } };
  if (path === '/api/events') return eventsAreTaken ? { status: 204 } : { status: 403, body: { detail: 'no events' } };
  const run = runs.find(({ id }) => path.split('/')[3] === id)!;
  if (method === 'PATCH') Object.assign(run, body);
  if (!path.endsWith('/set_state')) return { status: 200, body: run };
  Object.assign(run, { state_type: body.state.type, state: body.state, state_id: 'new' });
  return { status: 200, body: { status: 'ACCEPT' } };
}

function ecs({ headers, body }: Request): Answer {
  const action = `${headers['x-amz-target']}`.split('.')[1];
  if (action === 'ListTasks') return { status: 200, body: { taskArns: tasks.filter(({ desiredStatus }) => desiredStatus === body.desiredStatus).map(({ taskArn }) => taskArn) } };
  if (action === 'DescribeServices') return { status: 200, body: { services: [{ deployments: [{ status: 'PRIMARY', createdAt: deployed }] }] } };
  if (action === 'UpdateService') deployed = Date.now() / 1000;
  if (action === 'UpdateService') return { status: 200, body: { service: {} } };
  if (action === 'StopTask') return { status: 200, body: { task: {} } };
  const found = tasks.filter(({ taskArn }) => body.tasks.includes(taskArn));
  const failures = body.tasks.filter((arn: string) => !found.some(({ taskArn }) => taskArn === arn)).map((arn: string) => ({ arn, reason: 'MISSING' }));
  return { status: 200, body: { tasks: found, failures } };
}

const targets = () => server.requests.map(({ headers }) => headers['x-amz-target']).filter(Boolean).map(target => `${target}`.split('.')[1]);
const stateOf = (id: string) => runs.find(run => run.id === id)!.state;

test('asks ECS nothing where no run is on its way', async () => {
  await look();
  expect(targets()).toEqual([]);
});

test('gives a run whose task was taken away back to the workers, and says why', async () => {
  addRun('lost');
  addTask('lost');
  await look();
  expect(stateOf('lost')).toMatchObject({ type: 'SCHEDULED', name: 'AwaitingRetry', message: 'Its task has ended: Your Spot Task was interrupted.' });
});

describe('a run that has begun and waits', () => {
  const waits = (name: string, timestamp: string) => ({ state_type: name === 'Suspended' ? 'PAUSED' : 'SCHEDULED', state: { name, message: null, timestamp }, work_pool_id: 'p' });

  test.each(['Suspended', 'AwaitingRetry'])('is vouched for where it is %s, lest its last heartbeat, handled late, have it count as crashed', async name => {
    addRun('lately', waits(name, new Date().toISOString()));
    addRun('long', waits(name, OLD));
    await look();
    expect(server.requests.filter(({ path }) => path === '/api/events').map(({ body }) => body)).toEqual([[{
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      event: 'cdk-prefect-fargate-worker.flow-run.still-waiting',
      occurred: expect.stringMatching(/Z$/),
      resource: { 'prefect.resource.id': 'prefect.flow-run.lately' },
      related: [{ 'prefect.resource.id': 'prefect.work-pool.p', 'prefect.resource.role': 'work-pool' }],
    }]]);
    expect(server.calls.filter(call => call.includes('set_state'))).toEqual([]);
  });

  test('keeps no other from being helped where Prefect takes no events, and the look fails, so that the alarm tells', async () => {
    eventsAreTaken = false;
    addRun('waiting', waits('Suspended', new Date().toISOString()));
    addRun('lost');
    addTask('lost');
    await expect(look()).rejects.toThrow('no events');
    expect(stateOf('lost').name).toBe('AwaitingRetry');
  });
});

test('never forces a state', async () => {
  addRun('lost');
  addTask('lost');
  await look();
  expect(server.sent('POST', '/api/flow_runs/lost/set_state').force).toBe(false);
});

test('says what ECS says of the containers', async () => {
  addRun('big');
  addTask('big', { stopCode: 'EssentialContainerExited', stoppedReason: 'Essential container in task exited', containers: [{ name: 'prefect', reason: 'OutOfMemoryError: Container killed due to memory usage', exitCode: 137 }] });
  await look();
  expect(stateOf('big')).toMatchObject({ type: 'CRASHED', message: 'Its task has ended: Essential container in task exited; prefect: OutOfMemoryError: Container killed due to memory usage, exit code 137' });
});

test('asks for more than a hundred tasks and two hundred runs in turns', async () => {
  for (let index = 0; index < 401; index++) {
    addRun(`run-${index}`);
    addTask(`run-${index}`);
  }
  await look();
  expect(runs.filter(({ state_type: type }) => type === 'SCHEDULED')).toHaveLength(401);
  expect(Math.max(...server.requests.map(({ body }) => body?.tasks?.length ?? 0))).toBe(100);
});

test('leaves a run alone that has gone on in the meantime', async () => {
  const run = addRun('quick');
  addTask('quick');
  const serve = server.instead!;
  server.instead = request => {
    if (request.method === 'GET') run.state_id = 'completed';
    return serve(request);
  };
  await look();
  expect(server.calls.filter(call => call.includes('set_state'))).toEqual([]);
});

test('leaves runs alone whose tasks are in another cluster, region or account', async () => {
  for (const [index, arn] of ['arn:aws:ecs:us-east-1:123456789012:task/other/1', 'arn:aws:ecs:eu-west-1:123456789012:task/live/1', 'arn:aws:ecs:us-east-1:999999999999:task/live/1'].entries()) {
    addRun(`${index}`, { infrastructure_pid: `cluster::${arn}` });
  }
  addRun('host', { infrastructure_pid: 'ip-10-0-0-1:77' });
  await look();
  expect(targets()).toEqual([]);
  expect(server.calls.filter(call => call.includes('set_state'))).toEqual([]);
});

test('finds by its tag a task that the worker failed to write down', async () => {
  addRun('claimed', { state_type: 'PENDING', infrastructure_pid: null });
  addRun('unwritten', { state_type: 'PENDING', infrastructure_pid: null });
  addRun('again', { infrastructure_pid: `${CLUSTER}::${TASK}forgotten` });
  addTask('a', { lastStatus: 'RUNNING', desiredStatus: 'RUNNING', tags: [{ key: 'prefect.io/flow-run-id', value: 'unwritten' }] });
  addTask('b', { lastStatus: 'RUNNING', desiredStatus: 'RUNNING', tags: [{ key: 'prefect.io/flow-run-id', value: 'again' }] });
  await look();
  expect(runs.map(({ id, state_type: type }) => [id, type])).toEqual([['claimed', 'SCHEDULED'], ['unwritten', 'PENDING'], ['again', 'RUNNING']]);
});

test('knows the task of the attempt that is Pending from that of an earlier one, which still cleaned up when the run was claimed', async () => {
  const now = Date.now() / 1000;
  const since = (name: string) => ({ state_type: 'PENDING', state: { name, message: null, timestamp: new Date((now - 200) * 1000).toISOString() } });
  addRun('claimed', since('Submitting'));
  addRun('placed', since('InfrastructurePending'));
  for (const id of ['claimed', 'placed']) addTask(id, { createdAt: now - 1000, stoppedAt: now - 180 });
  await look();
  expect(runs.map(({ id, state_type: type }) => [id, type])).toEqual([['claimed', 'PENDING'], ['placed', 'SCHEDULED']]);
});

test('stops a task that can\'t be placed, and has the run start on demand where it was to be on Spot', async () => {
  addRun('waiting', { state_type: 'PENDING' });
  addTask('waiting', { lastStatus: 'PROVISIONING', desiredStatus: 'RUNNING', capacityProviderName: 'FARGATE_SPOT' });
  await look();
  expect(targets()).toContain('StopTask');
  expect(runs[0]).toMatchObject({ state_type: 'SCHEDULED', job_variables: { image: 'ours', launch_type: 'FARGATE' } });
});

test('gives a run that waits to be tried again in a process which is gone to the workers', async () => {
  const policy = { retries: 2, retry_delay: 0, retry_type: 'in_process' };
  const waiting = { state_type: 'SCHEDULED', state: { name: 'AwaitingRetry', message: null, timestamp: OLD } };
  addRun('lost', { ...waiting, empirical_policy: policy });
  addRun('well', { ...waiting, empirical_policy: policy });
  addRun('due', { ...waiting, empirical_policy: { ...policy, retry_type: 'reschedule' } });
  addTask('lost');
  addTask('well', { lastStatus: 'RUNNING', desiredStatus: 'RUNNING' });
  await look();
  expect(runs.map(({ empirical_policy: { retry_type: type } }) => type)).toEqual(['reschedule', 'in_process', 'reschedule']);
  // It stays due when it was: its flow may wait for an hour between two tries.
  expect(server.calls.filter(call => /PATCH|set_state/.test(call))).toEqual(['PATCH /api/flow_runs/lost']);
});

test('does not repeat a change of state whose answer is lost: a worker may have claimed the run since', async () => {
  addRun('lost');
  addTask('lost');
  const serve = server.instead!;
  server.instead = request => request.path.endsWith('/set_state') ? (serve(request), { status: 504, body: 'gateway' }) : serve(request);
  await expect(look()).rejects.toThrow('504');
  expect(server.calls.filter(call => call.includes('set_state'))).toHaveLength(1);
});

test('counts a run that names no task as crashed when its heartbeats have stopped', async () => {
  addRun('unwritten', { infrastructure_pid: null });
  events.push({ event: 'prefect.flow-run.heartbeat', occurred: OLD });
  await look();
  expect(stateOf('unwritten')).toMatchObject({ type: 'CRASHED', message: 'No heartbeat since 2020-01-01T00:00:00.000Z.' });
});

test('helps runs of its own cluster first, where there are many elsewhere and the API is slow', async () => {
  for (let index = 0; index < 20; index++) addRun(`${index}`, { infrastructure_pid: 'ip-10-0-0-1:77' });
  addRun('ours');
  addTask('ours');
  await look();
  const calls = server.calls.filter(call => /events|set_state/.test(call));
  expect(calls[0]).toBe('POST /api/flow_runs/ours/set_state');
  expect(calls).toHaveLength(21);
});

describe('of a PROCESS worker', () => {
  const ofWorker = (name: string) => ({ infrastructure_pid: 'ip-10-0-0-1:77', labels: { 'prefect.worker.name': name } });

  test('a run is known by its worker\'s task, and lost with it', async () => {
    addRun('lost', ofWorker('us-east-1:live:dead'));
    addRun('well', ofWorker('us-east-1:live:alive'));
    addRun('gone', ofWorker('us-east-1:live:forgotten'));
    addTask('dead', { stopCode: 'EssentialContainerExited' });
    addTask('alive', { lastStatus: 'RUNNING' });
    await look('process');
    expect(runs.map(({ state_type: type }) => type)).toEqual(['SCHEDULED', 'RUNNING', 'SCHEDULED']);
    expect(targets()).toEqual(['DescribeTasks']);
  });

  test.each([['a-laptop'], ['eu-west-1:live:dead'], ['us-east-1:other:dead']])('the runs of a worker named %s elsewhere are left alone', async name => {
    addRun('theirs', ofWorker(name));
    await look('process');
    expect(runs[0].state_type).toBe('RUNNING');
  });

  test('a run elsewhere counts as crashed when its heartbeats have stopped', async () => {
    addRun('silent', ofWorker('a-laptop'));
    events.push({ event: 'prefect.flow-run.heartbeat', occurred: OLD });
    await look('process');
    expect(stateOf('silent')).toMatchObject({ type: 'CRASHED', message: 'No heartbeat since 2020-01-01T00:00:00.000Z.' });
  });

  test('a run that counts as crashed because its heartbeats did not get through is started again when its task has ended', async () => {
    const crashed = (message: string) => ({ ...ofWorker('us-east-1:live:dead'), state_type: 'CRASHED', state: { message, timestamp: OLD } });
    addRun('silent', crashed('No heartbeat for 900 seconds.'));
    addRun('broken', crashed('Flow run process exited with non-zero status code 1.'));
    addTask('dead', { stopCode: 'ServiceSchedulerInitiated' });
    await look('process');
    expect(runs.map(({ id, state_type: type }) => [id, type])).toEqual([['silent', 'SCHEDULED'], ['broken', 'CRASHED']]);
  });

  test('a run elsewhere is left alone while there are heartbeats, and where there never were any', async () => {
    addRun('heard', ofWorker('a-laptop'));
    await look('process');
    events.push({ event: 'prefect.flow-run.heartbeat', occurred: new Date().toISOString() });
    await look('process');
    expect(runs[0].state_type).toBe('RUNNING');
  });
});

describe('a secret of the API', () => {
  const SECRET = 'arn:aws:secretsmanager:us-east-1:123456789012:secret:prefect-AbCdEf';
  const restarts = () => targets().filter(target => target === 'UpdateService').length;
  beforeEach(() => {
    secrets = { PREFECT_API_KEY: `${SECRET}:key::` };
    server.secrets.set(SECRET, '{"key":"pnu_x"}');
  });

  test('that is newer than the workers\' deployment has them restarted, once', async () => {
    deployed = 1700000000;
    await look();
    await look();
    expect(restarts()).toBe(1);
  });

  test('that they have already does not', async () => {
    deployed = Date.now() / 1000 + 60;
    await look();
    expect(restarts()).toBe(0);
  });

  test('reaches them even while Prefect refuses the old one', async () => {
    deployed = 1700000000;
    const serve = server.instead!;
    server.instead = request => request.path.startsWith('/api') ? { status: 401, body: 'Unauthorized' } : serve(request);
    await expect(look()).rejects.toThrow('Unauthorized');
    expect(restarts()).toBe(1);
  });
});

test('helps the others where Prefect refuses one, and fails so that it is seen', async () => {
  for (const id of ['first', 'second']) {
    addRun(id);
    addTask(id);
  }
  const serve = server.instead!;
  server.instead = request => request.path.endsWith('/first/set_state') ? { status: 422, body: 'refused' } : serve(request);
  await expect(look()).rejects.toThrow('refused');
  expect(stateOf('second')).toMatchObject({ type: 'SCHEDULED' });
});
