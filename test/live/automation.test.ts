import { randomUUID } from 'node:crypto';
import { FLOWS } from './support/environment';
import { eventually } from './support/evidence';
import { Prefect } from './support/prefect';
import { PrefectClient } from '../../src/private/prefect-client';
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

/** A run that suspends itself right after a heartbeat, of which Prefect hears only then. */
async function suspendedRun(pool: string): Promise<string> {
  const { id: poolId } = await prefect.call<{ id: string }>('POST', '/work_pools/', { name: pool, type: 'process' });
  await putAutomation(client, { id: poolId, name: pool }, LOST_AFTER_SECONDS, 'this test');
  const id = await prefect.start(await prefect.deploy(pool, { workPool: pool, entrypoint: 'flows.py:hello', directory: FLOWS }));
  await prefect.call('POST', `/flow_runs/${id}/set_state`, { state: { type: 'PENDING' } });
  await prefect.call('POST', `/flow_runs/${id}/set_state`, { state: { type: 'RUNNING' } });
  const occurred = new Date().toISOString();
  await prefect.call('POST', `/flow_runs/${id}/set_state`, {
    state: { type: 'PAUSED', name: 'Suspended', state_details: { pause_reschedule: true, pause_timeout: new Date(Date.now() + 3_600_000).toISOString() } },
  });
  await heardOf(id, 'Suspended');
  await prefect.call('POST', '/events', [{
    id: randomUUID(),
    event: 'prefect.flow-run.heartbeat',
    occurred,
    resource: { 'prefect.resource.id': `prefect.flow-run.${id}` },
    related: [{ 'prefect.resource.id': `prefect.work-pool.${poolId}`, 'prefect.resource.role': 'work-pool' }],
  }]);
  await heardOf(id, 'heartbeat');
  return id;
}

async function heardOf(id: string, event: string): Promise<void> {
  const filter = { resource: { id: [`prefect.flow-run.${id}`] }, event: { name: [`prefect.flow-run.${event}`] } };
  const heard = await eventually(30, async () => (await prefect.call<{ total: number }>('POST', '/events/filter', { filter })).total > 0 || undefined);
  expect(heard).toBe(true);
}

test('a suspended run whose last heartbeat is handled late stays suspended where it is vouched for, and crashes where it is not', async () => {
  const vouchedFor = await suspendedRun('watched');
  const watched = new Runs(client, 'watched');
  await watched.vouchFor(await watched.waiting(), new Date());
  // Its time is up later than the other's.
  const left = await suspendedRun('unwatched');

  expect((await prefect.waitFor(left, ['CRASHED'], 60)).state.message).toBe(`No heartbeat for ${LOST_AFTER_SECONDS} seconds.`);
  expect((await prefect.flowRuns([vouchedFor]))[0].state.name).toBe('Suspended');
});
