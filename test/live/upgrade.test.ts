import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cdk, deploy } from './support/cdk';
import { FLOWS, Live, startLive } from './support/environment';
import { PhysicalIds, physicalIds } from './support/evidence';

jest.setTimeout(600_000);

const EARLIER = join(__dirname, 'support', 'earlier-assembly.tar.gz');
const STACK = 'Upgraded';
const POOLS = ['tasks', 'processes'];
/** What holds data, or what flow runs and other stacks rest on. */
const KEPT = ['AWS::ECS::Cluster', 'AWS::EC2::VPC', 'AWS::EC2::Subnet', 'AWS::EC2::NatGateway'];
/** The log groups of workers and flow runs, and of the network. Those of functions may go with them. */
const LOGS = /^(TasksTaskLogs|ProcessesTaskLogs|TasksNetworkFlowLogs)/;

let live: Live;
let before: PhysicalIds;
let poolsBefore: any[];
let run: string;

const pools = () => Promise.all(POOLS.map(name => live.prefect.call<any>('GET', `/work_pools/${name}`)));

/** A stack of the library as it was before 1.0, from the assembly that it made, with its own functions. */
async function deployEarlier(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'earlier-'));
  try {
    execFileSync('tar', ['-xzf', EARLIER, '-C', folder]);
    const template = join(folder, `${STACK}.template.json`);
    writeFileSync(template, readFileSync(template, 'utf8').replaceAll('http://127.0.0.1:1/api', live.deployment.environment.API_URL));
    await cdk(live.standIn, ['deploy', '--all', '--require-approval', 'never', '--app', folder]);
  } finally {
    await rm(folder, { recursive: true });
  }
}

beforeAll(async () => {
  live = await startLive({ api: 'self-hosted', authString: false, app: 'test/live/support/upgraded-app.ts' });
  await deployEarlier();
  before = await physicalIds(live.standIn, STACK);
  poolsBefore = await pools();
  const deployment = await live.prefect.deploy('sleepers', { workPool: 'tasks', entrypoint: 'flows.py:sleeper', directory: FLOWS });
  run = await live.prefect.start(deployment, { seconds: 60 });
  await live.prefect.waitFor(run, ['RUNNING'], 120);
  await deploy(live.standIn, live.deployment);
});
afterAll(() => live?.stop());

describe('a deployed stack of the library as it was before 1.0 that is updated', () => {
  test.each(KEPT)('keeps each %s', async type => {
    const now = await physicalIds(live.standIn, STACK);
    expect(before.all(type).length).toBeGreaterThan(0);
    expect(now.all(type)).toEqual(expect.arrayContaining(before.all(type)));
  });

  test('keeps the logs of workers, flow runs and the network', async () => {
    const logs = ({ map }: PhysicalIds) => Object.entries(map).filter(([logicalId]) => LOGS.test(logicalId)).sort();
    expect(logs(before)).toHaveLength(3);
    expect(logs(await physicalIds(live.standIn, STACK))).toEqual(logs(before));
  });

  test('keeps its work pools with their queues', async () => {
    const now = await pools();
    expect(now.map(({ id, default_queue_id: queue }) => [id, queue])).toEqual(poolsBefore.map(({ id, default_queue_id: queue }) => [id, queue]));
  });

  test('lets a flow run go on that ran all the while', async () => {
    expect(await live.prefect.waitFor(run, ['COMPLETED'], 120)).toMatchObject({ run_count: 1 });
  });

  test('runs new flow runs', async () => {
    const deployment = await live.prefect.deploy('new', { workPool: 'tasks', entrypoint: 'flows.py:hello', directory: FLOWS });
    await live.prefect.waitFor(await live.prefect.start(deployment), ['COMPLETED'], 120);
  });
});
