import { CommandFailed, deploy } from './support/cdk';
import { ECS_POOL, FLOWS, Live, PROCESS_POOL, startLive } from './support/environment';
import { leaks, secretsOf } from './support/evidence';

jest.setTimeout(300_000);

let live: Live;

beforeAll(async () => {
  live = await startLive({ api: 'cloud' });
});
afterAll(() => live?.stop());

test('a first deployment with a key of the role Worker alone fails within a minute, with the role that it takes, and before NAT gateways and endpoints', async () => {
  const { environment } = live.deployment;
  const start = Date.now();
  const error = await deploy(live.standIn, { ...live.deployment, environment: { ...environment, MANAGEMENT_PARAMETER: '' } }).catch(cause => cause);
  expect(error).toBeInstanceOf(CommandFailed);
  const { output } = error as CommandFailed;
  expect(output).toMatch(/The Prefect API answered 403 to POST .*\/work_pools\/.*Forbidden.*the role Developer/);
  expect(output).toMatch(/CREATE_COMPLETE +\| AWS::EC2::Subnet /);
  expect(output).not.toMatch(/AWS::EC2::(NatGateway|VPCEndpoint)/);
  expect(Date.now() - start).toBeLessThan(60_000);
});

describe('against the URL shape of Prefect Cloud, which demands the API key as a bearer token', () => {
  let output: string;
  let earlier: number;
  beforeAll(async () => {
    earlier = live.proxy!.requests.length;
    output = await deploy(live.standIn, live.deployment);
  });

  test('a deployment has nothing to tell', () => {
    expect(output.match(/Notices\w* = .*/g)).toEqual([expect.stringMatching(/= none$/), expect.stringMatching(/= none$/)]);
  });

  test.each([
    ['PROCESS', PROCESS_POOL],
    ['ECS', ECS_POOL],
  ])('a flow run of a %s worker completes', async (type, workPool) => {
    const deployment = await live.prefect.deploy(`cloud ${type}`, { workPool, entrypoint: 'flows.py:hello', directory: FLOWS });
    const id = await live.prefect.start(deployment);
    expect((await live.prefect.waitFor(id, ['COMPLETED', 'FAILED', 'CRASHED'], 120)).state.type).toBe('COMPLETED');
  });

  test('the key reaches flow runs of the ECS worker as a secret, and stands nowhere in clear', async () => {
    const [definition] = (await live.standIn.tasks()).map(({ taskDefinitionArn }) => taskDefinitionArn).filter(arn => arn.includes('task-definition/prefect-'));
    expect(await secretsOf(live.standIn, definition)).toEqual({ PREFECT_API_KEY: live.deployment.environment.SECRET_ARN });
    expect(await leaks(live)).toEqual([]);
  });

  test('the key is demanded', async () => {
    const response = await fetch(`${live.prefect.apiUrl}/work_pools/filter`, { method: 'POST', body: '{}' });
    expect(response.status).toBe(401);
  });

  test('workers and their flow runs do with the role Worker', () => {
    expect(live.proxy!.requests.slice(earlier).filter(({ status }) => status === 403)).toEqual([]);
  });

  test('the work pool was made from the template that Prefect Cloud offers to the workspace', () => {
    expect(live.proxy!.requests.map(({ path }) => path)).toContainEqual(expect.stringMatching(/\/workspaces\/[^/]+\/collections\/work_pool_types$/));
  });
});
