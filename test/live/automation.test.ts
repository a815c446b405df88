import { randomUUID } from 'node:crypto';
import { FLOWS } from './support/environment';
import { eventually } from './support/evidence';
import { Prefect } from './support/prefect';
import { PrefectClient } from '../../src/private/prefect-client';
import { Listing } from '../../src/rescue/listing';
import { Runs } from '../../src/rescue/runs';
import { putAutomation } from '../../src/work-pool/automation';
import { PrefectServer, startPrefectServer } from '../stand-in/prefect-server';

/** The least that Prefect allows. */
const LOST_AFTER_SECONDS = 10;

let server: PrefectServer;
let prefect: Prefect;
let client: PrefectClient;

jest.setTimeout(120_000);

beforeAll(async () => {
  server = await startPrefectServer();
  prefect = new Prefect(server.apiUrl);
  client = new PrefectClient({ url: server.apiUrl, headers: {} });
}, 300_000);
afterAll(() => server?.stop());

/** A pool with the automation. */
async function watchedPool(name: string): Promise<string> {
  const { id } = await prefect.call<{ id: string }>('POST', '/work_pools/', { name, type: 'process' });
  await putAutomation(client, { id, name }, LOST_AFTER_SECONDS, 'this test');
  return id;
}

async function runningRun(pool: string): Promise<string> {
  const id = await prefect.start(await prefect.deploy(pool, { workPool: pool, entrypoint: 'flows.py:hello', directory: FLOWS }));
  await prefect.call('POST', `/flow_runs/${id}/set_state`, { state: { type: 'PENDING' } });
  await prefect.call('POST', `/flow_runs/${id}/set_state`, { state: { type: 'RUNNING' } });
  await eventStored(id, 'Running');
  return id;
}

async function heartbeat(id: string, poolId: string, occurred: string): Promise<void> {
  await prefect.call('POST', '/events', [{
    id: randomUUID(),
    event: 'prefect.flow-run.heartbeat',
    occurred,
    resource: { 'prefect.resource.id': `prefect.flow-run.${id}` },
    related: [{ 'prefect.resource.id': `prefect.work-pool.${poolId}`, 'prefect.resource.role': 'work-pool' }],
  }]);
  await eventStored(id, 'heartbeat');
}

/** A run that suspends itself right after a heartbeat, of which Prefect hears only then. */
async function suspendedRun(pool: string): Promise<string> {
  const poolId = await watchedPool(pool);
  const id = await runningRun(pool);
  const occurred = new Date().toISOString();
  await prefect.call('POST', `/flow_runs/${id}/set_state`, {
    state: { type: 'PAUSED', name: 'Suspended', state_details: { pause_reschedule: true, pause_timeout: new Date(Date.now() + 3_600_000).toISOString() } },
  });
  await eventStored(id, 'Suspended');
  await heartbeat(id, poolId, occurred);
  return id;
}

async function eventStored(id: string, event: string): Promise<void> {
  const filter = { resource: { id: [`prefect.flow-run.${id}`] }, event: { name: [`prefect.flow-run.${event}`] } };
  const heard = await eventually(30, async () => (await prefect.call<{ total: number }>('POST', '/events/filter', { filter })).total > 0 || undefined);
  expect(heard).toBe(true);
}

// Without the vouching, servers up to 3.8.8 have the suspended run crash as well; 3.9.1 takes its heartbeat for what it is.
test('a run whose heartbeats stop crashes, and a suspended one that is announced as waiting stays, although its last heartbeat is handled late', async () => {
  const announced = await suspendedRun('suspended');
  await new Runs(client).announceWaiting((await new Listing(client, 'suspended').onOnePage(new Date()))!, new Date());
  // Its time is up later than the other's.
  const poolId = await watchedPool('silent');
  const silent = await runningRun('silent');
  await heartbeat(silent, poolId, new Date().toISOString());

  expect((await prefect.waitFor(silent, ['CRASHED'], 60)).state.message).toBe(`No heartbeat for ${LOST_AFTER_SECONDS} seconds.`);
  expect((await prefect.flowRuns([announced]))[0].state.name).toBe('Suspended');
});
