import { ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { FLOWS } from './support/environment';
import { eventually } from './support/evidence';
import { Gate, openGate } from './support/gate';
import { Prefect } from './support/prefect';
import { processesOfRun } from './support/processes';
import { FLOW_RUN } from '../../src/task/command';
import { pythonEnvironment } from '../python/environment';
import { PrefectServer, startPrefectServer } from '../stand-in/prefect-server';

interface Execution {
  readonly id: string;
  readonly child: ChildProcess;
  readonly code: Promise<number | null>;
  said: string;
}

/** What the command of an ECS worker's flow runs does, with a real server and the real Prefect, when its task is stopped. */
const POOL = 'tasks';

let bin: string;
let server: PrefectServer;
let gate: Gate;
let prefect: Prefect;
let deployment: string;
let executions: Execution[] = [];

jest.setTimeout(120_000);

beforeAll(async () => {
  ({ bin } = await pythonEnvironment());
  server = await startPrefectServer();
  gate = await openGate(server.apiUrl);
  prefect = new Prefect(server.apiUrl);
  await prefect.call('POST', '/work_pools/', { name: POOL, type: 'ecs' });
  deployment = await prefect.deploy('any', { workPool: POOL, entrypoint: 'flows.py:sleeper', directory: FLOWS });
}, 300_000);
afterEach(async () => {
  await gate.open();
  for (const { child } of executions) child.kill('SIGKILL');
  executions = [];
});
afterAll(async () => {
  await gate?.stop();
  await server?.stop();
});

async function claimed(seconds: number): Promise<string> {
  const id = await prefect.start(deployment, { seconds });
  await prefect.call('POST', `/flow_runs/${id}/set_state`, { state: { type: 'PENDING' } });
  return id;
}

function execute(id: string, environment: Record<string, string> = {}): Execution {
  const [command, ...options] = FLOW_RUN.command;
  const child = spawn(command, options, {
    env: {
      PATH: `${bin}:${process.env.PATH}`,
      PREFECT_API_URL: gate.apiUrl,
      PREFECT_CLIENT_MAX_RETRIES: '9',
      PREFECT_FLOW_RUN_EXECUTE_SIGTERM_BEHAVIOR: 'reschedule',
      PREFECT__FLOW_RUN_ID: id,
      ...FLOW_RUN.environment,
      ...environment,
    },
  });
  const execution: Execution = { id, child, said: '', code: new Promise(resolve => child.on('close', resolve)) };
  for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => { execution.said += chunk; });
  executions.push(execution);
  return execution;
}

async function started(environment: Record<string, string> = {}): Promise<Execution> {
  const execution = execute(await claimed(60), environment);
  await prefect.waitFor(execution.id, ['RUNNING'], 60).catch(error => { throw new Error(`${error.message}\n${execution.said}`); });
  // The engine has told the process above it that it is there.
  await sleep(1000);
  return execution;
}

/** Only what gives it back is left; the flow, which had most of its minute to go, and Prefect's command have ended. */
async function stopped(id: string): Promise<void> {
  expect(await eventually(20, async () => (await processesOfRun(id)).length === 1 || undefined)).toBe(true);
}

const stateOf = async (id: string) => (await prefect.flowRun(id)).state;

test('a flow run that is interrupted stops at once, even while the API is away, and is given back when that is there again', async () => {
  const { id, child, code } = await started();
  await gate.shut();
  child.kill('SIGTERM');
  await stopped(id);
  expect((await stateOf(id)).type).toBe('RUNNING');
  await gate.open();

  expect(await code).toBe(0);
  expect(await stateOf(id)).toMatchObject({ type: 'SCHEDULED', name: 'AwaitingRetry', message: 'Its task was interrupted before it was finished.' });
});

test('before it has begun, it is given back as well', async () => {
  const id = await claimed(60);
  const { child, code } = execute(id);
  await sleep(300);
  child.kill('SIGTERM');
  expect(await code).toBe(0);
  expect((await stateOf(id)).name).toBe('AwaitingRetry');
});

test('where the API stays away, it ends as if all were well, says so, and leaves the run to the rescue function', async () => {
  const execution = await started({ FLOW_RUN_HAND_BACK_SECONDS: '3' });
  const { id, child, code } = execution;
  await gate.shut();
  child.kill('SIGTERM');
  expect(await code).toBe(0);
  await gate.open();
  expect(execution.said).toContain(`Flow run ${id} was interrupted, and the Prefect API did not take it back; the rescue function will.`);
  expect((await stateOf(id)).type).toBe('RUNNING');
});

test('one that is being cancelled is not given back', async () => {
  const { id, child, code } = await started();
  // Prefect's own command can't see it, which may end the cancelling itself otherwise.
  await gate.shut();
  await prefect.call('POST', `/flow_runs/${id}/set_state`, { state: { type: 'CANCELLING' } });
  child.kill('SIGTERM');
  await stopped(id);
  await gate.open();

  expect(await code).toBe(0);
  expect((await stateOf(id)).type).toBe('CANCELLING');
});

test('one that isn\'t interrupted ends as it does, with Prefect\'s exit code', async () => {
  const id = await claimed(0);
  const { code } = execute(id);
  expect(await code).toBe(0);
  expect((await stateOf(id)).type).toBe('COMPLETED');

  const unknown = execute('00000000-0000-4000-8000-000000000000');
  expect(await unknown.code).toBe(1);
});

test('where its environment wants interruptions to count as crashes, it is not given back, and its exit code tells', async () => {
  const { id, child, code } = await started({ PREFECT_FLOW_RUN_EXECUTE_SIGTERM_BEHAVIOR: 'crash' });
  child.kill('SIGTERM');
  expect(await code).toBe(128 + 15);
  expect((await stateOf(id)).type).toBe('RUNNING');
  // In a container it would end with the first process.
  for (const { pid } of await processesOfRun(id)) process.kill(pid, 'SIGKILL');
});
