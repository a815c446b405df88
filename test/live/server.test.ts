import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Browser } from 'puppeteer-core';
import { screenshot, shows, startBrowser } from './support/browser';
import { deploy } from './support/cdk';
import { FLOWS } from './support/environment';
import { awsLogs, eventually } from './support/evidence';
import { Prefect } from './support/prefect';
import { ServerWorld, startServerWorld } from './support/server-world';
import { pythonEnvironment } from '../python/environment';
import { publicRules } from '../server/public-rules';
import { blockedBy } from '../server/web-acl';

jest.setTimeout(300_000);

let world: ServerWorld;
let prefect: Prefect;
let browser: Browser;

beforeAll(async () => {
  world = await startServerWorld();
  await deploy(world.standIn, world.deployment);
  prefect = await world.hand();
  browser = await startBrowser();
}, 600_000);
afterAll(async () => {
  await browser?.close();
  await world?.stop();
});

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

  test('shows itself to people in a browser: who signs in sees a run and its logs as they come', async () => {
    const page = await browser.newPage();
    const home = prefect.apiUrl.replace(/\/api$/, '');
    const refused: string[] = [];
    page.on('response', response => { if (response.status() >= 400 && response.status() !== 401) refused.push(`${response.status()} ${response.url()}`); });

    await page.goto(home, { waitUntil: 'domcontentloaded' });
    const password = await page.waitForSelector('input[type=password]', { timeout: 60_000 });
    await password!.type(await world.authString());
    await page.keyboard.press('Enter');
    await shows(page, 'Work Pools');

    const deployment = await prefect.deploy('seen', { workPool: 'processes', entrypoint: 'flows.py:talker', directory: FLOWS });
    const id = await prefect.start(deployment);
    const { name } = await prefect.call<{ name: string }>('GET', `/flow_runs/${id}`);
    // Opened before the run has begun, and not loaded again.
    await page.goto(`${home}${new URL(page.url()).pathname.replace(/\/dashboard.*/, '')}/runs/flow-run/${id}`, { waitUntil: 'domcontentloaded' });
    await shows(page, name);
    await shows(page, 'second 3 of 25', 60);
    expect((await prefect.flowRun(id)).state.type).toBe('RUNNING');
    await screenshot(page, 'server-ui-run');
    await shows(page, 'Completed', 60);
    await page.goto(home, { waitUntil: 'domcontentloaded' });
    await shows(page, 'Flow Runs');
    await screenshot(page, 'server-ui-dashboard');
    expect(refused).toEqual([]);
  });

  test('schedules from cron', async () => {
    const deployment = await prefect.deploy('by the minute', { workPool: 'processes', entrypoint: 'flows.py:hello', directory: FLOWS, cron: '* * * * *' });
    expect(await eventually(90, async () => {
      const runs = await prefect.call<unknown[]>('POST', '/flow_runs/filter', { deployments: { id: { any_: [deployment] } } });
      return runs.length > 0 ? true : undefined;
    })).toBe(true);
    await prefect.call('DELETE', `/deployments/${deployment}`);
  });

  test('could stand behind the web ACL of a public server, which would block no request of workers, flow runs, functions, people and command lines', async () => {
    const deployment = await prefect.deploy('of all kinds', { workPool: 'processes', entrypoint: 'flows.py:of_all_kinds', directory: FLOWS });
    const id = await prefect.start(deployment, { payload: `SELECT name FROM users WHERE id = 1 OR 1=1; -- ${'<script>'.repeat(20_000)}` });
    expect((await prefect.waitFor(id, ENDED, 120)).state).toMatchObject({ type: 'FAILED' });
    await prefect.waitForLog(id, 'DROP TABLE', 30);
    await commandLine(['work-pool', 'ls'], ['deployment', 'ls'], ['flow-run', 'ls'], ['variable', 'inspect', 'settings_ini'], ['flow-run', 'logs', id]);

    const from = (agent: RegExp) => world.name.requests.filter(({ headers }) => agent.test(headers['user-agent'] ?? ''));
    for (const agent of [/^prefect\/3/, /HeadlessChrome/, /cdk-prefect-fargate-worker/]) expect([`${agent}`, from(agent).length > 0]).toEqual([`${agent}`, true]);
    expect(world.name.requests.some(({ body }) => Buffer.byteLength(body) > 8192)).toBe(true);
    // The test's own hand is nobody's client.
    const clients = world.name.requests.filter(({ headers }) => !/^(node|undici)$/.test(headers['user-agent'] ?? '')).map(request => ({ ...request, headers: { ...request.headers, host: 'prefect.example.com' } }));
    const rules = publicRules();
    const blocked = clients.map(request => [blockedBy(rules, request), `${request.method} ${request.url}`]).filter(([rule]) => rule !== undefined);
    expect(blocked).toEqual([]);
    process.stdout.write(`\n${clients.length} requests of clients, none blocked\n`);
  });

  test('says no secret in its logs', async () => {
    expect(await awsLogs(world.standIn, 'api/')).not.toMatch(/t0kent0ken|p%ss/);
  });
});

/** Prefect's command line, as a person uses it. */
async function commandLine(...commands: string[][]): Promise<void> {
  const { bin } = await pythonEnvironment();
  const HOME = await mkdtemp(join(tmpdir(), 'prefect-'));
  const env = { PATH: `${bin}:${process.env.PATH}`, HOME, PREFECT_API_URL: prefect.apiUrl, PREFECT_API_AUTH_STRING: await world.authString() };
  for (const command of commands) await promisify(execFile)('prefect', command, { env, maxBuffer: 1e8 });
  await rm(HOME, { recursive: true });
}
