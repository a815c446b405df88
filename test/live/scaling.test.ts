import { setTimeout as sleep } from 'node:timers/promises';
import { AutoScaling, startAutoScaling } from './support/autoscaling';
import { deploy, destroy } from './support/cdk';
import { FLOWS, Live, startLive } from './support/environment';
import { eventually, physicalIds } from './support/evidence';
import { deployedTemplate } from './support/policies';
import { questionsOf } from '../policy/recorded';
import { PolicySimulator } from '../policy/simulate';

jest.setTimeout(420_000);

const POOL = 'scaled';
const RUNS = 60;
/** 60 flow runs, of which a worker holds 10. */
const WORKERS = 6;
const TIME_SCALE = 4;
const LEAD_SECONDS = 100;

let live: Live;
let scaling: AutoScaling;
let flow: string;

beforeAll(async () => {
  live = await startLive({
    api: 'self-hosted', app: 'test/live/support/scaled-app.ts', timeScale: TIME_SCALE, gate: true, environment: { LEAD_TIME: `${LEAD_SECONDS}` },
  });
  await deploy(live.standIn, live.deployment);
  const ids = await physicalIds(live.standIn, 'Scaled');
  scaling = startAutoScaling(live.standIn, deployedTemplate(live.deployment.output), ids('AWS::ECS::Cluster'), ids('AWS::ECS::Service'), TIME_SCALE);
  flow = await live.prefect.deploy('scaled', { workPool: POOL, entrypoint: 'flows.py:hello', directory: FLOWS });
});
afterAll(async () => {
  await scaling?.stop();
  await live?.stop();
});

const empty = () => eventually(150, async () => {
  const { desired, running } = await scaling.counts();
  return desired === 0 && running === 0 ? true : undefined;
});
const count = (type: string) => live.prefect.call<number>('POST', '/flow_runs/count', {
  work_pools: { name: { any_: [POOL] } }, flow_runs: { state: { type: { any_: [type] } } },
});

test('the worker that a new deployment starts goes, because there is nothing to do', async () => {
  expect(await empty()).toBe(true);
});

describe(`${RUNS} flow runs that are due at one moment`, () => {
  let due: number;

  test('have no worker before the lead time, and enough of them when they are due', async () => {
    due = Date.now() + (LEAD_SECONDS + 30) * 1000;
    for (let run = 0; run < RUNS; run++) {
      await live.prefect.call('POST', `/deployments/${flow}/create_flow_run`, {
        state: { type: 'SCHEDULED', state_details: { scheduled_time: new Date(due).toISOString() } }, parameters: { name: `run ${run}` },
      });
    }
    await sleep(Math.max(0, due - (LEAD_SECONDS + 5) * 1000 - Date.now()));
    expect(await scaling.counts()).toEqual({ desired: 0, running: 0 });
    await sleep(Math.max(0, due - Date.now()));
    expect(await scaling.counts()).toEqual({ desired: WORKERS, running: WORKERS });
    expect(await live.prefect.onlineWorkers(POOL)).toHaveLength(WORKERS);
  });

  test('all complete', async () => {
    expect(await eventually(300, async () => (await count('COMPLETED') === RUNS ? RUNS : undefined))).toBe(RUNS);
  });

  test('were seen by the publisher as they were', async () => {
    const since = new Date(due - (LEAD_SECONDS + 60) * 1000);
    expect(Math.max(...await scaling.values('DueRuns', since))).toBe(RUNS);
    expect(Math.max(...await scaling.values('Demand', since))).toBe(RUNS);
    expect(Math.max(...await scaling.values('RequiredWorkers', since))).toBe(WORKERS);
    expect(Math.max(...await scaling.values('PublisherErrors', since))).toBe(0);
  });

  test('leave no worker behind', async () => {
    expect(await empty()).toBe(true);
  });
});

describe('crashed flow runs', () => {
  test('are counted once each, also those of a time when the API could not be reached', async () => {
    const since = new Date();
    const crash = async () => {
      const { id } = await live.prefect.call<{ id: string }>('POST', `/deployments/${flow}/create_flow_run`, {
        state: { type: 'SCHEDULED', state_details: { scheduled_time: new Date(Date.now() + 3_600_000).toISOString() } },
      });
      await live.prefect.call('POST', `/flow_runs/${id}/set_state`, { state: { type: 'CRASHED' }, force: true });
    };
    await crash();
    await crash();
    await live.gate!.shut();
    expect(await eventually(90, async () => (await scaling.values('PublisherErrors', since)).includes(1) || undefined)).toBe(true);
    await crash();
    const during = (await scaling.values('Demand', since)).length;
    await sleep(20_000);
    expect(await scaling.values('Demand', since)).toHaveLength(during);
    await live.gate!.open();
    const counted = async () => (await scaling.values('CrashedRuns', since)).reduce((sum, runs) => sum + runs, 0);
    expect(await eventually(90, async () => (await counted() >= 3 ? true : undefined))).toBe(true);
    await sleep(40_000);
    expect(await counted()).toBe(3);
  });
});

test('what the publisher asked of AWS is allowed by its policy', async () => {
  const calls = (await live.standIn.calls()).filter(({ caller }) => /Demand/.test(caller.function ?? ''));
  const simulator = new PolicySimulator(deployedTemplate(live.deployment.output), { physicalIds: (await physicalIds(live.standIn, 'Scaled')).map });
  const questions = await questionsOf(simulator, calls);
  expect([...new Set(questions.map(({ request }) => request.action))].sort()).toEqual(
    ['cloudwatch:PutMetricData', 'ecs:DescribeServices', 'logs:FilterLogEvents', 'secretsmanager:GetSecretValue']);
  for (const { role, request } of questions) expect({ request, ...await simulator.decide(role, request) }).toMatchObject({ allowed: true });
});

test('a deployment leaves no workers where there are none, and the stack goes', async () => {
  await deploy(live.standIn, { ...live.deployment, environment: { ...live.deployment.environment, LEAD_TIME: '60' } });
  expect((await scaling.counts()).desired).toBe(0);
  await scaling.stop();
  await destroy(live.standIn, live.deployment);
});
