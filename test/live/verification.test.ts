import { createServer } from 'node:http';
import { AddressInfo } from 'node:net';
import type { CdkCustomResourceEvent } from 'aws-lambda';
import { FLOWS } from './support/environment';
import { eventually } from './support/evidence';
import { Prefect } from './support/prefect';
import { handler } from '../../src/verification/verification.lambda';
import { PrefectServer, startPrefectServer } from '../stand-in/prefect-server';

/** What the flow run of a verification tells the deployment, with a real server; verify.test.ts has real workers beside it. */
const POOL = 'etl';
let server: PrefectServer;
let prefect: Prefect;
const environment = { ...process.env };

jest.setTimeout(60_000);

beforeAll(async () => {
  server = await startPrefectServer();
  prefect = new Prefect(server.apiUrl);
  Object.assign(process.env, {
    API: JSON.stringify({ url: server.apiUrl, isCloud: false, secrets: {} }),
    VERIFICATION_SECONDS: '3',
    // Nobody answers for AWS: what ECS says is seen with real tasks.
    AWS_ENDPOINT_URL: 'http://127.0.0.1:9',
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_MAX_ATTEMPTS: '1',
  });
}, 120_000);
beforeEach(async () => {
  await prefect.call('POST', '/work_pools/', { name: POOL, type: 'process' });
});
afterEach(async () => {
  await prefect.call('DELETE', `/work_pools/${POOL}`);
  for (const { id } of await prefect.call<{ id: string }[]>('POST', '/flows/filter', {})) await prefect.call('DELETE', `/flows/${id}`);
});
afterAll(async () => {
  process.env = environment;
  await server?.stop();
});

const event = (type: string, id?: string, more: object = {}) => ({
  RequestType: type,
  PhysicalResourceId: id,
  ResourceProperties: {
    ServiceToken: 'arn', Configuration: JSON.stringify({ workPool: POOL, worker: 'Etl', cluster: 'arn:aws:ecs:us-east-1:1:cluster/c', serviceName: 's' }), ...more,
  },
}) as unknown as CdkCustomResourceEvent;

/** What a worker does with the one flow run that is scheduled. */
async function become(...types: string[]): Promise<void> {
  const run = await eventually(20, async () => (await prefect.call<any[]>('POST', `/work_pools/${POOL}/get_scheduled_flow_runs`, {}))[0]?.flow_run);
  for (const type of types) await prefect.call('POST', `/flow_runs/${run.id}/set_state`, { state: { type, message: `It is ${type}.` }, force: true });
}
const verify = async (id?: string, more?: object, ...states: string[]) => {
  const answer = handler(event(id === undefined ? 'Create' : 'Update', id, more));
  answer.catch(() => undefined);
  await become(...states);
  return answer;
};
const counts = () => Promise.all(['flows', 'deployments', 'flow_runs'].map(async what => (await prefect.call<unknown[]>('POST', `/${what}/filter`, {})).length));

test('a flow run that completes is told with its time, and nothing of it is left', async () => {
  const { Data } = await verify(undefined, {}, 'PENDING', 'RUNNING', 'COMPLETED');
  expect(Data!.Result).toMatch(/^a flow run completed in \d+ seconds$/);
  expect(await counts()).toEqual([0, 0, 0]);
});

test('one that fails fails the deployment in its own words, and stays until the next verification', async () => {
  await expect(verify(undefined, {}, 'PENDING', 'RUNNING', 'FAILED')).rejects.toThrow(/^The flow run that verifies the worker is Failed after \d+ seconds: It is FAILED\. /);
  expect(await counts()).toEqual([1, 1, 1]);
  await verify(undefined, {}, 'PENDING', 'RUNNING', 'COMPLETED');
  expect(await counts()).toEqual([0, 0, 0]);
});

test('one that nobody takes is cancelled in the end, so that no later worker does', async () => {
  await expect(handler(event('Create'))).rejects.toThrow(/is Scheduled after \d+ seconds/);
  const [run] = await prefect.call<any[]>('POST', '/flow_runs/filter', {});
  expect(run.state_type).toBe('CANCELLED');
});

test.each(['flows', 'deployments'])('a key that may not create %s, as of Prefect Cloud\'s role Worker, is told from a fault of the worker, with both ways out', async what => {
  const proxy = createServer(async (request, response) => {
    const refused = request.method === 'POST' && request.url === `/api/${what}/`;
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const answer = refused ? undefined : await fetch(new URL(request.url!, server.apiUrl), {
      method: request.method, headers: { 'content-type': 'application/json' }, body: chunks.length > 0 ? Buffer.concat(chunks) : undefined,
    });
    response.writeHead(answer?.status ?? 403, { 'content-type': 'application/json' }).end(answer ? await answer.text() : '{"detail":"Forbidden"}');
  });
  await new Promise<void>(resolve => proxy.listen(0, '127.0.0.1', resolve));
  const api = process.env.API;
  try {
    process.env.API = JSON.stringify({ url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}/api`, isCloud: false, secrets: {} });
    await expect(handler(event('Create'))).rejects.toThrow(
      /^The worker is not verified, as its stack may not create a flow and a deployment in Prefect: The Prefect API answered 403 .* Give PrefectApi\.cloud\(\) a managementApiKey with the role Developer, or leave out verify\.$/);
  } finally {
    process.env.API = api;
    proxy.closeAllConnections();
    proxy.close();
  }
});

test.each([
  ['pool', () => prefect.call('PATCH', `/work_pools/${POOL}`, { is_paused: true }), 'not verified: the work pool "etl" is paused'],
  ['queue', () => prefect.call('PATCH', `/work_pools/${POOL}/queues/default`, { is_paused: true }), 'not verified: the work queue "default" is paused'],
])('a paused %s is no fault', async (_, pause, result) => {
  await pause();
  expect((await handler(event('Create'))).Data!.Result).toBe(result);
  expect(await counts()).toEqual([0, 0, 0]);
});

test('neither is a concurrency limit that leaves no room', async () => {
  const other = await prefect.start(await prefect.deploy('other', { workPool: POOL, entrypoint: 'flows.py:hello', directory: FLOWS }));
  for (const type of ['PENDING', 'RUNNING']) await prefect.call('POST', `/flow_runs/${other}/set_state`, { state: { type } });
  await prefect.call('PATCH', `/work_pools/${POOL}`, { concurrency_limit: 1 });
  expect((await handler(event('Create'))).Data!.Result).toBe('not verified: the work pool\'s concurrency limit of 1 left no room for its flow run');
});

test('a stack that rolls back asks for what was verified before, and gets that without a flow run', async () => {
  const done = ['PENDING', 'RUNNING', 'COMPLETED'];
  const { PhysicalResourceId: first } = await verify(undefined, { Verified: ['1'] }, ...done);
  // Before it is verified that the second one works.
  expect(await handler(event('Update', first, { Verified: ['1'] }))).toEqual({ PhysicalResourceId: first, Data: { Result: 'as verified before' } });
  const { PhysicalResourceId: second } = await verify(first, { Verified: ['2'] }, ...done);
  // And after.
  expect((await handler(event('Update', second, { Verified: ['1'] }))).PhysicalResourceId).toBe(second);
  // The third is new.
  const { PhysicalResourceId: third } = await verify(second, { Verified: ['3'] }, ...done);
  expect(new Set([first, second, third]).size).toBe(3);
});

test('deleting a stack asks nobody', async () => {
  process.env.API = JSON.stringify({ url: 'http://127.0.0.1:9/api', isCloud: false, secrets: {} });
  expect(await handler(event('Delete', 'anything'))).toEqual({ PhysicalResourceId: 'anything' });
  process.env.API = JSON.stringify({ url: server.apiUrl, isCloud: false, secrets: {} });
});
