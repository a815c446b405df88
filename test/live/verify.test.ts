import { CommandFailed, deploy } from './support/cdk';
import { Live, startLive } from './support/environment';
import { eventually, physicalIds } from './support/evidence';
import { watchScaling } from './support/watched-scaling';

jest.setTimeout(600_000);

/** A minute of AWS passes in ten seconds. */
const TIME_SCALE = 6;

/** Deployments that prove themselves by a flow run, on real workers. */
let live: Live;

beforeAll(async () => {
  live = await startLive({ api: 'self-hosted', app: 'test/live/support/verified-app.ts', timeScale: TIME_SCALE });
});
afterAll(() => live?.stop());

const given = (environment: Record<string, string>) =>
  deploy(live.standIn, { ...live.deployment, environment: { ...live.deployment.environment, ...environment } });
async function failed(environment: Record<string, string>): Promise<string> {
  const error = await given(environment).then(() => { throw new Error('The deployment succeeded.'); }, cause => cause);
  if (!(error instanceof CommandFailed)) throw error;
  return error.output;
}
/** What a verification has left in Prefect. */
const left = async () => {
  const all = (what: string) => live.prefect.call<{ name: string }[]>('POST', `/${what}/filter`, {});
  return (await Promise.all(['flows', 'deployments', 'flow_runs'].map(all))).map(found => found.length);
};

const release = (type: string, name: string) => ({ WORKER_TYPE: type, WORKERS: type === 'ecs' ? '1' : '0', SECONDS: '100', RELEASE: name });

describe('a PROCESS worker', () => {
  test('is deployed when a flow run has completed, which leaves nothing behind', async () => {
    expect(await given(release('process', 'first'))).toMatch(/WorkerVerified\w* = a flow run completed in \d+ seconds/);
    expect(await left()).toEqual([0, 0, 0]);
  });

  test('fails to deploy at zero workers, and goes back, where no worker starts; the reason says why', async () => {
    const ids = await physicalIds(live.standIn, 'Verified');
    const scaling = watchScaling(live.standIn, 'verified', ids('AWS::ECS::Cluster'), ids('AWS::ECS::Service'));
    expect(await eventually(240, async () => ((await scaling.counts()).running === 0 ? 0 : undefined))).toBe(0);
    const output = await failed({ ...release('process', 'second'), SECONDS: '60', IMAGE: 'missing' });
    expect(output).toMatch(/Verified +\| .*UPDATE_ROLLBACK_COMPL/);
    expect(output.replace(/\s+/g, ' ')).toMatch(/The flow run that verifies the worker is \w+ after \d+ seconds.*The last worker that stopped: .*CannotPullContainerError: .*not found/);
  });

  test('is deployed without proof where its pool is paused, and says so', async () => {
    await live.prefect.call('PATCH', '/work_pools/verified', { is_paused: true });
    expect(await given(release('process', 'third'))).toMatch(/WorkerVerified\w* = not verified: the work pool "verified" is paused/);
    await live.prefect.call('PATCH', '/work_pools/verified', { is_paused: false });
  });
});

test('an ECS worker is deployed when the task of a flow run has completed', async () => {
  expect(await given(release('ecs', 'fourth'))).toMatch(/WorkerVerified\w* = a flow run completed in \d+ seconds/);
});
