import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from './support/evidence';
import { ScaledWorld } from './support/scaled-world';

jest.setTimeout(300_000);

/** How few workers runs need, and which of them are taken away, with a real server, real workers and the publisher of the stack. */
let world: ScaledWorld;
let short: string;
let long: string;

beforeAll(async () => {
  // All of the short runs below are due within the lead time.
  world = await ScaledWorld.start(120);
  short = await world.deployFlow('short');
  long = await world.deployFlow('long');
});
afterAll(() => world?.live.stop());

/** The most workers that the service is to keep, within some seconds. */
async function mostDesired(seconds: number): Promise<number> {
  let most = 0;
  for (const end = Date.now() + seconds * 1000; Date.now() < end; await sleep(1000)) most = Math.max(most, (await world.scaling.counts()).desired);
  return most;
}

test('a worker with a flow run stays while the others go, and the run is executed once', async () => {
  const id = await world.schedule(long, Date.now() + 5000, 120);
  for (let run = 0; run < 12; run++) await world.schedule(short, Date.now() + 5000);
  await world.live.prefect.waitFor(id, ['RUNNING'], 90);
  for (const [seconds, workers] of [[30, 2], [150, 1]]) {
    expect(await eventually(seconds, async () => ((await world.scaling.counts()).desired === workers ? true : undefined))).toBe(true);
  }
  await world.live.prefect.waitFor(id, ['COMPLETED'], 150);
  expect(await world.live.prefect.call<{ run_count: number }>('GET', `/flow_runs/${id}`)).toMatchObject({ run_count: 1 });
});

test('short flow runs that follow each other take one worker, and not one for each ten of them, since Prefect knows how long they take', async () => {
  // Of twelve that are due within two minutes one runs at a time: a process takes some four seconds of CPU to start.
  const [runs, every] = [12, 6000];
  const first = Date.now() + 15_000;
  const ids = await Promise.all(Array.from({ length: runs }, (_, index) => world.schedule(short, first + index * every)));
  expect(await mostDesired((first - Date.now() + runs * every) / 1000)).toBe(1);
  for (const id of ids) await world.live.prefect.waitFor(id, ['COMPLETED'], 60);
  expect(await world.empty()).toBe(true);
});
