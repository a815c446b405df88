import { deploy } from './support/cdk';
import { ECS_POOL, FLOWS, Live, PROCESS_POOL, startLive } from './support/environment';
import { leaks, secretsOf } from './support/evidence';

jest.setTimeout(300_000);

describe.each([
  ['and an authentication string', true],
  ['and nothing else', false],
])('behind a proxy that demands a header, %s,', (_, authString) => {
  let live: Live;
  beforeAll(async () => {
    live = await startLive({ api: 'self-hosted', authString, header: { name: 'X-Proxy-Token', value: 'token0123456789plain' } });
    await deploy(live.standIn, live.deployment);
  });
  afterAll(() => live?.stop());

  test.each([['PROCESS', PROCESS_POOL], ['ECS', ECS_POOL]])('a flow run of a %s worker completes', async (type, workPool) => {
    const deployment = await live.prefect.deploy(`headers ${type}`, { workPool, entrypoint: 'flows.py:hello', directory: FLOWS });
    const id = await live.prefect.start(deployment);
    expect((await live.prefect.waitFor(id, ['COMPLETED', 'FAILED', 'CRASHED'], 120)).state.type).toBe('COMPLETED');
  });

  test('every request had the header, and it stands nowhere in clear: the flow run has it as a secret', async () => {
    expect(live.headerProxy!.refused).toEqual([]);
    const [definition] = (await live.standIn.tasks()).map(({ taskDefinitionArn }) => taskDefinitionArn).filter(arn => arn.includes('task-definition/prefect-'));
    expect(await secretsOf(live.standIn, definition)).toMatchObject({ PREFECT_CLIENT_CUSTOM_HEADERS: live.deployment.environment.HEADERS_ARN });
    expect(await leaks(live)).toEqual([]);
  });
});
