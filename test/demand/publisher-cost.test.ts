import { PublisherWorld, values } from './publisher-world';

let world: PublisherWorld;
beforeEach(async () => { world = await PublisherWorld.start(); });
afterEach(() => world.stop());

describe('where the workers have a price', () => {
  const pricedTask = { cpu: '1024', memoryMiB: '2048', cpuArchitecture: 'X86_64' };
  const HOUR = 0.04048 + 2 * 0.004445;

  test('each poll publishes what those that run have cost since the last, Prefect or not', async () => {
    world.service = { runningCount: 3 };
    const [first, ...others] = (await world.invoke({ pricedTask, pollSeconds: 20 })).map(values);
    expect(others).toHaveLength(2);
    expect(first.WorkerCost).toBeCloseTo(3 * HOUR / 180, 9);
    world.published = [];
    expect((await world.invoke({ pricedTask }, 'another')).map(values)).toEqual([{ PublisherErrors: 1, WorkerCost: expect.closeTo(3 * HOUR / 60, 9) }]);
  });

  test.each([
    ['of which the base is on demand, and the rest is shared by weight', [{ capacityProvider: 'FARGATE', base: 1, weight: 1 }, { capacityProvider: 'FARGATE_SPOT', weight: 3 }], 2, 3],
    ['that are all on Spot', [{ capacityProvider: 'FARGATE_SPOT', weight: 1 }], 0, 5],
    ['that are all on demand', [{ capacityProvider: 'FARGATE', weight: 1 }], 5, 0],
  ])('Spot costs less, of five workers %s', async (_, capacityProviderStrategy, onDemand, spot) => {
    world.service = { runningCount: 5, capacityProviderStrategy };
    const [first] = (await world.invoke({ pricedTask })).map(values);
    expect(first.WorkerCost).toBeCloseTo((onDemand + spot * 0.3184) * HOUR / 60, 9);
  });

  test('ARM and storage have their prices, in text as well', async () => {
    const [first] = (await world.invoke({ pricedTask: { cpu: '512', memoryMiB: '1024', ephemeralStorageGiB: '120', cpuArchitecture: 'ARM64' } })).map(values);
    expect(first.WorkerCost).toBeCloseTo((0.5 * 0.03238 + 0.00356 + 100 * 0.000111) / 60, 9);
  });

  test('no worker costs nothing', async () => {
    world.service = { runningCount: 0 };
    expect((await world.invoke({ pricedTask })).map(values)).toEqual([expect.objectContaining({ WorkerCost: 0 })]);
  });
});
