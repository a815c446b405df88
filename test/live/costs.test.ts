import { CloudWatchClient, GetMetricStatisticsCommand, paginateListMetrics } from '@aws-sdk/client-cloudwatch';
import { DescribeTasksCommand, ECSClient, Task } from '@aws-sdk/client-ecs';
import { deploy } from './support/cdk';
import { FLOWS, Live, startLive } from './support/environment';
import { awsLogs, eventually } from './support/evidence';
import { clientConfiguration } from '../stand-in/stand-in';

/** What flow runs cost, by real runs in tasks of several sizes, held against arithmetic over what Amazon ECS says of the tasks. */
jest.setTimeout(400_000);

/** Of AWS's page of prices for us-east-1, in November 2026; by hand, so that a slip in the table shows. */
const PRICES: Record<string, readonly [vCpuHour: number, gibHour: number]> = { x86_64: [0.04048, 0.004445], arm64: [0.03238, 0.00356] };
const STORAGE_GIB_HOUR = 0.000111;
const SPOT = 0.3184;

interface Run {
  readonly workPool: string;
  /** As a deployment's name, and as its job variables say it. */
  readonly deployment: string;
  readonly jobVariables?: Record<string, unknown>;
  readonly seconds?: number;
}

/** As people name pools. */
const PLAIN = 'plain "tasks"';
const SPOT_ONLY = [{ capacityProvider: 'FARGATE_SPOT', base: 0, weight: 1 }];
const RUNS: readonly Run[] = [
  { workPool: PLAIN, deployment: 'small' },
  // Longer than the minute that each task is billed for.
  { workPool: PLAIN, deployment: 'long', seconds: 62 },
  { workPool: PLAIN, deployment: 'large-on-Spot', jobVariables: { cpu: 2048, memory: 8192, capacity_provider_strategy: SPOT_ONLY } },
  { workPool: 'arm', deployment: 'on-ARM-with-a-disk', jobVariables: { cpu: 1024, memory: 4096 } },
];

let live: Live;
let cloudWatch: CloudWatchClient;
/** What ECS says of the tasks, by the deployment whose runs were in them. */
let tasks: Record<string, Task>;

beforeAll(async () => {
  live = await startLive({ api: 'self-hosted', app: 'test/live/support/costs-app.ts' });
  cloudWatch = new CloudWatchClient(clientConfiguration(live.standIn));
  await deploy(live.standIn, live.deployment);
  tasks = Object.fromEntries(await Promise.all(RUNS.map(async run => [run.deployment, await taskOf(run)])));
});
afterAll(() => live?.stop());

/** Has a flow run run, and gives the task that it was in when that has ended. */
async function taskOf({ workPool, deployment, jobVariables, seconds = 1 }: Run): Promise<Task> {
  const id = await live.prefect.deploy(deployment, { workPool, entrypoint: 'flows.py:sleeper', directory: FLOWS, jobVariables });
  const run = await live.prefect.start(id, { seconds });
  expect((await live.prefect.waitFor(run, ['COMPLETED', 'FAILED', 'CRASHED'], 150)).state.type).toBe('COMPLETED');
  const arn = await eventually(30, async () => {
    const [{ infrastructure_pid: named }] = await live.prefect.flowRuns([run]);
    return (await live.standIn.tasks()).find(({ taskArn, lastStatus }) => lastStatus === 'STOPPED' && named?.endsWith(taskArn))?.taskArn;
  });
  const { tasks: [task] = [] } = await new ECSClient(clientConfiguration(live.standIn)).send(new DescribeTasksCommand({ cluster: arn!.split('/')[1], tasks: [arn!] }));
  return task;
}

/** By Fargate's rules: https://aws.amazon.com/fargate/pricing/ */
function priceOf(task: Task): number {
  const hours = Math.max(60, Math.ceil((task.stoppedAt!.getTime() - task.pullStartedAt!.getTime()) / 1000)) / 3600;
  const [vCpu, gib] = PRICES[task.attributes!.find(({ name }) => name === 'ecs.cpu-architecture')!.value!];
  const compute = Number(task.cpu) / 1024 * vCpu + Number(task.memory) / 1024 * gib;
  return hours * (compute * (task.capacityProviderName === 'FARGATE_SPOT' ? SPOT : 1) + (task.ephemeralStorage!.sizeInGiB! - 20) * STORAGE_GIB_HOUR);
}

/** The sum of what a metric of a pool has had so far. */
async function published(workPool: string, MetricName: string): Promise<number> {
  for await (const { Metrics = [] } of paginateListMetrics({ client: cloudWatch }, { Namespace: 'PrefectFargateWorker', MetricName })) {
    const found = Metrics.find(({ Dimensions = [] }) => Dimensions.some(({ Name, Value }) => Name === 'WorkPool' && Value === workPool));
    if (!found) continue;
    const now = Date.now();
    const { Datapoints = [] } = await cloudWatch.send(new GetMetricStatisticsCommand({
      Namespace: 'PrefectFargateWorker', MetricName, Dimensions: found.Dimensions, StartTime: new Date(now - 3600_000), EndTime: new Date(now + 60_000), Period: 60, Statistics: ['Sum'],
    }));
    return Datapoints.reduce((sum, { Sum = 0 }) => sum + Sum, 0);
  }
  return 0;
}

/** The lines with prices, by deployment. */
async function priced(): Promise<Record<string, any>> {
  const lines = (await awsLogs(live.standIn, '')).split('\n').filter(line => line.includes('"Cost":')).map(line => JSON.parse(line));
  return Object.fromEntries(lines.map(line => [line.deployment.replace('sleeper/', ''), line]));
}

test('the tasks were what they were to be', () => {
  const facts = Object.entries(tasks).map(([deployment, { cpu, memory, capacityProviderName = 'FARGATE', ephemeralStorage, attributes }]) =>
    [deployment, cpu, memory, capacityProviderName, ephemeralStorage?.sizeInGiB, attributes?.[0].value]);
  expect(facts).toEqual([
    ['small', '512', '1024', 'FARGATE', 20, 'x86_64'],
    ['long', '512', '1024', 'FARGATE', 20, 'x86_64'],
    ['large-on-Spot', '2048', '8192', 'FARGATE_SPOT', 20, 'x86_64'],
    ['on-ARM-with-a-disk', '1024', '4096', 'FARGATE', 100, 'arm64'],
  ]);
});

test.each(RUNS.map(({ deployment }) => [deployment]))('the run "%s" costs what arithmetic says, and the log says of which deployment it was', async deployment => {
  const line = await eventually(20, async () => (await priced())[deployment]);
  expect(line.Cost / priceOf(tasks[deployment])).toBeCloseTo(1, 2);
});

test.each([PLAIN, 'arm'])('the metric of the pool %s is the sum of its runs, within 5%%', async workPool => {
  const expected = RUNS.filter(run => run.workPool === workPool).reduce((sum, { deployment }) => sum + priceOf(tasks[deployment]), 0);
  const cost = await published(workPool, 'Cost');
  process.stdout.write(`\nCost of ${workPool}: $${cost.toFixed(6)} published, $${expected.toFixed(6)} by arithmetic\n`);
  expect(Math.abs(cost / expected - 1)).toBeLessThan(0.05);
});

test.each([[PLAIN, 'x86_64'], ['arm', 'arm64']])('the worker of the pool %s has its own cost, a minute at a time', async (workPool, architecture) => {
  const [vCpu, gib] = PRICES[architecture];
  const minutes = await eventually(70, async () => {
    const cost = await published(workPool, 'WorkerCost');
    return cost > 0 ? cost / ((0.5 * vCpu + gib) / 60) : undefined;
  });
  // One worker, at each of the polls so far.
  expect(minutes).toBeCloseTo(Math.round(minutes!), 6);
});
