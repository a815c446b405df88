import { deploy, destroy } from './support/cdk';
import { FLOWS, Live, startLive } from './support/environment';
import { FlowRun } from './support/prefect';

jest.setTimeout(600_000);

const POOL = 'life cycle';
let live: Live;

beforeAll(async () => {
  live = await startLive({ api: 'self-hosted', app: 'test/live/support/life-cycle-app.ts', environment: { PATIENCE_SECONDS: '30' } });
  await deploy(live.standIn, live.deployment);
});
afterAll(() => live?.stop());

const pool = () => live.prefect.call<any>('GET', `/work_pools/${encodeURIComponent(POOL)}`);
const taskOf = async (run: FlowRun) => (await live.standIn.tasks()).find(({ taskArn }) => run.infrastructure_pid?.endsWith(taskArn));

describe('a stack that is deleted while flow runs run', () => {
  let [short, long] = ['', ''];

  test('goes altogether, once the flow runs have ended or had their time', async () => {
    const deployment = await live.prefect.deploy('sleepers', { workPool: POOL, entrypoint: 'flows.py:sleeper', directory: FLOWS });
    [short, long] = await Promise.all([15, 900].map(seconds => live.prefect.start(deployment, { seconds })));
    for (const run of [short, long]) await live.prefect.waitFor(run, ['RUNNING'], 120);
    const running = await Promise.all([short, long].map(run => live.prefect.flowRun(run)));

    await destroy(live.standIn, live.deployment);

    const [ended, stopped] = await Promise.all(running.map(taskOf));
    expect(ended).toMatchObject({ lastStatus: 'STOPPED', stopCode: 'EssentialContainerExited' });
    expect(stopped).toMatchObject({ lastStatus: 'STOPPED', stopCode: 'UserInitiated', stoppedReason: 'The stack of its worker is deleted.' });
  });

  test('lets a flow run finish that ends soon', async () => {
    expect((await live.prefect.flowRun(short)).state.type).toBe('COMPLETED');
  });

  test('leaves the other one scheduled again, in a pool that is paused and says why', async () => {
    expect((await live.prefect.flowRun(long)).state).toMatchObject({ type: 'SCHEDULED', name: 'AwaitingRetry' });
    expect(await pool()).toMatchObject({ is_paused: true, description: expect.stringMatching(/^Paused because the stack of its worker was deleted/) });
  });

  test('and is deployed again resumes the pool, and that flow run starts', async () => {
    await deploy(live.standIn, live.deployment);
    expect(await pool()).toMatchObject({ is_paused: false, description: '' });
    expect((await live.prefect.waitFor(long, ['RUNNING'], 120)).state.type).toBe('RUNNING');
  });
});
