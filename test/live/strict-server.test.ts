import { randomUUID } from 'node:crypto';
import { FLOWS } from './support/environment';
import { Prefect } from './support/prefect';
import { KnownChildRuns } from '../../src/demand/child-runs';
import { PublisherConfiguration } from '../../src/demand/configuration';
import { poll } from '../../src/demand/poll';
import { RunTimes } from '../../src/demand/run-times';
import { CSRF_TOKEN_PATH } from '../../src/private/csrf';
import { PrefectClient } from '../../src/private/prefect-client';
import { Listing } from '../../src/rescue/listing';
import { handler } from '../../src/work-pool/work-pool.lambda';
import { PrefectServer, startPrefectServer } from '../stand-in/prefect-server';
import { configuration, event } from '../support/work-pool-events';

/** Objects that the server gives at a time; Prefect's default is 200. */
const LIMIT = 3;
const RUNS = 8;
const QUEUES = ['one', 'two', 'three', 'four'];

let server: PrefectServer;
let prefect: Prefect;
let client: PrefectClient;
const requests = jest.spyOn(PrefectClient.prototype as any, 'exchange');

jest.setTimeout(120_000);

beforeAll(async () => {
  server = await startPrefectServer({
    environment: { PREFECT_SERVER_CSRF_PROTECTION_ENABLED: 'true', PREFECT_SERVER_API_DEFAULT_LIMIT: `${LIMIT}` },
  });
  const own = randomUUID();
  const { token } = await new Prefect(server.apiUrl).call<{ token: string }>('GET', `/csrf-token?client=${own}`);
  prefect = new Prefect(server.apiUrl, { 'prefect-csrf-token': token, 'prefect-csrf-client': own });
  client = new PrefectClient({ url: server.apiUrl, headers: {} });
}, 300_000);
afterAll(() => server?.stop());

test('the server refuses writes without a token, and more than its limit', async () => {
  await expect(new Prefect(server.apiUrl).call('POST', '/flow_runs/count', {})).rejects.toThrow('403 {"detail":"Missing CSRF token."}');
  await expect(prefect.call('POST', '/flow_runs/filter', { limit: LIMIT + 1 })).rejects.toThrow(/422 .*Invalid limit: must be less than or equal to 3/);
});

describe('a server with CSRF protection and a low limit of objects at a time', () => {
  test('lets the work pool be created, changed and deleted, with its queues and its automation', async () => {
    const wanted = configuration(server.apiUrl, { name: 'strict', queues: QUEUES.map(name => ({ name })), deleteOnRemoval: true });
    await handler(event('Create', wanted));
    await expect(handler(event('Update', { ...wanted, concurrencyLimit: 5 }, wanted))).resolves.toMatchObject({ Data: { Notices: 'none' } });
    await expect(prefect.call('GET', '/work_pools/strict')).resolves.toMatchObject({ concurrency_limit: 5 });
    await handler(event('Delete', wanted));
    await expect(prefect.call('GET', '/work_pools/strict')).rejects.toThrow('404');
  });

  test('is asked for a token once, and again when that is no longer good', async () => {
    const asked = () => requests.mock.calls.filter(([, url]) => `${url}`.includes('/csrf-token')).length;
    await client.once('POST', '/flow_runs/count', {});
    // The one that it got before is still good.
    expect(asked()).toBe(0);
    await prefect.call('GET', CSRF_TOKEN_PATH);
    await client.once('POST', '/flow_runs/count', {});
    expect(asked()).toBe(1);
    await new PrefectClient({ url: server.apiUrl, headers: {} }).request('POST', '/flow_runs/count', {});
    expect(asked()).toBe(1);
  });

  test('gives the demand of all queues and all runs', async () => {
    await handler(event('Create', configuration(server.apiUrl, { name: 'busy', queues: QUEUES.map(name => ({ name, concurrencyLimit: 100 })) })));
    const last = await prefect.deploy('in the last queue', { workPool: 'busy', workQueue: 'four', entrypoint: 'flows.py:hello', directory: FLOWS });
    for (let run = 0; run < RUNS; run++) await prefect.start(last);
    const asked = { workPool: 'busy', leadTimeSeconds: 60, pollSeconds: 60 } as PublisherConfiguration;
    const now = new Date();
    await expect(poll(client, asked, now, { since: now, until: now }, new RunTimes(), new KnownChildRuns()))
      .resolves.toMatchObject({ values: { DueRuns: RUNS, Demand: RUNS } });
    await expect(client.request('POST', '/work_pools/busy/queues/filter', { limit: 200 })).resolves.toHaveLength(QUEUES.length + 1);
    const pages = await Promise.all([1, 2, 3].map(page => client.request<{ results: { id: string }[] }>('POST', '/flow_runs/paginate', { limit: 4, page })));
    expect(pages.map(({ results }) => results.length)).toEqual([4, 4, 0]);
    expect(new Set(pages.flatMap(({ results }) => results.map(({ id }) => id))).size).toBe(RUNS);
  });

  test('gives all runs that are active, in as many requests as it takes', async () => {
    const [first] = await prefect.call<{ id: string }[]>('POST', '/deployments/filter', {});
    for (let run = 0; run < RUNS; run++) {
      const id = await prefect.start(first.id);
      await prefect.call('POST', `/flow_runs/${id}/set_state`, { state: { type: 'PENDING' } });
    }
    requests.mockClear();
    const found = await new Listing(client, 'busy').onOnePage(new Date());
    expect(new Set(found!.map(({ id }) => id)).size).toBe(RUNS);
    expect(requests).toHaveBeenCalledTimes(Math.ceil((RUNS + 1) / LIMIT));
    await expect(new Listing(client, 'busy').without([], new Date())).resolves.toHaveLength(RUNS);
  });
});
