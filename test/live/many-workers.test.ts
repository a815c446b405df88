import { CloudWatchClient, GetMetricStatisticsCommand, paginateListMetrics } from '@aws-sdk/client-cloudwatch';
import { ECSClient, ListClustersCommand, paginateListServices, UpdateServiceCommand } from '@aws-sdk/client-ecs';
import { PATIENCE } from '../pace';
import { deploy } from './support/cdk';
import { FLOWS, Live, startLive } from './support/environment';
import { clientConfiguration } from '../stand-in/stand-in';

jest.setTimeout(900_000);

/** Of each type. `MANY_WORKERS=10` is for releases: twenty of them take eight minutes. */
const EACH = Number(process.env.MANY_WORKERS ?? 2);
/** How many workers there are at a time: each is a Python process with some 200 MB, and four seconds of a processor until it is there. */
const AT_A_TIME = 5;
const pools = ['ecs', 'process'].flatMap(type => Array.from({ length: EACH }, (_, index) => `${type}-${index}`));

let live: Live;
let ecs: ECSClient;
let cloudWatch: CloudWatchClient;

beforeAll(async () => {
  live = await startLive({ api: 'self-hosted', app: 'test/live/support/many-app.ts', environment: { EACH: `${EACH}` } });
  const client = clientConfiguration(live.standIn);
  [ecs, cloudWatch] = [new ECSClient(client), new CloudWatchClient(client)];
  const start = Date.now();
  await deploy(live.standIn, live.deployment);
  process.stdout.write(`\nDeployed ${pools.length} workers in ${Math.round((Date.now() - start) / 1000)} s\n`);
});
afterAll(() => live?.stop());

const IN_A_STACK = 5;
const workerOf = (pool: string) => pool.replace(/^(\w+)-(\d+)$/, (_, type, index) => `Many${type}${Math.floor(index / IN_A_STACK)}Worker${index}`);

async function scale(services: readonly string[], pool: string, desiredCount: number): Promise<void> {
  const service = services.find(arn => new RegExp(`/${workerOf(pool)}(?!\\d)`).test(arn.replace(/-/g, '')))!;
  await ecs.send(new UpdateServiceCommand({ cluster: service.split('/')[1], service, desiredCount }));
}

/** The values of a metric of a pool since the deployment. */
async function metric(pool: string, MetricName: string): Promise<number[]> {
  const now = Date.now();
  // Each worker's name has a hash behind its path.
  const [found] = (await listed()).filter(({ WorkPool, name }) => WorkPool === pool && name === MetricName);
  if (!found) return [];
  const { Datapoints = [] } = await cloudWatch.send(new GetMetricStatisticsCommand({
    Namespace: 'PrefectFargateWorker',
    MetricName,
    Dimensions: [{ Name: 'WorkPool', Value: pool }, { Name: 'Worker', Value: found.Worker }],
    StartTime: new Date(now - 3600_000),
    EndTime: new Date(now + 60_000),
    Period: 60,
    Statistics: ['Maximum'],
  }));
  return Datapoints.sort((a, b) => a.Timestamp!.getTime() - b.Timestamp!.getTime()).map(({ Maximum }) => Maximum!);
}

async function listed() {
  const found: { WorkPool: string; Worker: string; name: string }[] = [];
  for await (const { Metrics = [] } of paginateListMetrics({ client: cloudWatch }, { Namespace: 'PrefectFargateWorker' })) {
    for (const { MetricName: name, Dimensions = [] } of Metrics) {
      const { WorkPool, Worker } = Object.fromEntries(Dimensions.map(({ Name, Value }) => [Name, Value]));
      found.push({ WorkPool, Worker, name: name! });
    }
  }
  return found;
}

async function until<T>(seconds: number, read: () => Promise<T>, enough: (value: T) => boolean): Promise<T> {
  const end = Date.now() + seconds * PATIENCE * 1000;
  for (;;) {
    const value = await read();
    if (enough(value) || Date.now() > end) return value;
    await new Promise(resolve => setTimeout(resolve, 2000));
  }
}

test('the functions of each stack have a turn of each of its workers', async () => {
  const told = (await until(150, () => Promise.all(pools.map(async pool => [...await metric(pool, 'DueRuns'), ...await metric(pool, 'ReconcilerErrors')])), all => all.every(values => values.length >= 2)));
  expect(told.filter(values => values.length < 2)).toEqual([]);
  expect(told.flat().filter(value => value !== 0)).toEqual([]);
  const publishers = (await live.standIn.calls()).filter(({ action }) => action === 'PutMetricData').map(({ caller }) => caller.function);
  expect(new Set(publishers).size).toBe(2 * Math.ceil(EACH / IN_A_STACK));
});

test('each of them runs a flow run, for which the publisher starts its worker', async () => {
  const services: string[] = [];
  const { clusterArns } = await ecs.send(new ListClustersCommand({}));
  for await (const { serviceArns = [] } of paginateListServices({ client: ecs }, { cluster: clusterArns![0] })) services.push(...serviceArns);
  for (let first = 0; first < pools.length; first += AT_A_TIME) {
    const some = pools.slice(first, first + AT_A_TIME);
    // The worker that each deployment starts has seen that it can start.
    for (const pool of some) await scale(services, pool, 0);
    const runs = new Map<string, string>();
    for (const pool of some) {
      const deployment = await live.prefect.deploy(`of-${pool}`, { workPool: pool, entrypoint: 'flows.py:hello', directory: FLOWS });
      runs.set(pool, await live.prefect.start(deployment, {}));
    }
    for (const pool of some) expect([pool, (await live.prefect.waitFor(runs.get(pool)!, ['COMPLETED'], 240)).state.type]).toEqual([pool, 'COMPLETED']);
    for (const pool of some) await scale(services, pool, 0);
  }
});

test('a pool that is gone fails in its own turn only', async () => {
  const [gone, ...others] = pools;
  await live.prefect.call('DELETE', `/work_pools/${gone}`);
  expect(await until(150, () => metric(gone, 'PublisherErrors'), values => values.includes(1))).toContain(1);
  // While twenty workers start, a poll may fail now and then; the next one doesn't.
  for (const pool of others) expect([pool, (await until(120, () => metric(pool, 'PublisherErrors'), values => values.at(-1) === 0)).at(-1)]).toEqual([pool, 0]);
});
