import { handler } from '../../src/rescue/reconciler.lambda';
import { taskStateChange } from '../events/samples';
import { PrefectServer } from '../support/prefect-server';

const CLUSTER = 'arn:aws:ecs:us-east-1:123456789012:cluster/data';
const POOLS = [
  { workPool: 'on premises "etl"', worker: 'StackEtl', cluster: CLUSTER, family: 'prefect-StackEtl' },
  { workPool: 'own', worker: 'StackOwn', cluster: CLUSTER, family: 'prefect' },
];
const TAGS = {
  'prefect.io/flow-run-id': '0d4b8d0e-6f7c-4f0e-9a57-6c9a0b0e3a11',
  'prefect.io/flow-run-name': 'brave-bear',
  'prefect.io/flow-name': 'orders',
  'prefect.io/deployment-name': 'nightly',
  // As Prefect writes the pool's name.
  'prefect.io/work-pool-name': 'on-premises-etl',
};
/** A minute and a half from the pull to the end. */
const TIMES = { pullStartedAt: '2026-01-23T17:00:00.000Z', stoppedAt: '2026-01-23T17:01:29.500Z' };

let server: PrefectServer;
let lines: any[];
let tags: Record<string, string> | undefined;

beforeEach(async () => {
  server = await PrefectServer.start();
  server.standInForAws();
  process.env.AWS_MAX_ATTEMPTS = '1';
  server.instead = ({ body }) => tags === undefined
    ? { status: 400, body: { __type: 'ThrottlingException' } }
    : { status: 200, body: { tasks: [{ taskArn: body.tasks[0], tags: Object.entries(tags).map(([key, value]) => ({ key, value })) }] } };
  [lines, tags] = [[], TAGS];
  jest.spyOn(process.stdout, 'write').mockImplementation(line => lines.push(JSON.parse(`${line}`)) > 0);
  jest.spyOn(console, 'error').mockImplementation();
});
afterEach(async () => {
  jest.restoreAllMocks();
  await server.stop();
});

/** What is published when the event of a task's end arrives. */
async function ended(detail: object = {}, family = 'prefect-StackEtl_own'): Promise<any[]> {
  const { detail: task } = taskStateChange({ clusterArn: CLUSTER, family } as any, { ...TIMES, ...detail });
  await handler({ pools: POOLS, task } as any);
  return lines.map(({ _aws, ...line }) => ({ metrics: _aws.CloudWatchMetrics, ...line }));
}

test('a flow run\'s task is published with its price, and what it was', async () => {
  const [line, ...others] = await ended();
  expect(others).toEqual([]);
  expect(line.metrics).toEqual([{ Namespace: 'PrefectFargateWorker', Dimensions: [['WorkPool', 'Worker']], Metrics: [{ Name: 'Cost', Unit: 'None' }] }]);
  expect(line.Cost).toBeCloseTo((0.5 * 0.04048 + 0.004445) * 90 / 3600, 9);
  expect(line).toMatchObject({
    WorkPool: 'on premises "etl"',
    Worker: 'StackEtl',
    deployment: 'orders/nightly',
    flow_run_id: TAGS['prefect.io/flow-run-id'],
    flow_run_name: 'brave-bear',
    seconds: 90,
    cpu: 512,
    memoryMiB: 1024,
    cpuArchitecture: 'X86_64',
    spot: false,
    prices: 'us-east-1',
  });
});

test('its price follows size, Spot, architecture and storage', async () => {
  const [line] = await ended({
    cpu: '2048', memory: '16384', capacityProviderName: 'FARGATE_SPOT', attributes: [{ name: 'ecs.cpu-architecture', value: 'arm64' }], ephemeralStorage: { sizeInGiB: 100 },
  });
  expect(line).toMatchObject({ cpu: 2048, memoryMiB: 16384, cpuArchitecture: 'ARM64', ephemeralStorageGiB: 100, spot: true });
  expect(line.Cost).toBeCloseTo(((2 * 0.03238 + 16 * 0.00356) * 0.3184 + 80 * 0.000111) * 90 / 3600, 9);
});

test('Prefect is not asked', async () => {
  await ended();
  expect(server.requests.map(({ headers }) => `${headers['x-amz-target']}`.split('.')[1])).toEqual(['DescribeTasks']);
});

test('a task whose tags Amazon ECS doesn\'t tell has a price, of a deployment that is not known', async () => {
  tags = undefined;
  const [line] = await ended();
  expect(line).toMatchObject({ WorkPool: 'on premises "etl"', deployment: 'unknown', seconds: 90 });
  expect(line.Cost).toBeGreaterThan(0);
});

test('a pool with Prefect\'s own names has its tasks, and not those of other pools', async () => {
  tags = { ...TAGS, 'prefect.io/work-pool-name': 'own' };
  expect(await ended({}, 'prefect_own_1')).toMatchObject([{ WorkPool: 'own', Worker: 'StackOwn' }]);
  tags = { ...TAGS, 'prefect.io/work-pool-name': 'of somebody else' };
  lines = [];
  expect(await ended({}, 'prefect_other_1')).toEqual([]);
});

test('tasks of workers and of others have no price here', async () => {
  expect(await ended({ group: 'service:workers' })).toEqual([]);
  expect(await ended({}, 'accounting')).toEqual([]);
  expect(server.requests).toEqual([]);
});

test('a region without prices has those of the reference region, and says so', async () => {
  process.env.AWS_REGION = 'mars-north-1';
  expect(await ended()).toMatchObject([{ prices: 'us-east-1', seconds: 90 }]);
});
