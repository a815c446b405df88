import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from './support/evidence';
import { ScaledWorld } from './support/scaled-world';

jest.setTimeout(300_000);

const RUNS = 60;
/** 60 flow runs, of which a worker holds 10. */
const WORKERS = 6;
const LEAD_SECONDS = 45;

let world: ScaledWorld;
let flow: string;

beforeAll(async () => {
  world = await ScaledWorld.start(LEAD_SECONDS);
  flow = await world.deployFlow('scaled');
  // The worker that a new deployment starts has nothing to do.
  expect(await world.empty()).toBe(true);
});
afterAll(() => world?.live.stop());

describe(`${RUNS} flow runs that are due at one moment`, () => {
  let due: number;

  test('have no worker before the lead time, and enough of them when they are due', async () => {
    due = Date.now() + (LEAD_SECONDS + 12) * 1000;
    for (let run = 0; run < RUNS; run++) await world.schedule(flow, due);
    await sleep(Math.max(0, due - (LEAD_SECONDS + 1) * 1000 - Date.now()));
    expect(await world.scaling.counts()).toEqual({ desired: 0, running: 0 });
    // Ten seconds before they are due, workers begin to take them.
    await sleep(Math.max(0, due - 11_000 - Date.now()));
    expect(await world.scaling.counts()).toEqual({ desired: WORKERS, running: WORKERS });
    expect(await world.onlineWorkers()).toHaveLength(WORKERS);
    expect(Date.now()).toBeLessThan(due);
  });

  test('all complete', async () => {
    expect(await eventually(200, async () => (await world.count('COMPLETED') === RUNS ? RUNS : undefined))).toBe(RUNS);
  });

  test('were seen by the publisher as they were', async () => {
    // Within the lead time, until workers begin to take them.
    const [since, until] = [new Date(due - (LEAD_SECONDS - 1) * 1000), new Date(due - 12_000)];
    const seen = async (metric: string) => [...new Set(await world.scaling.values(metric, since, until))];
    expect(await seen('DueRuns')).toEqual([RUNS]);
    expect(await seen('Demand')).toEqual([RUNS]);
    expect(await seen('RequiredWorkers')).toEqual([WORKERS]);
    expect(await seen('MissingWorkers')).toEqual([WORKERS, 0]);
    expect(await seen('PublisherErrors')).toEqual([0]);
  });

  test('leave no worker behind', async () => {
    expect(await world.empty()).toBe(true);
  });
});
