import { ReconcilerWorld } from '../support/reconciler-world';

/** What becomes of flow runs that run out of memory, with a real Prefect server; what Prefect itself says of them is seen in flow-run.test.ts. */
let world: ReconcilerWorld;

jest.setTimeout(60_000);

beforeAll(async () => { world = await ReconcilerWorld.start(); }, 120_000);
beforeEach(async () => {
  await world.clean();
  world.outOfMemory = { maxMemoryMiB: 4096, remember: false };
  jest.spyOn(console, 'log').mockImplementation();
  jest.spyOn(console, 'error').mockImplementation();
});
afterEach(() => jest.restoreAllMocks());
afterAll(() => world?.stop());

const KILLED = {
  stopCode: 'EssentialContainerExited',
  stoppedReason: 'Essential container in task exited',
  containers: [{ name: 'prefect', exitCode: 137, reason: 'OutOfMemoryError: Container killed due to memory usage' }],
  cpu: '512',
  memory: '1024',
};
const OBSERVED = 'The following containers stopped with a non-zero exit code: [\'prefect\']';
const KILLED_PROCESS = 'Process exited with status code: -9. The process was terminated by SIGKILL.';
const size = { cpu: 512, memory: 2048 };
const MORE_MEMORY = 'Its next attempt has 2048 MiB of memory and 512 CPU units.';
const jobVariables = { image: 'ours' };

const grown = async (id: string) => {
  const { state, job_variables: variables } = await world.get(id);
  expect(state).toMatchObject({ name: 'AwaitingRetry', message: expect.stringMatching(new RegExp(`OutOfMemoryError.*${MORE_MEMORY}$`)) });
  expect(variables).toEqual({ ...jobVariables, ...size });
};

test.each([
  ['that still counts as Running', { state: 'RUNNING' }],
  ['that Prefect\'s observer has had crash', { state: 'CRASHED', begun: true, message: OBSERVED }],
] as const)('a run %s starts again with more memory, and says so', async (_, state) => {
  const id = await world.run({ ...state, jobVariables });
  world.task(id, KILLED);
  await world.look();
  await grown(id);
});

test('a run of which only the flow\'s process was killed, as Prefect itself says, starts again with more memory', async () => {
  const id = await world.run({ state: 'CRASHED', begun: true, message: KILLED_PROCESS, jobVariables });
  world.task(id, { ...KILLED, containers: [{ name: 'prefect', exitCode: 0 }] });
  await world.look();
  expect((await world.get(id)).job_variables).toEqual({ ...jobVariables, ...size });
});

test('its flow keeps all of its own retries', async () => {
  const id = await world.run({ policy: { retries: 2, retry_delay: 0 } });
  world.task(id, KILLED);
  await world.look();
  expect((await world.get(id)).empirical_policy.retries).toBe(3);
});

test('it has more each time, up to the maximum, and stays crashed then', async () => {
  const id = await world.run({});
  for (const [memory, more] of [['1024', 2048], ['2048', 3072], ['3072', 4096]] as const) {
    world.task(id, { ...KILLED, memory });
    await world.look('ecs', { preparing: 0 });
    expect((await world.get(id)).job_variables).toEqual({ cpu: 512, memory: more });
    await world.set(id, { type: 'PENDING' });
    await world.set(id, { type: 'RUNNING' });
  }
  world.task(id, { ...KILLED, memory: '4096' });
  await world.look();
  expect((await world.stateOf(id)).type).toBe('CRASHED');
});

test('where its vCPUs come with no more memory, it has more of them', async () => {
  world.outOfMemory = { maxMemoryMiB: 8192, remember: false };
  const id = await world.run({});
  world.task(id, { ...KILLED, memory: '4096' });
  await world.look();
  expect((await world.get(id)).job_variables).toEqual({ cpu: 1024, memory: 5120 });
});

test('a look that was cut off before it wrote the size is finished by the next', async () => {
  const id = await world.run({ jobVariables });
  world.task(id, KILLED);
  world.instead.push({ method: 'PATCH', path: /flow_runs/, status: 403 });
  await expect(world.look()).rejects.toThrow('403');
  expect((await world.get(id)).job_variables).toEqual(jobVariables);
  world.instead = [];
  await world.look();
  await grown(id);
  await world.look();
  expect(world.changes().filter(change => !change.includes('events'))).toEqual([]);
});

describe('where it is remembered', () => {
  beforeEach(() => { world.outOfMemory = { maxMemoryMiB: 4096, remember: true }; });

  test('later runs of the deployment begin with what one of them needed, and the run says so', async () => {
    await world.changeDeployment({ cpu: 512, env: { A: 'b' } });
    const id = await world.run({ jobVariables });
    world.task(id, KILLED);
    await world.look();
    expect((await world.stateOf(id)).message).toMatch(/Its next attempt, as later runs of its deployment, has 2048 MiB of memory and 512 CPU units\.$/);
    expect(await world.deploymentVariables()).toEqual({ cpu: 512, memory: 2048, env: { A: 'b' } });
    expect((await world.get(id)).job_variables).toEqual({ ...jobVariables, ...size });
  });

  test('a deployment that has more by now keeps that', async () => {
    await world.changeDeployment({ memory: 4096 });
    const id = await world.run({ jobVariables: { memory: 1024 } });
    world.task(id, KILLED);
    await world.look();
    expect(await world.deploymentVariables()).toEqual({ memory: 4096 });
  });
});

describe('a run stays crashed', () => {
  const crashed = async (task: object, prepare?: () => void, tags?: string[]) => {
    const id = await world.run({ state: 'CRASHED', begun: true, message: OBSERVED, tags });
    world.task(id, { ...KILLED, ...task });
    prepare?.();
    await world.look();
    expect((await world.stateOf(id)).type).toBe('CRASHED');
  };

  test('that ended for another reason', () => crashed({ containers: [{ name: 'prefect', exitCode: 1 }] }));
  test('where the pool doesn\'t ask for more memory', () => crashed({}, () => { world.outOfMemory = undefined; }));
  test('whose tag says that it is not to be executed again', () => crashed({}, undefined, ['when-interrupted:crash']));
});

test('where the pool doesn\'t ask for more memory, one whose process was killed is tried again as often as its flow says', async () => {
  world.outOfMemory = undefined;
  const id = await world.run({ state: 'CRASHED', begun: true, message: KILLED_PROCESS, policy: { retries: 1, retry_delay: 0 } });
  world.task(id, { ...KILLED, containers: [{ name: 'prefect', exitCode: 1 }] });
  await world.look();
  expect((await world.stateOf(id)).name).toBe('AwaitingRetry');
});
