import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CommandFailed, deploy } from './support/cdk';
import { Live, startLive } from './support/environment';
import { eventually, physicalIds } from './support/evidence';
import { watchScaling } from './support/watched-scaling';
import { pythonEnvironment } from '../python/environment';

jest.setTimeout(600_000);

/** A minute of AWS passes in ten seconds. */
const TIME_SCALE = 6;

/** Images of flow runs: with a Python and no Prefect, and for another architecture. */
const BARE = 'registry.example.com/flows:bare';
const FOREIGN = 'registry.example.com/flows:foreign';

/** Deployments that prove themselves by a flow run, on real workers. */
let live: Live;
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'images-'));
  const { python } = await pythonEnvironment();
  // Without its packages, the Python of the tests is that of an image without Prefect.
  const [bare, foreign] = [await program('bare', `#!/bin/sh\nexec ${python} -I -S "$@"\n`), await program('foreign', '\x7fELF of another architecture')];
  live = await startLive({
    api: 'self-hosted',
    app: 'test/live/support/verified-app.ts',
    timeScale: TIME_SCALE,
    images: { [BARE]: { path: [bare], nothingElse: true }, [FOREIGN]: { path: [foreign], nothingElse: true } },
  });
});
afterAll(async () => {
  await live?.stop();
  await rm(directory, { recursive: true, force: true });
});

/** The directory of an image's `python`. */
async function program(image: string, text: string): Promise<string> {
  await mkdir(join(directory, image));
  await writeFile(join(directory, image, 'python'), text, { mode: 0o755 });
  return join(directory, image);
}

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

describe('an ECS worker', () => {
  test('is deployed when the task of a flow run has completed', async () => {
    expect(await given(release('ecs', 'fourth'))).toMatch(/WorkerVerified\w* = a flow run completed in \d+ seconds/);
  });

  test.each([
    ['can\'t be pulled', 'missing', /is Crashed after \d+ seconds: The following containers stopped with a non-zero exit code: \['prefect'\]\. Its task: STOPPED: CannotPullContainerError: .*:missing: not found/],
    ['is of another architecture', FOREIGN, /is Crashed after \d+ seconds: .* Its task: STOPPED: CannotStartContainerError: .*exec format error/i],
    ['has no Prefect', BARE, /is Crashed after \d+ seconds: The image of its task has no Prefect\..* Its task: STOPPED: Essential container in task exited; prefect: exit code 127/],
  ])('fails to deploy at zero workers, and goes back, where the image of its flow runs %s; the reason says so', async (_, image, reason) => {
    const output = await failed({ ...release('ecs', image), WORKERS: '0', SECONDS: '70', FLOW_RUN_IMAGE: image });
    expect(output).toMatch(/Verified +\| .*ROLLBACK_COMPL/);
    expect(output.replace(/\s+/g, ' ')).toMatch(reason);
  });
});
