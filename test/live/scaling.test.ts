import { setTimeout as sleep } from 'node:timers/promises';
import { deploy } from './support/cdk';
import { FLOWS, Live, startLive } from './support/environment';
import { eventually, physicalIds } from './support/evidence';
import { deployedTemplate } from './support/policies';
import { watchScaling, WatchedScaling } from './support/watched-scaling';
import { UNITS } from '../../src/demand/metrics';
import { questionsOf } from '../policy/recorded';
import { PolicySimulator } from '../policy/simulate';

jest.setTimeout(300_000);

const POOL = 'scaled';
const RUNS = 60;
/** 60 flow runs, of which a worker holds 10. */
const WORKERS = 6;
/** A minute of AWS passes in ten seconds: the publisher's schedule. */
const TIME_SCALE = 6;
const LEAD_SECONDS = 45;

let live: Live;
let scaling: WatchedScaling;
let flow: string;

beforeAll(async () => {
  live = await startLive({
    api: 'self-hosted',
    app: 'test/live/support/scaled-app.ts',
    timeScale: TIME_SCALE,
    gate: true,
    environment: { LEAD_TIME: `${LEAD_SECONDS}`, RELEASE: '1' },
  });
  await deploy(live.standIn, live.deployment);
  const ids = await physicalIds(live.standIn, 'Scaled');
  scaling = watchScaling(live.standIn, POOL, ids('AWS::ECS::Cluster'), ids('AWS::ECS::Service'));
  flow = await live.prefect.deploy('scaled', {
    workPool: POOL,
    entrypoint: 'flows.py:sleeper',
    directory: FLOWS,
    // Without it, a run loads Prefect twice: sixty of them have two cores here.
    jobVariables: { command: 'python -m prefect.engine' },
  });
});
afterAll(async () => {
  await live?.stop();
});

const empty = () => scaling.none(200);
const count = (type: string) => live.prefect.call<number>('POST', '/flow_runs/count', {
  work_pools: { name: { any_: [POOL] } }, flow_runs: { state: { type: { any_: [type] } } },
});
const schedule = (time: number) => live.prefect.schedule(flow, time, { seconds: 1 });
/** The running tasks whose worker Prefect takes for online; a worker's name ends in its task's id. */
async function onlineWorkers(): Promise<string[]> {
  const tasks = (await live.standIn.tasks()).filter(({ lastStatus }) => lastStatus === 'RUNNING').map(({ taskArn }) => taskArn.split('/').pop()!);
  const names = await live.prefect.onlineWorkers(POOL);
  return tasks.filter(id => names.some(name => name.endsWith(id)));
}

test('the worker that a new deployment starts goes, because there is nothing to do', async () => {
  expect(await empty()).toBe(true);
});

describe(`${RUNS} flow runs that are due at one moment`, () => {
  let due: number;

  test('have no worker before the lead time, and enough of them when they are due', async () => {
    due = Date.now() + (LEAD_SECONDS + 12) * 1000;
    for (let run = 0; run < RUNS; run++) await schedule(due);
    await sleep(Math.max(0, due - (LEAD_SECONDS + 1) * 1000 - Date.now()));
    expect(await scaling.counts()).toEqual({ desired: 0, running: 0 });
    // Ten seconds before they are due, workers begin to take them.
    await sleep(Math.max(0, due - 11_000 - Date.now()));
    expect(await scaling.counts()).toEqual({ desired: WORKERS, running: WORKERS });
    expect(await onlineWorkers()).toHaveLength(WORKERS);
    expect(Date.now()).toBeLessThan(due);
  });

  test('all complete', async () => {
    expect(await eventually(200, async () => (await count('COMPLETED') === RUNS ? RUNS : undefined))).toBe(RUNS);
  });

  test('were seen by the publisher as they were', async () => {
    // Within the lead time, until workers begin to take them.
    const [since, until] = [new Date(due - (LEAD_SECONDS - 1) * 1000), new Date(due - 12_000)];
    const seen = async (metric: string) => [...new Set(await scaling.values(metric, since, until))];
    expect(await seen('DueRuns')).toEqual([RUNS]);
    expect(await seen('Demand')).toEqual([RUNS]);
    expect(await seen('RequiredWorkers')).toEqual([WORKERS]);
    expect(await seen('MissingWorkers')).toEqual([WORKERS, 0]);
    expect(await seen('PublisherErrors')).toEqual([0]);
  });

  test('leave no worker behind', async () => {
    expect(await empty()).toBe(true);
  });
});

describe('a flow run that the server makes from a cron schedule', () => {
  const MINUTE = 60_000;
  let due: number;
  let id: string;

  test('is there by itself, and has no worker before the lead time', async () => {
    // The server has made it, and a poll could see it, well before the lead time.
    due = Math.ceil((Date.now() + (LEAD_SECONDS + 20) * 1000) / MINUTE) * MINUTE;
    const at = new Date(due);
    const deployment = await live.prefect.deploy('daily', {
      workPool: POOL, entrypoint: 'flows.py:hello', directory: FLOWS, cron: `${at.getUTCMinutes()} ${at.getUTCHours()} * * *`,
    });
    const run = await eventually((due - Date.now()) / 1000 - LEAD_SECONDS - 5, async () => {
      const [first] = await live.prefect.call<any[]>('POST', '/flow_runs/filter', { flow_runs: { deployment_id: { any_: [deployment] } }, sort: 'EXPECTED_START_TIME_ASC' });
      return first;
    });
    expect(run).toMatchObject({ auto_scheduled: true, state: { type: 'SCHEDULED' } });
    expect(Date.parse(run.expected_start_time)).toBe(due);
    id = run.id;
    await sleep(Math.max(0, due - (LEAD_SECONDS + 1) * 1000 - Date.now()));
    expect(await scaling.counts()).toEqual({ desired: 0, running: 0 });
  });

  test('has a worker when it is due, and starts on time', async () => {
    await sleep(Math.max(0, due - 11_000 - Date.now()));
    expect(await scaling.counts()).toEqual({ desired: 1, running: 1 });
    expect(await onlineWorkers()).toHaveLength(1);
    expect(Date.now()).toBeLessThan(due);
    await live.prefect.waitFor(id, ['COMPLETED'], 60);
    const { start_time: start } = await live.prefect.call<{ start_time: string }>('GET', `/flow_runs/${id}`);
    expect(Date.parse(start) - due).toBeLessThan(15_000);
  });

  test('leaves no worker behind, although tomorrow\'s is there already', async () => {
    expect(await empty()).toBe(true);
    expect(await count('SCHEDULED')).toBeGreaterThan(0);
  });
});

test('crashed flow runs are counted once each, across an outage of the API and a deployment, which starts no worker', async () => {
  const since = new Date();
  const crash = async () => {
    const id = await schedule(Date.now() + 3_600_000);
    await live.prefect.call('POST', `/flow_runs/${id}/set_state`, { state: { type: 'CRASHED' }, force: true });
  };
  const polls = async () => (await scaling.values('PublisherErrors', since)).length;
  const failed = async () => (await scaling.values('PublisherErrors', since)).filter(errors => errors > 0).length;
  const counted = async () => (await scaling.values('CrashedRuns', since)).reduce((sum, runs) => sum + runs, 0);

  await crash();
  await crash();
  await live.gate!.shut();
  await crash();
  expect(await eventually(60, async () => await failed() > 0 || undefined)).toBe(true);
  await live.gate!.open();
  expect(await eventually(60, async () => await counted() >= 3 || undefined)).toBe(true);

  await deploy(live.standIn, { ...live.deployment, environment: { ...live.deployment.environment, LEAD_TIME: '60', RELEASE: '2' } });
  const before = await polls();
  expect(await eventually(60, async () => await polls() > before || undefined)).toBe(true);
  expect(await counted()).toBe(3);
  expect(await scaling.counts()).toEqual({ desired: 0, running: 0 });
});

test('a poll publishes all that it read in one request, or that it failed and what the workers cost, which Prefect need not say', async () => {
  const requests = (await live.standIn.calls()).filter(({ action }) => action === 'PutMetricData').map(({ parameters }) => parameters);
  const all = Object.keys(UNITS).sort();
  const failed = ['PublisherErrors', 'WorkerCost'];
  const names = requests.map(({ MetricData }) => MetricData.map((datum: any) => datum.MetricName).sort());
  expect(names).toContainEqual(all);
  expect(names).toContainEqual(failed);
  for (const sent of names) expect([all, failed]).toContainEqual(sent);
  for (const datum of requests.flatMap(({ MetricData }) => MetricData)) expect(datum.Unit).toBe(UNITS[datum.MetricName as keyof typeof UNITS]);
});

test('what the publisher asked of AWS is allowed by its policy', async () => {
  const calls = (await live.standIn.calls()).filter(({ caller }) => /Demand/.test(caller.function ?? ''));
  const simulator = new PolicySimulator(deployedTemplate(live.deployment.output), { physicalIds: (await physicalIds(live.standIn, 'Scaled')).map });
  const questions = await questionsOf(simulator, calls);
  const always = ['application-autoscaling:DescribeScalableTargets', 'cloudwatch:GetMetricData', 'cloudwatch:PutMetricData', 'ecs:DescribeServices', 'ecs:UpdateService',
    'logs:FilterLogEvents', 'secretsmanager:GetSecretValue'];
  // Only where a poll meets workers that have flow runs while fewer are needed.
  const sometimes = ['ecs:DescribeTasks', 'ecs:GetTaskProtection'];
  const asked = [...new Set(questions.map(({ request }) => request.action))];
  expect(asked.filter(action => !sometimes.includes(action)).sort()).toEqual(always);
  for (const { role, request } of questions) expect({ request, ...await simulator.decide(role, request) }).toMatchObject({ allowed: true });
});
