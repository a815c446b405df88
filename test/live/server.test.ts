import { deploy } from './support/cdk';
import { FLOWS } from './support/environment';
import { awsLogs, eventually } from './support/evidence';
import { Prefect } from './support/prefect';
import { ServerWorld, startServerWorld } from './support/server-world';

jest.setTimeout(300_000);

let world: ServerWorld;
let prefect: Prefect;

beforeAll(async () => {
  world = await startServerWorld();
  await deploy(world.standIn, world.deployment);
  prefect = await world.hand();
}, 600_000);
afterAll(() => world?.stop());

const ENDED = ['COMPLETED', 'FAILED', 'CRASHED'];

describe('a highly available server that was deployed', () => {
  test('has two tasks of the API and two of the background services, after one migration', async () => {
    expect(await world.running(/ServerServicesApi/)).toHaveLength(2);
    expect(await world.running(/ServerServicesService/)).toHaveLength(2);
    const migrations = (await world.standIn.tasks()).filter(({ taskDefinitionArn }) => /MigrationTask/.test(taskDefinitionArn));
    expect(migrations.map(({ containers }) => containers.find(({ name }) => name === 'prefect')?.exitCode)).toEqual([0]);
  });

  test('asks for its authentication string', async () => {
    const answer = await fetch(`${prefect.apiUrl}/flows/count`, { method: 'POST' });
    expect(answer.status).toBe(401);
    expect(await prefect.call('POST', '/flows/count')).toBe(0);
  });

  test.each(['processes', 'tasks'])('has a worker of the pool %s online, which found it by its name', async pool => {
    expect(await eventually(60, async () => (await prefect.onlineWorkers(pool))[0])).toBeDefined();
  });

  test.each(['processes', 'tasks'])('has a flow run in the pool %s completed, its task runs recorded and its logs kept', async pool => {
    const deployment = await prefect.deploy(`hello ${pool}`, { workPool: pool, entrypoint: 'flows.py:hello', directory: FLOWS });
    const id = await prefect.start(deployment, { name: pool });
    expect((await prefect.waitFor(id, ENDED, 120)).state.type).toBe('COMPLETED');
    await prefect.waitForLog(id, `Hello from ${pool}`, 30);
    // By the background services, of events that came over Redis.
    expect(await eventually(30, async () => {
      const taskRuns = await prefect.call<{ state: { type: string } }[]>('POST', '/task_runs/filter', { flow_runs: { id: { any_: [id] } } });
      return taskRuns.length === 1 && taskRuns[0].state.type === 'COMPLETED' ? true : undefined;
    })).toBe(true);
  });

  test('schedules from cron', async () => {
    const deployment = await prefect.deploy('by the minute', { workPool: 'processes', entrypoint: 'flows.py:hello', directory: FLOWS, cron: '* * * * *' });
    expect(await eventually(90, async () => {
      const runs = await prefect.call<unknown[]>('POST', '/flow_runs/filter', { deployments: { id: { any_: [deployment] } } });
      return runs.length > 0 ? true : undefined;
    })).toBe(true);
    await prefect.call('DELETE', `/deployments/${deployment}`);
  });

  test('says no secret in its logs', async () => {
    expect(await awsLogs(world.standIn, 'api/')).not.toMatch(/t0kent0ken|p%ss/);
  });
});
