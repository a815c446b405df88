import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { PublisherWorld, values } from './publisher-world';
import type { PublisherConfiguration } from '../../src/demand/configuration';

let world: PublisherWorld;
beforeEach(async () => { world = await PublisherWorld.start(); });
afterEach(() => world.stop());

describe('the service keeps', () => {
  const now = async (
    given: { desired: number; due?: number; active?: number; recent?: number[] },
    settings: Partial<PublisherConfiguration> = {}) => {
    Object.assign(world, { due: 0, active: 0, recent: [], ...given });
    await world.invoke(settings);
    return world.counts;
  };

  test('as many workers as are needed, at once', async () => {
    expect(await now({ desired: 1, due: 15, active: 4 })).toEqual([3]);
    expect(world.asked.find(({ action }) => action === 'UpdateService')!.body).toEqual({ cluster: 'cluster', service: 'worker', desiredCount: 3 });
    expect(world.asked.find(({ action }) => action === 'DescribeScalableTargets')!.body).toMatchObject({ ResourceIds: ['service/cluster/worker'] });
  });

  test('no more than the bounds of now', async () => {
    world.target = { MaxCapacity: 2 };
    expect(await now({ desired: 1, due: 15 })).toEqual([2]);
  });

  test('what it has, without another question, where that is what is needed', async () => {
    expect(await now({ desired: 3, due: 15, active: 4 })).toEqual([]);
    expect(world.asked.map(({ action }) => action)).not.toContain('DescribeScalableTargets');
  });

  test('what it has where nothing may scale it, or a person has suspended that', async () => {
    world.target = undefined;
    expect(await now({ desired: 1, due: 15 })).toEqual([]);
    world.target = { SuspendedState: { DynamicScalingOutSuspended: true } };
    expect(await now({ desired: 1, due: 15 })).toEqual([]);
  });

  test('fewer workers when the last minutes did not need more either', async () => {
    expect(await now({ desired: 5, due: 1, recent: [1, 1] })).toEqual([1]);
    expect(world.asked.find(({ action }) => action === 'GetMetricData')!.body.MetricDataQueries[0].MetricStat).toMatchObject({
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
    expect(world.asked.find(({ action }) => action === 'GetTaskProtection')!.body).toEqual({ cluster: 'cluster', tasks: ['arn:task/cluster/busy'] });
    for (world.protection of [{ protectionEnabled: false }, { protectionEnabled: true, expirationDate: Date.now() / 1000 + 30 }]) {
      expect(await now({ desired: 5, active: 1, recent: [1, 1] })).toEqual([1]);
    }
  });

  test('what it has where more runs are active than are read, so that nobody knows who is busy', async () => {
    world.more = 601;
    expect(await now({ desired: 5, active: 4, recent: [1, 1] })).toEqual([]);
    expect(values(world.published[0])).toMatchObject({ RequiredWorkers: 1, SurplusWorkers: 0 });
  });

  test.each<[string, object]>([
    ['another service of the cluster, which serves the same queues', { group: 'service:other' }],
    ['a task that has stopped, whose runs are handed back', { lastStatus: 'STOPPED' }],
  ])('as many as are needed beside a run of %s, whose protection says nothing', async (_, of) => {
    world.task = of;
    world.protection = { protectionEnabled: false };
    expect(await now({ desired: 5, active: 1, recent: [0, 0] })).toEqual([1]);
    expect(world.asked.map(({ action }) => action)).not.toContain('GetTaskProtection');
  });

  test('one ECS worker where one is enough, although the other has started the task of a flow run that goes on', async () => {
    world.protection = { protectionEnabled: false };
    expect(await now({ desired: 2, active: 1, recent: [1, 1] }, { flowRunLimit: undefined, workers: 2 })).toEqual([1]);
    expect(world.asked.map(({ action }) => action)).not.toContain('DescribeTasks');
  });

  test('what it has, at no charge, where no fewer may be', async () => {
    world.target = { MinCapacity: 2 };
    expect(await now({ desired: 2, recent: [0, 0] })).toEqual([]);
    expect(world.asked.map(({ action }) => action)).not.toContain('GetMetricData');
  });

  test.each(['UpdateService', 'DescribeScalableTargets'])('what it has where %s is refused, and what is known is published, with an error', async action => {
    world.refused = action;
    expect(await now({ desired: 1, due: 15, active: 4 })).toEqual([]);
    expect(values(world.published[0])).toMatchObject({ Demand: 19, RequiredWorkers: 3, MissingWorkers: 2, PublisherErrors: 1 });
    world.refused = undefined;
    expect(await now({ desired: 1, due: 15, active: 4 })).toEqual([3]);
    expect(values(world.published[1])).toMatchObject({ PublisherErrors: 0 });
  });

  test('what it has where ECS does not say which tasks are protected', async () => {
    world.refused = 'GetTaskProtection';
    expect(await now({ desired: 5, active: 1, recent: [0, 0] })).toEqual([]);
    expect(values(world.published[0])).toMatchObject({ RunningRuns: 1, PublisherErrors: 1 });
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
      expect(values(world.published[0])).toMatchObject({ Demand: 19, RequiredWorkers: 3, PublisherErrors: 1 });
    } finally {
      silent.kill();
    }
  }, 20_000);

  test('one worker for many short runs of which the times are known', async () => {
    world.times = [4, 5, 5, 6];
    const before = world.server.instead!;
    world.server.instead = request => {
      const answer = before(request);
      // Every 15 s one is due.
      (answer?.body as any)?.results?.forEach?.((run: any, index: number) => {
        run.next_scheduled_start_time = new Date(Date.now() + 1000 + index * 15_000).toISOString();
      });
      return answer;
    };
    expect(await now({ desired: 0, due: 12 })).toEqual([1]);
    world.times = [];
    world.counts.length = 0;
    expect(await now({ desired: 0, due: 12 })).toEqual([2]);
  });
});
