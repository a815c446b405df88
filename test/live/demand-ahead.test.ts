import { setTimeout as sleep } from 'node:timers/promises';
import { deploy } from './support/cdk';
import { eventually, physicalIds } from './support/evidence';
import { deployedTemplate } from './support/policies';
import { ScaledWorld } from './support/scaled-world';
import { UNITS } from '../../src/demand/metrics';
import { questionsOf } from '../policy/recorded';
import { PolicySimulator } from '../policy/simulate';

jest.setTimeout(300_000);

/** What the publisher does about a run that will be due, about runs that crash, and while the API is away. */
const LEAD_SECONDS = 45;

let world: ScaledWorld;
let flow: string;

beforeAll(async () => {
  world = await ScaledWorld.start(LEAD_SECONDS, { gate: true });
  flow = await world.deployFlow('scaled');
});
afterAll(() => world?.live.stop());

test('the worker that a new deployment starts goes, because there is nothing to do', async () => {
  expect(await world.empty()).toBe(true);
});

describe('a flow run that the server makes from a cron schedule', () => {
  const MINUTE = 60_000;
  let due: number;
  let id: string;

  test('is there by itself, and has no worker before the lead time', async () => {
    // The server has made it, and a poll could see it, well before the lead time.
    due = Math.ceil((Date.now() + (LEAD_SECONDS + 20) * 1000) / MINUTE) * MINUTE;
    const at = new Date(due);
    const deployment = await world.deployFlow('daily', { entrypoint: 'flows.py:hello', cron: `${at.getUTCMinutes()} ${at.getUTCHours()} * * *` });
    const run = await eventually((due - Date.now()) / 1000 - LEAD_SECONDS - 5, async () => {
      const [first] = await world.live.prefect.call<any[]>('POST', '/flow_runs/filter', { flow_runs: { deployment_id: { any_: [deployment] } }, sort: 'EXPECTED_START_TIME_ASC' });
      return first;
    });
    expect(run).toMatchObject({ auto_scheduled: true, state: { type: 'SCHEDULED' } });
    expect(Date.parse(run.expected_start_time)).toBe(due);
    id = run.id;
    await sleep(Math.max(0, due - (LEAD_SECONDS + 1) * 1000 - Date.now()));
    expect(await world.scaling.counts()).toEqual({ desired: 0, running: 0 });
  });

  test('has a worker when it is due, and starts on time', async () => {
    await sleep(Math.max(0, due - 11_000 - Date.now()));
    expect(await world.scaling.counts()).toEqual({ desired: 1, running: 1 });
    expect(await world.onlineWorkers()).toHaveLength(1);
    expect(Date.now()).toBeLessThan(due);
    await world.live.prefect.waitFor(id, ['COMPLETED'], 60);
    const { start_time: start } = await world.live.prefect.call<{ start_time: string }>('GET', `/flow_runs/${id}`);
    expect(Date.parse(start) - due).toBeLessThan(15_000);
  });

  test('leaves no worker behind, although tomorrow\'s is there already', async () => {
    expect(await world.empty()).toBe(true);
    expect(await world.count('SCHEDULED')).toBeGreaterThan(0);
  });
});

test('crashed flow runs are counted once each, across an outage of the API and a deployment, which starts no worker', async () => {
  const since = new Date();
  const crash = async () => {
    const id = await world.schedule(flow, Date.now() + 3_600_000);
    await world.live.prefect.call('POST', `/flow_runs/${id}/set_state`, { state: { type: 'CRASHED' }, force: true });
  };
  const polls = async () => (await world.scaling.values('PublisherErrors', since)).length;
  const failed = async () => (await world.scaling.values('PublisherErrors', since)).filter(errors => errors > 0).length;
  const counted = async () => (await world.scaling.values('CrashedRuns', since)).reduce((sum, runs) => sum + runs, 0);

  await crash();
  await crash();
  await world.live.gate!.shut();
  await crash();
  expect(await eventually(60, async () => await failed() > 0 || undefined)).toBe(true);
  await world.live.gate!.open();
  expect(await eventually(60, async () => await counted() >= 3 || undefined)).toBe(true);

  await deploy(world.live.standIn, { ...world.live.deployment, environment: { ...world.live.deployment.environment, LEAD_TIME: '60', RELEASE: '2' } });
  const before = await polls();
  expect(await eventually(60, async () => await polls() > before || undefined)).toBe(true);
  expect(await counted()).toBe(3);
  expect(await world.scaling.counts()).toEqual({ desired: 0, running: 0 });
});

test('a poll publishes all that it read in one request, or that it failed and what the workers cost, which Prefect need not say', async () => {
  const requests = (await world.live.standIn.calls()).filter(({ action }) => action === 'PutMetricData').map(({ parameters }) => parameters);
  // No worker of this stack waits for unscheduled runs.
  const all = Object.keys(UNITS).filter(name => !/^(Unscheduled|Warm)Workers$/.test(name)).sort();
  const failed = ['PublisherErrors', 'WorkerCost'];
  const names = requests.map(({ MetricData }) => MetricData.map((datum: any) => datum.MetricName).sort());
  expect(names).toContainEqual(all);
  expect(names).toContainEqual(failed);
  for (const sent of names) expect([all, failed]).toContainEqual(sent);
  for (const datum of requests.flatMap(({ MetricData }) => MetricData)) expect(datum.Unit).toBe(UNITS[datum.MetricName as keyof typeof UNITS]);
});

test('what the publisher asked of AWS is allowed by its policy', async () => {
  const calls = (await world.live.standIn.calls()).filter(({ caller }) => /Demand/.test(caller.function ?? ''));
  const simulator = new PolicySimulator(deployedTemplate(world.live.deployment.output), { physicalIds: (await physicalIds(world.live.standIn, 'Scaled')).map });
  const questions = await questionsOf(simulator, calls);
  const always = ['application-autoscaling:DescribeScalableTargets', 'cloudwatch:GetMetricData', 'cloudwatch:PutMetricData', 'ecs:DescribeServices', 'ecs:UpdateService',
    'logs:FilterLogEvents', 'secretsmanager:GetSecretValue'];
  // Only where a poll meets workers that have flow runs while fewer are needed.
  const sometimes = ['ecs:DescribeTasks', 'ecs:GetTaskProtection'];
  const asked = [...new Set(questions.map(({ request }) => request.action))];
  expect(asked.filter(action => !sometimes.includes(action)).sort()).toEqual(always);
  for (const { role, request } of questions) expect({ request, ...await simulator.decide(role, request) }).toMatchObject({ allowed: true });
});
