import { setTimeout as sleep } from 'node:timers/promises';
import { Prefect } from './support/prefect';
import { KnownChildRuns } from '../../src/demand/child-runs';
import { poll } from '../../src/demand/poll';
import { RunTimes } from '../../src/demand/run-times';
import { PrefectClient } from '../../src/private/prefect-client';
import { PrefectServer, startPrefectServer } from '../stand-in/prefect-server';

jest.setTimeout(120_000);

/** What a real server tells of runs that create others, as `run_deployment` does. */
const POOL = 'fan "out"';

let server: PrefectServer;
let prefect: Prefect;
let parent: string;
let child: string;

beforeAll(async () => {
  server = await startPrefectServer({ database: 'postgres' });
  prefect = new Prefect(server.apiUrl);
  for (const name of [POOL, 'another']) await prefect.call('POST', '/work_pools/', { name, type: 'process', base_job_template: {} });
  const deploy = (name: string, workPool = POOL) => prefect.deploy(name, { workPool, entrypoint: 'flows.py:hello', directory: '.' });
  parent = await deploy('parent');
  child = await deploy('child');
  const elsewhere = await deploy('elsewhere', 'another');
  for (let run = 0; run < 3; run++) await runWithChildren([child, child, child, child, elsewhere]);
});
afterAll(() => server?.stop());

const setState = (id: string, type: string) => prefect.call('POST', `/flow_runs/${id}/set_state`, { state: { type }, force: true });

/** A run of the parent that creates others, waits for them, and completes; beside them a subflow that it calls, which takes no slot. */
async function runWithChildren(deployments: readonly string[]): Promise<void> {
  const run = await prefect.start(parent);
  await setState(run, 'RUNNING');
  const task = async (key: string) => (await prefect.call<{ id: string }>('POST', '/task_runs/', { flow_run_id: run, task_key: key, dynamic_key: key })).id;
  const children = await Promise.all(deployments.map(async (deployment, index) => (
    await prefect.call<{ id: string }>('POST', `/deployments/${deployment}/create_flow_run`, { parent_task_run_id: await task(`child-${index}`) })).id));
  const { flow_id: flow } = await prefect.call<{ flow_id: string }>('GET', `/flow_runs/${run}`);
  const subflow = await prefect.call<{ id: string }>('POST', '/flow_runs/', { flow_id: flow, parent_task_run_id: await task('subflow'), state: { type: 'PENDING' } });
  const all = [...children, subflow.id];
  for (const id of all) await setState(id, 'RUNNING');
  await sleep(1500);
  for (const id of [...all, run]) await setState(id, 'COMPLETED');
}

test('a run whose deployment\'s runs create four at a time needs five slots before it is due, from the third poll on', async () => {
  await prefect.schedule(parent, Date.now() + 60_000);
  const client = new PrefectClient({ url: server.apiUrl, headers: {} });
  const [times, children] = [new RunTimes(), new KnownChildRuns()];
  const slots = async () => {
    const now = new Date();
    const { slots: needed, values } = await poll(client, {
      workPool: POOL, worker: 'Worker', flowRunLimit: 10, leadTimeSeconds: 120, pollSeconds: 60, scaleInMinutes: 2, cluster: '', service: '',
    }, now, { since: now, until: now }, times, children);
    expect(values.DueRuns).toBe(1);
    return needed;
  };
  // It asks for run times, then for children, then for their parents.
  expect([await slots(), await slots(), await slots(), await slots()]).toEqual([1, 1, 5, 5]);
});
