import { setTimeout as sleep } from 'node:timers/promises';
import { ApplicationAutoScalingClient, RegisterScalableTargetCommand } from '@aws-sdk/client-application-auto-scaling';
import { ECSClient, UpdateServiceCommand } from '@aws-sdk/client-ecs';
import { deploy } from './support/cdk';
import { FLOWS, Live, startLive } from './support/environment';
import { eventually, PhysicalIds, physicalIds } from './support/evidence';
import { visibleMessages } from './support/queue';
import { watchScaling, WatchedScaling } from './support/watched-scaling';
import { clientConfiguration } from '../stand-in/stand-in';

jest.setTimeout(300_000);

/** ECS workers that are there while there is something to start, with a real server and real workers. A minute of AWS passes in ten seconds. */
const POOL = 'from zero';
const LEAD_SECONDS = 45;

let live: Live;
let scaling: WatchedScaling;
let ids: PhysicalIds;
let flow: string;
let long: string;
let due: number;

beforeAll(async () => {
  live = await startLive({ api: 'self-hosted', app: 'test/live/support/from-zero-app.ts', timeScale: 6, environment: { LEAD_TIME: `${LEAD_SECONDS}` } });
  await deploy(live.standIn, live.deployment);
  ids = await physicalIds(live.standIn, 'FromZero');
  scaling = watchScaling(live.standIn, POOL, ids('AWS::ECS::Cluster'), ids('AWS::ECS::Service'));
  flow = await live.prefect.deploy('sleeper', { workPool: POOL, entrypoint: 'flows.py:sleeper', directory: FLOWS });
});
afterAll(() => live?.stop());

const none = () => scaling.none(150);
const schedule = (time: number, seconds: number) => live.prefect.schedule(flow, time, { seconds });
/** Whether somebody has told AWS to leave the number of workers alone. */
async function suspend(suspended: boolean): Promise<void> {
  const [cluster, service] = [ids('AWS::ECS::Cluster'), ids('AWS::ECS::Service')].map(id => id.split('/').pop());
  await new ApplicationAutoScalingClient(clientConfiguration(live.standIn)).send(new RegisterScalableTargetCommand({
    ServiceNamespace: 'ecs',
    ScalableDimension: 'ecs:service:DesiredCount',
    ResourceId: `service/${cluster}/${service}`,
    SuspendedState: { DynamicScalingInSuspended: suspended, DynamicScalingOutSuspended: suspended },
  }));
}
/** How many events of flow runs' tasks wait for a worker, and how many were given up. */
async function events(): Promise<{ unread: number; dead: number }> {
  const count = async (dead: boolean) => {
    const queues = Object.entries(ids.map).filter(([name, url]) => ids.all('AWS::SQS::Queue').includes(url) && /DeadLetter/.test(name) === dead);
    return (await Promise.all(queues.map(([, url]) => visibleMessages(live.standIn, url)))).reduce((sum, messages) => sum + messages, 0);
  };
  return { unread: await count(false), dead: await count(true) };
}

test('no worker is there while nothing is due', async () => {
  expect(await none()).toBe(true);
});

test('one is there before a flow run is due, and none before the lead time', async () => {
  due = Date.now() + (LEAD_SECONDS + 12) * 1000;
  long = await schedule(due, 60);
  await sleep(Math.max(0, due - (LEAD_SECONDS + 1) * 1000 - Date.now()));
  expect(await scaling.counts()).toEqual({ desired: 0, running: 0 });
  await sleep(Math.max(0, due - 11_000 - Date.now()));
  expect(await scaling.counts()).toEqual({ desired: 1, running: 1 });

  await live.prefect.waitFor(long, ['RUNNING'], 60);
  // The worker's part ends with the task; how soon that starts its process is this machine's.
  const task = (await live.standIn.tasks()).find(({ tags }) => tags.some(({ value }) => value === long))!;
  expect(Date.parse(task.createdAt) - due).toBeLessThan(15_000);
});

test('the task of a flow run goes on while no worker is there', async () => {
  await suspend(true);
  await new ECSClient(clientConfiguration(live.standIn)).send(new UpdateServiceCommand({ cluster: ids('AWS::ECS::Cluster'), service: ids('AWS::ECS::Service'), desiredCount: 0 }));
  expect(await none()).toBe(true);
  expect((await live.prefect.flowRun(long)).state.type).toBe('RUNNING');
  expect(await live.prefect.waitFor(long, ['COMPLETED', 'CRASHED', 'FAILED'], 120)).toMatchObject({ state: { type: 'COMPLETED' }, run_count: 1 });
  expect(await scaling.counts()).toEqual({ desired: 0, running: 0 });
});

test('what became of tasks meanwhile is read by the next worker, and nothing is lost', async () => {
  expect(await eventually(30, async () => (await events()).unread > 0 || undefined)).toBe(true);
  await suspend(false);
  const next = await schedule(Date.now(), 1);
  await live.prefect.waitFor(next, ['COMPLETED'], 120);
  expect(await eventually(60, async () => (await events()).unread === 0 || undefined)).toBe(true);
  expect(await events()).toEqual({ unread: 0, dead: 0 });
  expect((await live.prefect.flowRun(long)).state.type).toBe('COMPLETED');
});

test('it goes when no flow run is left', async () => {
  expect(await none()).toBe(true);
});
