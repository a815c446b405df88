import { deploy } from './support/cdk';
import { ECS_POOL, FLOWS, Live, PROCESS_POOL, startLive } from './support/environment';

jest.setTimeout(300_000);

let live: Live;

beforeAll(async () => {
  live = await startLive({ api: 'cloud' });
  await deploy(live.standIn, live.deployment);
});
afterAll(() => live?.stop());

describe('against the URL shape of Prefect Cloud, which demands the API key as a bearer token', () => {
  test.each([
    ['PROCESS', PROCESS_POOL],
    ['ECS', ECS_POOL],
  ])('a flow run of a %s worker completes', async (type, workPool) => {
    const deployment = await live.prefect.deploy(`cloud ${type}`, { workPool, entrypoint: 'flows.py:hello', directory: FLOWS });
    const id = await live.prefect.start(deployment);
    expect((await live.prefect.waitFor(id, ['COMPLETED', 'FAILED', 'CRASHED'], 120)).state.type).toBe('COMPLETED');
  });

  test('the key is demanded', async () => {
    const response = await fetch(`${live.prefect.apiUrl}/work_pools/filter`, { method: 'POST', body: '{}' });
    expect(response.status).toBe(401);
  });

  test('the work pool was made from the template that Prefect Cloud offers to the workspace', () => {
    expect(live.proxy!.requests.map(({ path }) => path)).toContainEqual(expect.stringMatching(/\/workspaces\/[^/]+\/collections\/work_pool_types$/));
  });
});
