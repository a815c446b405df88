import { ReconcilerWorld } from '../support/reconciler-world';
import { requestsIn, SITUATIONS } from '../support/request-situations';

/** How often a minute Prefect is asked for a pool. Whoever adds a request does so for every pool and every minute, and Prefect Cloud counts. */
let world: ReconcilerWorld;

jest.setTimeout(120_000);

beforeAll(async () => { world = await ReconcilerWorld.start(); }, 120_000);
beforeEach(() => {
  jest.spyOn(console, 'log').mockImplementation();
});
afterEach(() => jest.restoreAllMocks());
afterAll(() => world?.stop());

/** More than a page of them, as are 100,000: bench/README.md has both. */
const SCHEDULED = 300;

/** Requests of the demand publisher, of the reconciler, and of the publisher every five minutes, when it asks for run times as well. */
const REQUESTS: Record<string, [number, number, number]> = {
  'nothing is due': [5, 1, 5],
  'all are due': [7, 1, 8],
  'all are due, and the pool, its queue and the deployment have limits': [9, 1, 10],
  '500 run, each in its task': [7, 3, 7],
  '500 run in the workers': [7, 3, 8],
  '1,000 are suspended': [5, 3, 5],
  '50 run outside ECS, and have long been silent': [5, 2, 6],
  'all are due with limits, 500 run in their tasks, 1,000 are suspended': [11, 3, 11],
  'all are due with limits, 500 run in the workers, 1,000 are suspended': [11, 3, 12],
};

test.each(SITUATIONS.map(situation => [situation.name, situation] as const))('where %s', async (name, situation) => {
  const { publisher, reconciler, withRunTimes } = await requestsIn(situation, world, SCHEDULED);
  expect([publisher, reconciler, withRunTimes]).toEqual(REQUESTS[name]);
  expect(withRunTimes + reconciler).toBeLessThanOrEqual(15);
});
