import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { deploy } from './support/cdk';
import { FLOWS, Live, startLive } from './support/environment';
import { eventually } from './support/evidence';

/** What becomes of a PROCESS worker's flow runs when one of them takes all memory, which the kernel limits here as on Fargate. */
const POOL = 'memory';

/** The supervisor was in time; the kernel was faster. */
const OURS = /^Out of memory: it held \d{3} of its worker's 1024 MiB, the most of 4 flow runs, and was ended so that the worker can go on\. Give the worker more memoryLimitMiB/;
const KERNEL = /^Out of memory: the kernel ended it, as its worker's 1024 MiB were used up/;

let live: Live;
let sleeper: string;
let glutton: string;

jest.setTimeout(300_000);

beforeAll(async () => {
  live = await startLive({ api: 'self-hosted', app: 'test/live/support/memory-app.ts', timeScale: 6 });
  await deploy(live.standIn, live.deployment);
  // Without a limit the flow would take the machine's memory.
  const [task] = await eventually(60, async () => (await running()).length > 0 ? running() : undefined) ?? [];
  const group = `stand-in-${task?.split('/').pop()}`;
  if (!['memory', ''].some(tree => existsSync(join('/sys/fs/cgroup', tree, group)))) throw new Error('Memory is limited by control groups of Linux, which are root\'s: run this as root.');
  const flow = (name: string) => live.prefect.deploy(name, {
    workPool: POOL, entrypoint: `flows.py:${name}`, directory: FLOWS, jobVariables: { command: 'python -m prefect.engine' },
  });
  [sleeper, glutton] = [await flow('sleeper'), await flow('glutton')];
});
afterAll(() => live?.stop());

const running = async () => (await live.standIn.tasks()).filter(({ lastStatus }) => lastStatus === 'RUNNING').map(({ taskArn }) => taskArn);
const ended = async (id: string) => {
  const run = await live.prefect.flowRun(id);
  return ['COMPLETED', 'CRASHED', 'FAILED'].includes(run.state.type) ? run : undefined;
};

test.each([
  ['little by little', { mebibytes_a_second: 40 }, OURS],
  ['with ever more processes', { mebibytes_a_second: 40, in_processes: true }, OURS],
  ['at once', { mebibytes_a_second: 2000 }, KERNEL],
])('a flow run that takes all memory %s crashes, says so, and never comes back; those beside it go on undisturbed', async (_, parameters, message) => {
  const worker = await running();
  const innocent: string[] = [];
  for (let run = 0; run < 3; run++) innocent.push(await live.prefect.start(sleeper, { seconds: 45 }));
  for (const id of innocent) expect(await eventually(60, async () => ((await live.prefect.flowRun(id)).state.type === 'RUNNING' ? id : undefined))).toBe(id);
  const greedy = await live.prefect.start(glutton, parameters);
  expect(await eventually(120, () => ended(greedy))).toMatchObject({ run_count: 1, state: { type: 'CRASHED', message: expect.stringMatching(message) } });
  for (const id of innocent) expect(await eventually(90, () => ended(id))).toMatchObject({ run_count: 1, state: { type: 'COMPLETED' } });
  expect(await running()).toEqual(worker);
});
