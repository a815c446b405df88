import { deploy } from './support/cdk';
import { FLOWS, Live, startLive } from './support/environment';
import { awsLogs } from './support/evidence';
import { Prefect } from './support/prefect';
import { LOWEST_PREFECT } from '../../src/private/versions';
import { pythonEnvironment } from '../python/environment';
import { PrefectServer, startPrefectServer } from '../stand-in/prefect-server';

/** The lowest Prefect that is supported: as a server, as an image of workers, as an image of flow runs, each beside today's of the others. */
const LOWEST_IMAGE = 'lowest/prefect-aws';

let live: Live;
let server: PrefectServer;
let today: Prefect;

jest.setTimeout(300_000);

beforeAll(async () => {
  const { bin } = await pythonEnvironment(undefined, 'lowest-images');
  live = await startLive({
    api: 'self-hosted',
    serverLock: 'lowest-server',
    app: 'test/live/support/versions-app.ts',
    images: { [LOWEST_IMAGE]: { path: [bin] } },
    environment: { LOWEST_IMAGE },
  });
  // Without an authentication string, for which Prefect's client of that time is too old.
  server = await startPrefectServer({ database: 'postgres' });
  today = new Prefect(server.apiUrl);
  await deploy(live.standIn, { ...live.deployment, environment: { ...live.deployment.environment, TODAYS_API_URL: server.apiUrl } });
}, 600_000);
afterAll(async () => {
  await live?.stop();
  await server?.stop();
});

async function start(workPool: string, flow: string, parameters: Record<string, unknown>) {
  const prefect = workPool === 'lowest server' ? live.prefect : today;
  const deployment = await prefect.deploy(flow, { workPool, entrypoint: `flows.py:${flow}`, directory: FLOWS });
  return { prefect, id: await prefect.start(deployment, parameters) };
}

test('the lowest server and images have the versions that are said', async () => {
  expect(await live.prefect.call('GET', '/admin/version')).toBe(LOWEST_PREFECT.server);
  const said = await awsLogs(live.standIn, 'worker/');
  expect(said.match(new RegExp(`^launcher: warning: this image has Prefect ${LOWEST_PREFECT.workerImage}: .*$`, 'gm'))).toHaveLength(2);
});

test.each(['lowest server', 'lowest ECS worker', 'lowest PROCESS worker', 'lowest flow runs'])('a flow run completes, and its result is kept: %s', async workPool => {
  const { prefect, id } = await start(workPool, 'hello', { name: workPool });
  expect((await prefect.waitFor(id, ['COMPLETED', 'FAILED', 'CRASHED'], 120)).state.type).toBe('COMPLETED');
  const { state } = await prefect.call<{ state: { data: { storage_block_id: string } } }>('GET', `/flow_runs/${id}`);
  const { name } = await prefect.call<{ name: string }>('GET', `/block_documents/${state.data.storage_block_id}`);
  expect(name).toMatch(new RegExp(`^results-of-versions-${workPool.replaceAll(' ', '').toLowerCase()}-`));
  expect(await awsLogs(live.standIn, '')).toContain(`Hello from ${workPool}`);
});

test.each([
  ['lowest PROCESS worker', 'lowestPROCESSworker'],
  ['lowest flow runs', 'prefect-Versions-lowestflowruns'],
])('a flow run whose task is interrupted goes on in another one: %s', async (workPool, family) => {
  const { prefect, id } = await start(workPool, 'sleeper', { seconds: 8 });
  await prefect.waitFor(id, ['RUNNING'], 60);
  const tasks = (await live.standIn.tasks()).filter(({ lastStatus, taskDefinitionArn }) => lastStatus === 'RUNNING' && taskDefinitionArn.includes(family));
  expect(tasks).toHaveLength(1);
  await live.standIn.interruptSpot(tasks[0].taskArn);
  await prefect.waitFor(id, ['SCHEDULED', 'PENDING'], 60);
  const run = await prefect.waitFor(id, ['COMPLETED', 'FAILED', 'CRASHED'], 120);
  expect([run.state.type, run.run_count]).toEqual(['COMPLETED', 2]);
});

test('what the image of flow runs can not do is said in their log', async () => {
  expect(await awsLogs(live.standIn, 'flow-run/')).toContain(`flow run: warning: this image has Prefect ${LOWEST_PREFECT.flowRunImage}: `);
});
