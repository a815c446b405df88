import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { deploy } from './support/cdk';
import { FLOWS, Live, startLive } from './support/environment';
import { eventually } from './support/evidence';
import { ForwardProxy, startForwardProxy } from '../support/forward-proxy';

jest.setTimeout(300_000);

/** Only the proxy knows where this is. */
const HOST = 'prefect.company.internal';
const POOLS = [['PROCESS', 'proxied processes'], ['ECS', 'proxied tasks']];

let live: Live;
let proxy: ForwardProxy;

beforeAll(async () => {
  const hosts: Record<string, number> = {};
  proxy = await startForwardProxy(hosts);
  live = await startLive({ api: 'self-hosted', app: 'test/live/support/proxied-app.ts', environment: { PROXY_URL: proxy.url, API_URL: `http://${HOST}:4200/api` } });
  hosts[HOST] = Number(new URL(live.server.apiUrl).port);
  await deploy(live.standIn, live.deployment);
});
afterAll(async () => {
  await live?.stop();
  await proxy?.stop();
});

const services = async () => (await live.standIn.tasks()).filter(({ group }) => group?.startsWith('service:'));

describe.each(POOLS)('behind a proxy, a %s worker', (_, workPool) => {
  test('is made a work pool by the deployment, and is online', async () => {
    expect(await live.prefect.onlineWorkers(workPool)).toHaveLength(1);
  });

  test('runs a flow, whose logs arrive', async () => {
    const deployment = await live.prefect.deploy(workPool, { workPool, entrypoint: 'flows.py:hello', directory: FLOWS });
    const id = await live.prefect.start(deployment, { name: workPool });
    expect((await live.prefect.waitFor(id, ['COMPLETED', 'FAILED', 'CRASHED'], 120)).state.type).toBe('COMPLETED');
    await live.prefect.waitForLog(id, `Hello from ${workPool}`, 20);
  });
});

test('all workers are healthy', async () => {
  const states = await eventually(60, async () => {
    const found = (await services()).filter(({ lastStatus }) => lastStatus === 'RUNNING').map(({ healthStatus }) => healthStatus);
    return found.length === 2 && found.every(state => state === 'HEALTHY') ? found : undefined;
  });
  expect(states).toEqual(['HEALTHY', 'HEALTHY']);
  expect((await services()).filter(({ lastStatus }) => lastStatus === 'STOPPED')).toEqual([]);
});

test('the proxy was asked for the API, and for nothing that is in a task or beside it', () => {
  expect(proxy.asked).toContainEqual(expect.stringContaining(`${HOST}:4200/api/work_pools/`));
  expect(proxy.refused).toEqual([]);
});

test('the proxy was asked for no host that docs/network.md does not name', () => {
  const table = readFileSync(join(__dirname, '../../docs/network.md'), 'utf8').match(/^\| `[^|]+/gm)!;
  const named = table.flatMap(cell => [...cell.matchAll(/`([^`]+)`/g)].map(([, host]) => host));
  const asked = new Set(proxy.asked.map(question => / ([^:/]+):/.exec(question)![1]));
  expect(asked).toContain(HOST);
  expect([...asked].filter(host => host !== HOST && !named.includes(host))).toEqual([]);
});

test('task protection and the worker\'s own name were had directly', async () => {
  const calls = await live.standIn.calls();
  expect(calls.filter(({ service, action }) => service === 'ecs' && action === 'UpdateTaskProtection').length).toBeGreaterThan(0);
  const workers = await live.prefect.onlineWorkers('proxied processes');
  expect(workers).toEqual([expect.stringMatching(/^us-east-1:[^:]+:[0-9a-f]{32}$/)]);
});
