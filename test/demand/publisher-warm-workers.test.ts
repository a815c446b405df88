import { byMinute, PublisherWorld, values } from './publisher-world';
import type { PublisherConfiguration } from '../../src/demand/configuration';

let world: PublisherWorld;
beforeEach(async () => { world = await PublisherWorld.start(); });
afterEach(() => world.stop());

describe('where workers may wait for unscheduled runs', () => {
  const warmTaskHours = 24;
  /** For four hours two workers were needed for a minute every half hour, the last time ten minutes ago. */
  const lastHours = () => byMinute(Array.from({ length: 240 }, (_, index) => (index % 30 === 19 ? 2 : 0)));
  const invokeWith = async (
    given: { desired: number; due?: number; active?: number }, settings: Partial<PublisherConfiguration> = { warmTaskHours: 48 },
  ) => {
    Object.assign(world, { due: 0, active: 0, ...given });
    world.points = { required: byMinute([0, 0]), unscheduled: lastHours(), warm: byMinute([]) };
    return values((await world.invoke(settings))[0]);
  };

  test('they are kept as the last day makes it likely, are no surplus, and are published', async () => {
    expect(await invokeWith({ desired: 3 })).toMatchObject({
      RequiredWorkers: 0, UnscheduledWorkers: 0, WarmWorkers: 2, SurplusWorkers: 1, PublisherErrors: 0,
    });
    expect(world.counts).toEqual([2]);
  });

  test('CloudWatch is asked once for all that a day has shown, and not at all where no worker is too much', async () => {
    await invokeWith({ desired: 3 });
    const [{ body }, ...others] = world.asked.filter(({ action }) => action === 'GetMetricData');
    expect(others).toEqual([]);
    expect(body.EndTime - body.StartTime).toBeGreaterThanOrEqual(86_400);
    expect(body.MetricDataQueries.map(({ MetricStat: { Metric, Period, Stat } }: any) => [Metric.MetricName, Period, Stat])).toEqual([
      ['RequiredWorkers', 60, 'Maximum'], ['UnscheduledWorkers', 60, 'Maximum'], ['WarmWorkers', 60, 'Maximum'],
    ]);
    world.asked = [];
    expect(values((await world.invoke({ warmTaskHours }))[0])).toMatchObject({ WarmWorkers: 2 });
    world.asked = [];
    world.published = [];
    expect(await invokeWith({ desired: 1, due: 1 })).toMatchObject({ RequiredWorkers: 1, WarmWorkers: 0 });
    expect(world.asked.map(({ action }) => action)).not.toContain('GetMetricData');
  });

  test('answers that come in pages are read to the end', async () => {
    const before = world.server.instead!;
    world.server.instead = request => {
      const answer = before(request);
      if (!`${request.headers['x-amz-target']}`.endsWith('GetMetricData')) return answer;
      const [part, NextToken] = request.body.NextToken ? [['unscheduled', 'warm'], undefined] : [['required'], 'more'];
      const results: { Id: string }[] = (answer!.body as any).MetricDataResults;
      return { status: 200, body: { NextToken, MetricDataResults: results.filter(({ Id }) => part.includes(Id)) } };
    };
    expect(await invokeWith({ desired: 3 })).toMatchObject({ WarmWorkers: 2 });
  });

  test('what was needed long ago does not keep them beyond the minutes of patience', async () => {
    world.points = { required: byMinute([3, 3, 3, 0, 0, 0]) };
    [world.desired, world.due, world.active] = [3, 0, 0];
    await world.invoke({ warmTaskHours });
    expect(world.counts).toEqual([0]);
  });

  test.each([
    ['came with notice', 3600, 0],
    ['come at once', 0, 2],
    ['came later than a worker takes to start', 179, 2],
    ['came just in time', 181, 0],
  ])('runs that %s tell so', async (_, before, workers) => {
    world.created = before;
    expect(await invokeWith({ desired: 2, due: 6, active: 4 })).toMatchObject({ RequiredWorkers: 2, UnscheduledWorkers: workers });
  });

  test('runs that others create are not among them', async () => {
    world.created = 0;
    world.parent = 'task';
    expect(await invokeWith({ desired: 2, due: 6, active: 4 })).toMatchObject({ RequiredWorkers: 2, UnscheduledWorkers: 0 });
  });

  test('none does while it is not known what the day has shown', async () => {
    world.refused = 'GetMetricData';
    const poll = await invokeWith({ desired: 3 });
    expect(poll).toMatchObject({ UnscheduledWorkers: 0, SurplusWorkers: 3, PublisherErrors: 1 });
    expect(poll).not.toHaveProperty('WarmWorkers');
    expect(world.counts).toEqual([]);
  });

  test('nothing of it is asked or published without it', async () => {
    const poll = await invokeWith({ desired: 3 }, {});
    expect(Object.keys(poll).filter(name => /Unscheduled|Warm/.test(name))).toEqual([]);
    expect(world.counts).toEqual([0]);
    expect(world.asked.find(({ action }) => action === 'GetMetricData')!.body.MetricDataQueries).toHaveLength(1);
  });
});
