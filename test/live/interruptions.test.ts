import { ReconcilerWorld } from '../support/reconciler-world';

/** What the reconciler leaves a flow of, when its run is started again: its retries, and its slot of the deployment's concurrency limit. */
let world: ReconcilerWorld;

jest.setTimeout(60_000);

beforeAll(async () => { world = await ReconcilerWorld.start(); }, 120_000);
beforeEach(async () => {
  await world.clean();
  jest.spyOn(console, 'log').mockImplementation();
  jest.spyOn(console, 'error').mockImplementation();
});
afterEach(() => jest.restoreAllMocks());
afterAll(() => world?.stop());

describe('the flow\'s retries', () => {
  const policy = { retries: 2, retry_delay: 0 };
  const retries = async (id: string) => {
    const { state, empirical_policy: { retries: left } } = await world.get(id);
    return [state.name, left];
  };
  const killed = { stopCode: 'EssentialContainerExited', stoppedReason: 'Essential container in task exited' };

  test('are one more after an interruption, which Prefect counts as an attempt', async () => {
    const id = await world.run({ policy });
    world.task(id);
    await world.look();
    expect(await retries(id)).toEqual(['AwaitingRetry', 3]);
  });

  test('stay where the attempt had not begun', async () => {
    const id = await world.run({ policy, state: 'PENDING' });
    world.task(id);
    await world.look();
    expect(await retries(id)).toEqual(['AwaitingRetry', 2]);
  });

  test('are there to be used where the task broke', async () => {
    const id = await world.run({ policy });
    world.task(id, killed);
    await world.look();
    expect(await retries(id)).toEqual(['AwaitingRetry', 2]);
  });

  test.each([['begun', true, 3], ['not begun', false, 2]])('are as many for a run that counts as crashed by its interruption: one that had %s', async (_, begun, left) => {
    const id = await world.run({ policy, state: 'CRASHED', begun, message: 'The following containers stopped with a non-zero exit code: prefect' });
    world.task(id);
    await world.look();
    expect(await retries(id)).toEqual(['AwaitingRetry', left]);
  });

  test('are one more for each run of a PROCESS worker that broke', async () => {
    const id = await world.run({ policy, infrastructure: 'ip-10-0-0-1:77', worker: 'us-east-1:live:dead' });
    world.task('dead', killed);
    await world.look('process');
    expect(await retries(id)).toEqual(['AwaitingRetry', 3]);
  });

  test('are not raised twice where Prefect does not take the state', async () => {
    const id = await world.run({ policy });
    world.task(id);
    world.instead.push({ path: /set_state$/, status: 422 });
    await expect(world.look()).rejects.toThrow('422');
    world.instead = [];
    await world.look();
    expect(await retries(id)).toEqual(['AwaitingRetry', 3]);
  });
});

describe('a deployment\'s limit of one run, with CANCEL_NEW,', () => {
  beforeEach(() => world.limitDeployment('CANCEL_NEW'));
  const claim = async (id: string) => (await world.prefect.call<any>('POST', `/flow_runs/${id}/set_state`, { state: { type: 'PENDING' } })).state.type;

  test('does not cancel a run that is started again after an interruption', async () => {
    const id = await world.run();
    world.task(id);
    await world.look();
    expect(await claim(id)).toBe('PENDING');
  });

  test('does not cancel a run whose process died between two tries, with the slot', async () => {
    const id = await world.run({ policy: { retries: 1, retry_delay: 0 } });
    await world.prefect.call('POST', `/flow_runs/${id}/set_state`, { state: { type: 'FAILED' } });
    expect(await world.get(id)).toMatchObject({ state: { name: 'AwaitingRetry' }, empirical_policy: { retry_type: 'in_process' } });
    world.task(id);
    await world.look();
    expect(await world.get(id)).toMatchObject({ state: { name: 'AwaitingRetry' }, empirical_policy: { retries: 1, retry_type: 'reschedule' } });
    expect(await claim(id)).toBe('PENDING');
  });
});
