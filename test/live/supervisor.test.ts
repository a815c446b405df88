import { join } from 'node:path';
import { run } from './support/cdk';
import { FLOWS } from './support/environment';
import { Gate, openGate } from './support/gate';
import { FlowRun, Prefect } from './support/prefect';
import { pythonEnvironment } from '../python/environment';
import { PrefectServer, startPrefectServer } from '../stand-in/prefect-server';

/** What the supervisor of PROCESS workers does with flow runs whose processes are gone, against a real server. */
const AUTH = 'admin:a "pass" word';
const AUTHORIZATION = { authorization: `Basic ${Buffer.from(AUTH).toString('base64')}` };
const WORKER = 'ProcessWorker 1';
const POOL = 'processes';

let server: PrefectServer;
let gate: Gate;
let prefect: Prefect;
let deployment: string;

jest.setTimeout(120_000);

beforeAll(async () => {
  server = await startPrefectServer({ authString: AUTH });
  gate = await openGate(server.apiUrl);
  prefect = new Prefect(server.apiUrl, AUTHORIZATION);
  await prefect.call('POST', '/work_pools/', { name: POOL, type: 'process' });
  deployment = await prefect.deploy('any', { workPool: POOL, entrypoint: 'flows.py:hello', directory: FLOWS });
});
afterAll(async () => {
  await gate?.stop();
  await server?.stop();
});

const reschedule = (...runs: string[]) => rescheduleAndTell(runs);

async function rescheduleAndTell(runs: string[], onProgress?: (line: string) => void): Promise<string> {
  const { python } = await pythonEnvironment();
  const supervisor = join(__dirname, '..', '..', 'assets', 'task', 'supervisor.py');
  return run(python, [join(FLOWS, 'reschedule.py'), supervisor, WORKER, ...runs], {
    onProgress,
    environment: { PREFECT_API_URL: gate.apiUrl, PREFECT_API_AUTH_STRING: AUTH, PREFECT_CLIENT_MAX_RETRIES: '0', PYTHONDONTWRITEBYTECODE: '1' },
  });
}

/** A flow run in a state, without a process. */
async function runIn(type: string, state: { readonly name?: string; readonly message?: string } = {}): Promise<string> {
  const id = await prefect.start(deployment);
  await prefect.call('POST', `/flow_runs/${id}/set_state`, { state: { type, ...state }, force: true });
  return id;
}

const stateOf = async (id: string) => (await prefect.flowRun(id)).state;

/** Whether a worker that polls the pool is offered the run. */
async function offered(id: string): Promise<boolean> {
  const offers = await prefect.call<{ flow_run: FlowRun }[]>('POST', `/work_pools/${POOL}/get_scheduled_flow_runs`, { limit: 200 });
  return offers.some(({ flow_run: offer }) => offer.id === id);
}

test('a run that is Running or Pending is given to the next worker', async () => {
  const runs = [await runIn('RUNNING'), await runIn('PENDING')];
  for (const id of runs) expect(await offered(id)).toBe(false);
  expect(await reschedule(...runs)).toContain('2 flow runs rescheduled');
  for (const id of runs) {
    expect(await stateOf(id)).toMatchObject({ type: 'SCHEDULED', name: 'AwaitingRetry' });
    expect(await offered(id)).toBe(true);
  }
});

test.each([['RUNNING', 'Retrying'], ['SCHEDULED', 'AwaitingRetry']])('a run that its lost process had tried before and that is %s is given to the next worker, too', async (type, name) => {
  const id = await runIn(type, { name });
  await prefect.call('PATCH', `/flow_runs/${id}`, { empirical_policy: { retries: 3, retry_delay: 1, retry_type: 'in_process', pause_keys: ['approval'] } });
  expect(await offered(id)).toBe(false);
  await reschedule(id);
  expect(await offered(id)).toBe(true);
  // An attempt that was interrupted is none of the flow's own; a pause between two of them is none at all.
  const retries = type === 'RUNNING' ? 4 : 3;
  expect(await prefect.flowRun(id)).toMatchObject({ empirical_policy: { retries, retry_delay: 1, pause_keys: ['approval'] } });
});

test.each([['RUNNING', 3], ['PENDING', 2]])('a run that is %s has then as many retries as its flow asks for', async (type, retries) => {
  const id = await runIn(type);
  await prefect.call('PATCH', `/flow_runs/${id}`, { empirical_policy: { retries: 2, retry_delay: 0 } });
  await reschedule(id);
  expect(await prefect.flowRun(id)).toMatchObject({ state: { name: 'AwaitingRetry' }, empirical_policy: { retries } });
});

test('a run that waits to be tried again gives the slot of its deployment\'s limit back, which would have it cancelled', async () => {
  const limited = await prefect.deploy('limited', {
    workPool: POOL, entrypoint: 'flows.py:hello', directory: FLOWS, limit: { limit: 1, collisionStrategy: 'CANCEL_NEW' },
  });
  const id = await prefect.start(limited);
  // Of a client that is too old to renew the slot's lease, Prefect takes the lease away.
  const engine = new Prefect(server.apiUrl, { ...AUTHORIZATION, 'user-agent': 'prefect/3.9.1 (API 0.8.4)' });
  const set = (type: string) => engine.call<{ state: { type: string; message: string | null } }>('POST', `/flow_runs/${id}/set_state`, { state: { type } });
  await set('PENDING');
  await prefect.call('PATCH', `/flow_runs/${id}`, { empirical_policy: { retries: 1, retry_delay: 0 } });
  await set('RUNNING');
  // The flow's own failure, of which Prefect makes a retry in the same process, with the slot.
  expect((await set('FAILED')).state).toMatchObject({ type: 'SCHEDULED' });

  await reschedule(id);
  expect((await set('PENDING')).state).toMatchObject({ type: 'PENDING' });
});

test('a run that has ended, is paused or is scheduled stays so', async () => {
  const runs = [await runIn('CRASHED', { message: 'Execution was interrupted by an unexpected exception: HeartbeatError' })];
  for (const type of ['COMPLETED', 'FAILED', 'CRASHED', 'CANCELLED', 'PAUSED', 'SCHEDULED']) runs.push(await runIn(type));
  const before = await Promise.all(runs.map(stateOf));
  expect(await reschedule(...runs)).toContain('0 flow runs rescheduled');
  expect(await Promise.all(runs.map(stateOf))).toEqual(before);
});

test.each([
  ['No heartbeat for 900 seconds.', 'the pool\'s automation'],
  ['Flow run marked as crashed due to missing heartbeats.', 'that of Prefect\'s guide'],
])('a run that counts as crashed only because its heartbeats did not get through is given to the next worker: %s', async message => {
  const id = await runIn('CRASHED', { message });
  await prefect.call('PATCH', `/flow_runs/${id}`, { empirical_policy: { retries: 3, retry_type: 'in_process' } });
  expect(await reschedule(id)).toContain('1 flow runs rescheduled');
  expect(await offered(id)).toBe(true);
});

test('a run that is being cancelled is cancelled', async () => {
  const id = await runIn('CANCELLING');
  await reschedule(id);
  expect(await stateOf(id)).toMatchObject({ type: 'CANCELLED' });
});

test('a run that another worker has by now is left to it', async () => {
  const [ours, others] = [await runIn('RUNNING'), await runIn('RUNNING')];
  await prefect.call('PATCH', `/flow_runs/${ours}/labels`, { 'prefect.worker.name': WORKER });
  await prefect.call('PATCH', `/flow_runs/${others}/labels`, { 'prefect.worker.name': 'ProcessWorker 2' });
  await reschedule(ours, others);
  expect((await stateOf(ours)).name).toBe('AwaitingRetry');
  expect((await stateOf(others)).type).toBe('RUNNING');
});

test('a run that was deleted does not keep the others from being rescheduled', async () => {
  const [deleted, id] = [await runIn('RUNNING'), await runIn('RUNNING')];
  await prefect.call('DELETE', `/flow_runs/${deleted}`);
  expect(await reschedule(deleted, id)).toContain('1 flow runs rescheduled');
  expect((await stateOf(id)).name).toBe('AwaitingRetry');
});

test('an API that is away is asked again until it is back', async () => {
  const id = await runIn('RUNNING');
  await gate.shut();
  const said = await rescheduleAndTell([id], line => line.includes('is not rescheduled yet') && void gate.open());
  expect(said).toMatch(/warning: flow run \S+ is not rescheduled yet[^]*1 flow runs rescheduled/);
  expect((await stateOf(id)).name).toBe('AwaitingRetry');
});
