import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { PublisherConfiguration } from '../../src/demand/configuration';
import { UNITS } from '../../src/demand/metrics';
import { Answer, PrefectServer, Request } from '../support/prefect-server';

const mockWaits: number[] = [];
jest.mock('node:timers/promises', () => ({ setTimeout: async (milliseconds: number) => { mockWaits.push(milliseconds); } }));

let server: PrefectServer;
let published: any[];
let log: { timestamp: number; message: string }[];

beforeEach(async () => {
  server = await PrefectServer.start();
  server.authorization = `Basic ${Buffer.from('admin:secret').toString('base64')}`;
  server.secrets.set(secretArn('secret'), 'admin:secret');
  server.secrets.set(secretArn('another'), 'admin:another');
  server.instead = request => {
    if (request.headers['x-amz-target']) return aws(request);
    takeTime();
    return request.headers.authorization === server.authorization ? prefect(request) : undefined;
  };
  [published, log, more, slow, answered] = [[], [], 0, 0, 0];
  [desired, recent, points, target, asked, counts] = [1, [], {}, {}, [], []];
  protection = { protectionEnabled: true, expirationDate: Date.now() / 1000 + 1800 };
  [due, active, times, task, refused, service, created, parent] = [15, 4, [], {}, undefined, {}, 3600, undefined];
  mockWaits.length = 0;
  server.standInForAws();
  process.env.AWS_LAMBDA_LOG_GROUP_NAME = 'publisher';
  jest.spyOn(console, 'log').mockImplementation((...words) => log.push({ timestamp: Date.now(), message: words.join(' ') }));
  jest.spyOn(console, 'error').mockImplementation();
});

afterEach(async () => {
  jest.restoreAllMocks();
  await server.stop();
});

const secretArn = (name: string) => `arn:aws:secretsmanager:us-east-1:123456789012:secret:${name}-AbCdEf`;

function aws({ headers, body }: Request): Answer {
  const action = `${headers['x-amz-target']}`.split('.')[1];
  if (action === 'FilterLogEvents') return { status: 200, body: { events: log } };
  const answers: Record<string, unknown> = {
    DescribeServices: { services: [{ desiredCount: desired, runningCount: desired, ...service }] },
    DescribeScalableTargets: { ScalableTargets: target && [{ MinCapacity: 0, MaxCapacity: 10, ...target }] },
    GetMetricData: { MetricDataResults: body.MetricDataQueries?.map(({ Id }: any) => ({ Id, ...points[Id] ?? byMinute(recent) })) },
    GetTaskProtection: { protectedTasks: body.tasks?.map((taskArn: string) => ({ taskArn, ...protection })) },
    DescribeTasks: { tasks: body.tasks?.map((id: string) => ({ taskArn: `arn:task/cluster/${id}`, group: 'service:worker', lastStatus: 'RUNNING', ...task })) },
    UpdateService: {},
  };
  asked.push({ action, body });
  if (action === refused) return { status: 400, body: { __type: 'AccessDeniedException', message: 'no' } };
  if (action === 'UpdateService') counts.push(body.desiredCount);
  if (answers[action]) return { status: 200, body: answers[action] };
  expect(action).toBe('PutMetricData');
  published.push(body);
  return { status: 200, body: {} };
}

/** What AWS says of the service and its tasks, and what it was asked. */
let desired: number;
let recent: number[];
let points: { [id: string]: { Timestamps: number[]; Values: number[] } };
let target: object | undefined;
let protection: object;
let task: object;
let refused: string | undefined;
let asked: { action: string; body: any }[];
let counts: number[];
let service: object;

/** Values of the last minutes, the oldest first, as CloudWatch shows them. */
const byMinute = (values: number[]) => ({
  Timestamps: values.map((_, index) => 60 * (Math.floor(Date.now() / 60_000) - (values.length - 1 - index))),
  Values: values,
});

/** How many milliseconds an answer of the API takes, and when the first one was given. */
let slow: number;
let answered: number;

function takeTime(): void {
  const end = Date.now() + slow;
  while (Date.now() < end);
  answered ||= Date.now();
}

/** How many runs there are beside those on a page of active and ended ones. */
let more: number;

/** A pool with one queue, in which as many runs are due and active. */
let due: number;
let active: number;
let times: number[] = [];

function prefect({ path, body }: Request): Answer {
  const queue = { id: '1', name: 'default', is_paused: false, concurrency_limit: null };
  const answers: Record<string, unknown> = {
    '/api/work_pools/etl': { is_paused: false, concurrency_limit: null },
    '/api/work_pools/etl/queues/filter': [queue],
    '/api/work_pools/etl/workers/filter': [{}],
    '/api/flow_runs/paginate': body?.flow_runs?.operator === 'or_'
      ? { count: active + more, results: runs(active, 'RUNNING') } : { count: due, results: runs(due, 'SCHEDULED') },
    '/api/flow_runs/filter': times.map(seconds => ({ deployment_id: 'd', total_run_time: seconds })),
    '/api/flow_runs/count': body?.flow_runs?.state?.type.any_[0] === 'RUNNING' ? 4 : 0,
    '/api/deployments/filter': [{ id: 'd', global_concurrency_limit: null, concurrency_options: null }],
  };
  return { status: 200, body: answers[path] };
}

/** When runs that are due now were created, in seconds before, and by which task. */
let created: number;
let parent: string | undefined;

function runs(count: number, type: string) {
  const labels = { 'prefect.worker.name': 'us-east-1:cluster:busy' };
  const run = { work_queue_name: 'default', labels, start_time: new Date().toISOString(), deployment_id: 'd', end_time: null };
  const now = new Date().toISOString();
  const known = { created: new Date(Date.now() - created * 1000).toISOString(), expected_start_time: now, next_scheduled_start_time: now };
  return Array.from({ length: count }, (_, id) => ({ ...run, ...known, parent_task_run_id: parent, id: `${id}`, state_type: type, state_name: type }));
}

/** Starts the function afresh, once, and gives what it sent to CloudWatch. */
async function invoke(settings: Partial<PublisherConfiguration> = {}, secret = 'secret'): Promise<any[]> {
  const configuration: PublisherConfiguration = {
    workPool: 'etl',
    worker: 'Worker',
    flowRunLimit: 7,
    leadTimeSeconds: 180,
    pollSeconds: 60,
    scaleInMinutes: 2,
    cluster: 'cluster',
    service: 'worker',
    ...settings,
  };
  process.env.API = JSON.stringify({ url: `${server.origin}/api`, isCloud: false, secrets: { PREFECT_API_AUTH_STRING: secretArn(secret) } });
  jest.resetModules();
  await jest.requireActual<typeof import('../../src/demand/publisher.lambda')>('../../src/demand/publisher.lambda').handler(configuration);
  return published;
}
const values = ({ MetricData }: any) => Object.fromEntries(MetricData.map((datum: any) => [datum.MetricName, datum.Value]));

test('a poll publishes all that it read in one request, for its pool and worker', async () => {
  const [request, ...others] = await invoke();
  expect(others).toEqual([]);
  expect(request.Namespace).toBe('PrefectFargateWorker');
  expect(values(request)).toEqual({
    DueRuns: 15,
    LateRuns: 0,
    OldestLateSeconds: 0,
    BlockedRuns: 0,
    PendingRuns: 0,
    RunningRuns: 4,
    CrashedRuns: 0,
    OnlineWorkers: 1,
    Demand: 19,
    RequiredWorkers: 3,
    MissingWorkers: 2,
    SurplusWorkers: 0,
    PublisherErrors: 0,
  });
  for (const { MetricName, Dimensions, Unit } of request.MetricData) {
    expect(Dimensions).toEqual([{ Name: 'WorkPool', Value: 'etl' }, { Name: 'Worker', Value: 'Worker' }]);
    expect(Unit).toBe(UNITS[MetricName as keyof typeof UNITS]);
  }
});

test('runs that nobody scheduled have room beside all that is due, as many as were asked for', async () => {
  const [request] = await invoke({ spareFlowRuns: 3 });
  expect(values(request)).toMatchObject({ Demand: 19, RequiredWorkers: 4, MissingWorkers: 3 });
});

test.each([['that succeeds', 'secret'], ['that fails', 'another']])('what a slow poll %s publishes is of the time at which it does', async (_, secret) => {
  slow = 100;
  const [{ MetricData }] = await invoke({}, secret);
  expect(answered).toBeGreaterThan(0);
  for (const { Timestamp } of MetricData) {
    expect(Timestamp * 1000).toBeGreaterThanOrEqual(answered);
  }
});

test.each([[60, [0]], [20, [0, 20, 40]], [10, [0, 10, 20, 30, 40, 50]]])('polls every %s seconds of its minute', async (pollSeconds, seconds) => {
  // What a poll takes is not waited for: here it takes no time.
  jest.spyOn(Date, 'now').mockReturnValue(Date.now());
  expect(await invoke({ pollSeconds })).toHaveLength(seconds.length);
  expect(mockWaits).toEqual(seconds.map(second => second * 1000));
});

test('what the API refuses publishes only that it failed', async () => {
  expect((await invoke({}, 'another')).map(values)).toEqual([{ PublisherErrors: 1 }]);
});

test('after a poll that failed, the next one counts the crashed runs from where the last that succeeded ended', async () => {
  more = 600;
  const spans = () => server.requests.filter(({ path, body }) => path.endsWith('/count') && body.flow_runs.state?.type.any_[0] === 'CRASHED').map(({ body }) => body.flow_runs.end_time);
  await invoke();
  await invoke({}, 'another');
  await invoke();
  const [first, second, ...others] = spans();
  expect(others).toEqual([]);
  // Both ends count: the last microsecond of the one, and the next of the other.
  expect(first.before_).toMatch(/999Z$/);
  expect(Date.parse(second.after_) - Date.parse(first.before_)).toBe(1);
});

describe('the service keeps', () => {
  const now = async (
    given: { desired: number; due?: number; active?: number; recent?: number[] },
    settings: Partial<PublisherConfiguration> = {}) => {
    ({ desired, due = 0, active = 0, recent = [] } = given);
    await invoke(settings);
    return counts;
  };

  test('as many workers as are needed, at once', async () => {
    expect(await now({ desired: 1, due: 15, active: 4 })).toEqual([3]);
    expect(asked.find(({ action }) => action === 'UpdateService')!.body).toEqual({ cluster: 'cluster', service: 'worker', desiredCount: 3 });
    expect(asked.find(({ action }) => action === 'DescribeScalableTargets')!.body).toMatchObject({ ResourceIds: ['service/cluster/worker'] });
  });

  test('no more than the bounds of now', async () => {
    target = { MaxCapacity: 2 };
    expect(await now({ desired: 1, due: 15 })).toEqual([2]);
  });

  test('what it has, without another question, where that is what is needed', async () => {
    expect(await now({ desired: 3, due: 15, active: 4 })).toEqual([]);
    expect(asked.map(({ action }) => action)).not.toContain('DescribeScalableTargets');
  });

  test('what it has where nothing may scale it, or a person has suspended that', async () => {
    target = undefined;
    expect(await now({ desired: 1, due: 15 })).toEqual([]);
    target = { SuspendedState: { DynamicScalingOutSuspended: true } };
    expect(await now({ desired: 1, due: 15 })).toEqual([]);
  });

  test('fewer workers when the last minutes did not need more either', async () => {
    expect(await now({ desired: 5, due: 1, recent: [1, 1] })).toEqual([1]);
    expect(asked.find(({ action }) => action === 'GetMetricData')!.body.MetricDataQueries[0].MetricStat).toMatchObject({
      Metric: { MetricName: 'RequiredWorkers' },
      Period: 60,
      Stat: 'Maximum',
    });
  });

  test('what they needed, and what it has where they are not known', async () => {
    expect(await now({ desired: 5, due: 1, recent: [4, 1] })).toEqual([4]);
    expect(await now({ desired: 5, due: 1, recent: [] })).toEqual([4]);
  });

  test('no fewer than have flow runs, and all while one of these might be taken', async () => {
    expect(await now({ desired: 5, active: 1, recent: [0, 0] })).toEqual([1]);
    expect(asked.find(({ action }) => action === 'GetTaskProtection')!.body).toEqual({ cluster: 'cluster', tasks: ['arn:task/cluster/busy'] });
    for (protection of [{ protectionEnabled: false }, { protectionEnabled: true, expirationDate: Date.now() / 1000 + 30 }]) {
      expect(await now({ desired: 5, active: 1, recent: [1, 1] })).toEqual([1]);
    }
  });

  test('what it has where more runs are active than are read, so that nobody knows who is busy', async () => {
    more = 601;
    expect(await now({ desired: 5, active: 4, recent: [1, 1] })).toEqual([]);
    expect(values(published[0])).toMatchObject({ RequiredWorkers: 1, SurplusWorkers: 0 });
  });

  test.each<[string, object]>([
    ['another service of the cluster, which serves the same queues', { group: 'service:other' }],
    ['a task that has stopped, whose runs are handed back', { lastStatus: 'STOPPED' }],
  ])('as many as are needed beside a run of %s, whose protection says nothing', async (_, of) => {
    task = of;
    protection = { protectionEnabled: false };
    expect(await now({ desired: 5, active: 1, recent: [0, 0] })).toEqual([1]);
    expect(asked.map(({ action }) => action)).not.toContain('GetTaskProtection');
  });

  test('one ECS worker where one is enough, although the other has started the task of a flow run that goes on', async () => {
    protection = { protectionEnabled: false };
    expect(await now({ desired: 2, active: 1, recent: [1, 1] }, { flowRunLimit: undefined, workers: 2 })).toEqual([1]);
    expect(asked.map(({ action }) => action)).not.toContain('DescribeTasks');
  });

  test('what it has, at no charge, where no fewer may be', async () => {
    target = { MinCapacity: 2 };
    expect(await now({ desired: 2, recent: [0, 0] })).toEqual([]);
    expect(asked.map(({ action }) => action)).not.toContain('GetMetricData');
  });

  test.each(['UpdateService', 'DescribeScalableTargets'])('what it has where %s is refused, and what is known is published, with an error', async action => {
    refused = action;
    expect(await now({ desired: 1, due: 15, active: 4 })).toEqual([]);
    expect(values(published[0])).toMatchObject({ Demand: 19, RequiredWorkers: 3, MissingWorkers: 2, PublisherErrors: 1 });
    refused = undefined;
    expect(await now({ desired: 1, due: 15, active: 4 })).toEqual([3]);
    expect(values(published[1])).toMatchObject({ PublisherErrors: 0 });
  });

  test('what it has where ECS does not say which tasks are protected', async () => {
    refused = 'GetTaskProtection';
    expect(await now({ desired: 5, active: 1, recent: [0, 0] })).toEqual([]);
    expect(values(published[0])).toMatchObject({ RunningRuns: 1, PublisherErrors: 1 });
  });

  test('what it has where there is no way to Application Auto Scaling, and what is known is published all the same', async () => {
    // Nobody answers a connection to a socket whose queue is full.
    const silent = spawn('python3', ['-c', [
      'import socket, sys',
      'server = socket.socket(); server.bind(("127.0.0.1", 0)); server.listen(0)',
      'queue = [socket.socket() for _ in range(4)]',
      '[one.setblocking(False) or one.connect_ex(server.getsockname()) for one in queue]',
      'print(server.getsockname()[1], flush=True); sys.stdin.read()',
    ].join('\n')]);
    try {
      const [port] = await once(silent.stdout, 'data');
      process.env.AWS_ENDPOINT_URL_APPLICATION_AUTO_SCALING = `http://127.0.0.1:${`${port}`.trim()}`;
      expect(await now({ desired: 1, due: 15, active: 4 })).toEqual([]);
      expect(values(published[0])).toMatchObject({ Demand: 19, RequiredWorkers: 3, PublisherErrors: 1 });
    } finally {
      silent.kill();
    }
  }, 20_000);

  test('one worker for many short runs of which the times are known', async () => {
    times = [4, 5, 5, 6];
    const before = server.instead!;
    server.instead = request => {
      const answer = before(request);
      // Every 15 s one is due.
      (answer?.body as any)?.results?.forEach?.((run: any, index: number) => {
        run.next_scheduled_start_time = new Date(Date.now() + 1000 + index * 15_000).toISOString();
      });
      return answer;
    };
    expect(await now({ desired: 0, due: 12 })).toEqual([1]);
    times = [];
    counts.length = 0;
    expect(await now({ desired: 0, due: 12 })).toEqual([2]);
  });
});

describe('where workers may wait for unscheduled runs', () => {
  const warmTaskHours = 24;
  /** For four hours two workers were needed for a minute every half hour, the last time ten minutes ago. */
  const lastHours = () => byMinute(Array.from({ length: 240 }, (_, index) => (index % 30 === 19 ? 2 : 0)));
  const invokeWith = async (
    given: { desired: number; due?: number; active?: number }, settings: Partial<PublisherConfiguration> = { warmTaskHours: 48 },
  ) => {
    ({ desired, due = 0, active = 0 } = given);
    points = { required: byMinute([0, 0]), unscheduled: lastHours(), warm: byMinute([]) };
    return values((await invoke(settings))[0]);
  };

  test('they are kept as the last day makes it likely, are no surplus, and are published', async () => {
    expect(await invokeWith({ desired: 3 })).toMatchObject({
      RequiredWorkers: 0, UnscheduledWorkers: 0, WarmWorkers: 2, SurplusWorkers: 1, PublisherErrors: 0,
    });
    expect(counts).toEqual([2]);
  });

  test('CloudWatch is asked once for all that a day has shown, and not at all where no worker is too much', async () => {
    await invokeWith({ desired: 3 });
    const [{ body }, ...others] = asked.filter(({ action }) => action === 'GetMetricData');
    expect(others).toEqual([]);
    expect(body.EndTime - body.StartTime).toBeGreaterThanOrEqual(86_400);
    expect(body.MetricDataQueries.map(({ MetricStat: { Metric, Period, Stat } }: any) => [Metric.MetricName, Period, Stat])).toEqual([
      ['RequiredWorkers', 60, 'Maximum'], ['UnscheduledWorkers', 60, 'Maximum'], ['WarmWorkers', 60, 'Maximum'],
    ]);
    asked = [];
    expect(values((await invoke({ warmTaskHours }))[0])).toMatchObject({ WarmWorkers: 2 });
    asked = [];
    published = [];
    expect(await invokeWith({ desired: 1, due: 1 })).toMatchObject({ RequiredWorkers: 1, WarmWorkers: 0 });
    expect(asked.map(({ action }) => action)).not.toContain('GetMetricData');
  });

  test('answers that come in pages are read to the end', async () => {
    const before = server.instead!;
    server.instead = request => {
      const answer = before(request);
      if (!`${request.headers['x-amz-target']}`.endsWith('GetMetricData')) return answer;
      const [part, NextToken] = request.body.NextToken ? [['unscheduled', 'warm'], undefined] : [['required'], 'more'];
      const results: { Id: string }[] = (answer!.body as any).MetricDataResults;
      return { status: 200, body: { NextToken, MetricDataResults: results.filter(({ Id }) => part.includes(Id)) } };
    };
    expect(await invokeWith({ desired: 3 })).toMatchObject({ WarmWorkers: 2 });
  });

  test('what was needed long ago does not keep them beyond the minutes of patience', async () => {
    points = { required: byMinute([3, 3, 3, 0, 0, 0]) };
    [desired, due, active] = [3, 0, 0];
    await invoke({ warmTaskHours });
    expect(counts).toEqual([0]);
  });

  test.each([
    ['came with notice', 3600, 0],
    ['come at once', 0, 2],
    ['came later than a worker takes to start', 179, 2],
    ['came just in time', 181, 0],
  ])('runs that %s tell so', async (_, before, workers) => {
    created = before;
    expect(await invokeWith({ desired: 2, due: 6, active: 4 })).toMatchObject({ RequiredWorkers: 2, UnscheduledWorkers: workers });
  });

  test('runs that others create are not among them', async () => {
    created = 0;
    parent = 'task';
    expect(await invokeWith({ desired: 2, due: 6, active: 4 })).toMatchObject({ RequiredWorkers: 2, UnscheduledWorkers: 0 });
  });

  test('none does while it is not known what the day has shown', async () => {
    refused = 'GetMetricData';
    const poll = await invokeWith({ desired: 3 });
    expect(poll).toMatchObject({ UnscheduledWorkers: 0, SurplusWorkers: 3, PublisherErrors: 1 });
    expect(poll).not.toHaveProperty('WarmWorkers');
    expect(counts).toEqual([]);
  });

  test('nothing of it is asked or published without it', async () => {
    const poll = await invokeWith({ desired: 3 }, {});
    expect(Object.keys(poll).filter(name => /Unscheduled|Warm/.test(name))).toEqual([]);
    expect(counts).toEqual([0]);
    expect(asked.find(({ action }) => action === 'GetMetricData')!.body.MetricDataQueries).toHaveLength(1);
  });
});

describe('where the workers have a price', () => {
  const pricedTask = { cpu: '1024', memoryMiB: '2048', cpuArchitecture: 'X86_64' };
  const HOUR = 0.04048 + 2 * 0.004445;

  test('each poll publishes what those that run have cost since the last, Prefect or not', async () => {
    service = { runningCount: 3 };
    const [first, ...others] = (await invoke({ pricedTask, pollSeconds: 20 })).map(values);
    expect(others).toHaveLength(2);
    expect(first.WorkerCost).toBeCloseTo(3 * HOUR / 180, 9);
    published = [];
    expect((await invoke({ pricedTask }, 'another')).map(values)).toEqual([{ PublisherErrors: 1, WorkerCost: expect.closeTo(3 * HOUR / 60, 9) }]);
  });

  test.each([
    ['of which the base is on demand, and the rest is shared by weight', [{ capacityProvider: 'FARGATE', base: 1, weight: 1 }, { capacityProvider: 'FARGATE_SPOT', weight: 3 }], 2, 3],
    ['that are all on Spot', [{ capacityProvider: 'FARGATE_SPOT', weight: 1 }], 0, 5],
    ['that are all on demand', [{ capacityProvider: 'FARGATE', weight: 1 }], 5, 0],
  ])('Spot costs less, of five workers %s', async (_, capacityProviderStrategy, onDemand, spot) => {
    service = { runningCount: 5, capacityProviderStrategy };
    const [first] = (await invoke({ pricedTask })).map(values);
    expect(first.WorkerCost).toBeCloseTo((onDemand + spot * 0.3184) * HOUR / 60, 9);
  });

  test('ARM and storage have their prices, in text as well', async () => {
    const [first] = (await invoke({ pricedTask: { cpu: '512', memoryMiB: '1024', ephemeralStorageGiB: '120', cpuArchitecture: 'ARM64' } })).map(values);
    expect(first.WorkerCost).toBeCloseTo((0.5 * 0.03238 + 0.00356 + 100 * 0.000111) / 60, 9);
  });

  test('no worker costs nothing', async () => {
    service = { runningCount: 0 };
    expect((await invoke({ pricedTask })).map(values)).toEqual([expect.objectContaining({ WorkerCost: 0 })]);
  });
});
