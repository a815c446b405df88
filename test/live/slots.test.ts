import { setTimeout as sleep } from 'node:timers/promises';
import { deploy } from './support/cdk';
import { FLOWS, Live, startLive } from './support/environment';
import { eventually, physicalIds } from './support/evidence';
import { watchScaling, WatchedScaling } from './support/watched-scaling';

jest.setTimeout(300_000);

/** How few workers runs need, and which of them are taken away, with a real server, real workers and the publisher of the stack. */
const POOL = 'scaled';

let live: Live;
let scaling: WatchedScaling;
let short: string;
let long: string;

beforeAll(async () => {
  // A minute of AWS passes in ten seconds. All of the short runs below are due within the lead time.
  live = await startLive({ api: 'self-hosted', app: 'test/live/support/scaled-app.ts', timeScale: 6, environment: { LEAD_TIME: '120', RELEASE: '1' } });
  await deploy(live.standIn, live.deployment);
  const ids = await physicalIds(live.standIn, 'Scaled');
  scaling = watchScaling(live.standIn, POOL, ids('AWS::ECS::Cluster'), ids('AWS::ECS::Service'));
  const sleeper = { workPool: POOL, entrypoint: 'flows.py:sleeper', directory: FLOWS, jobVariables: { command: 'python -m prefect.engine' } };
  short = await live.prefect.deploy('short', sleeper);
  long = await live.prefect.deploy('long', sleeper);
});
afterAll(() => live?.stop());

const schedule = (time: number) => live.prefect.schedule(short, time, { seconds: 1 });
/** The most workers that the service is to keep, within some seconds. */
async function mostDesired(seconds: number): Promise<number> {
  let most = 0;
  for (const end = Date.now() + seconds * 1000; Date.now() < end; await sleep(1000)) most = Math.max(most, (await scaling.counts()).desired);
  return most;
}

test('a worker with a flow run stays while the others go, and the run is executed once', async () => {
  const id = await live.prefect.schedule(long, Date.now() + 5000, { seconds: 120 });
  for (let run = 0; run < 12; run++) await schedule(Date.now() + 5000);
  await live.prefect.waitFor(id, ['RUNNING'], 90);
  for (const [seconds, workers] of [[30, 2], [150, 1]]) {
    expect(await eventually(seconds, async () => ((await scaling.counts()).desired === workers ? true : undefined))).toBe(true);
  }
  await live.prefect.waitFor(id, ['COMPLETED'], 150);
  expect(await live.prefect.call<{ run_count: number }>('GET', `/flow_runs/${id}`)).toMatchObject({ run_count: 1 });
});

test('short flow runs that follow each other take one worker, and not one for each ten of them, since Prefect knows how long they take', async () => {
  // Of twelve that are due within two minutes one runs at a time: a process takes some four seconds of CPU to start.
  const [runs, every] = [12, 6000];
  const first = Date.now() + 15_000;
  const ids = await Promise.all(Array.from({ length: runs }, (_, index) => schedule(first + index * every)));
  expect(await mostDesired((first - Date.now() + runs * every) / 1000)).toBe(1);
  for (const id of ids) await live.prefect.waitFor(id, ['COMPLETED'], 60);
  expect(await scaling.none(200)).toBe(true);
});
