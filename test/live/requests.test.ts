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

/** Requests of the demand publisher and of the reconciler. */
const REQUESTS: Record<string, [number, number]> = {
  'nothing is due': [5, 1],
  'all are due': [7, 1],
  'all are due, and the pool, its queue and the deployment have limits': [9, 1],
  '500 run, each in its task': [7, 3],
  '500 run in the workers': [7, 3],
  '1,000 are suspended': [5, 3],
  '50 run outside ECS, and have long been silent': [5, 2],
  'all are due with limits, 500 run in their tasks, 1,000 are suspended': [11, 3],
  'all are due with limits, 500 run in the workers, 1,000 are suspended': [11, 3],
};

test.each(SITUATIONS.map(situation => [situation.name, situation] as const))('where %s', async (name, situation) => {
  const { publisher, reconciler } = await requestsIn(situation, world, SCHEDULED);
  expect([publisher, reconciler]).toEqual(REQUESTS[name]);
  expect(publisher + reconciler).toBeLessThanOrEqual(15);
});
