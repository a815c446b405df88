import { ChildProcess, spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, Server } from 'node:http';
import { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pythonEnvironment } from '../python/environment';
import { alive } from '../support/alive';

/** Who is ended when a PROCESS worker's memory runs out, with real processes; what the kernel says of the container is in files here. */
const MIB = 2 ** 20;
/** Of the container, in MiB. */
const LIMIT = 100;
const WORKER = `worker ${process.pid}`;

let python: string;
let groups: string;
let processes: ChildProcess[] = [];
let metadata: Server | undefined;

jest.setTimeout(30_000);

beforeAll(async () => { python = (await pythonEnvironment()).python; }, 300_000);
beforeEach(async () => { groups = await mkdtemp(join(tmpdir(), 'groups-')); });
afterEach(async () => {
  for (const child of processes) child.kill('SIGKILL');
  processes = [];
  metadata?.close();
  metadata = undefined;
  await rm(groups, { recursive: true });
});

const usage = (files: Record<string, string>, directory: string) =>
  Promise.all(Object.entries(files).map(([name, text]) => writeFile(join(directory, name), text)));

/** A container's own group at the root, as its kernel shows it: of 100 MiB, so many are used, and some more by the contents of files. */
const VERSIONS = {
  1: async (used: number, kills = 0) => {
    await mkdir(join(groups, 'memory'), { recursive: true });
    await usage({
      'memory.stat': `hierarchical_memory_limit ${LIMIT * MIB}\ntotal_active_file ${30 * MIB}\ntotal_inactive_file ${20 * MIB}\nactive_file 7\ninactive_file 7`,
      'memory.usage_in_bytes': `${(used + 50) * MIB}\n`,
      'memory.oom_control': `oom_kill_disable 0\nunder_oom 0\noom_kill ${kills}\n`,
    }, join(groups, 'memory'));
    return '4:memory:/ecs/of-the-host\n0::/\n';
  },
  2: async (used: number, kills = 0, limit: number | 'max' = LIMIT * MIB) => {
    await usage({
      'memory.max': `${limit}\n`,
      'memory.stat': `anon 1\nactive_file ${30 * MIB}\ninactive_file ${20 * MIB}\n`,
      'memory.current': `${(used + 50) * MIB}\n`,
      'memory.events': `low 0\nhigh 0\nmax 9\noom 1\noom_kill ${kills}\n`,
    }, groups);
    return '0::/\n';
  },
};

/** A process of a flow run that holds so much. */
async function holding(run: string, mebibytes: number, worker = WORKER): Promise<number> {
  const child = spawn(python, ['-c', `held = b"x" * (${mebibytes} << 20); print("ready", flush=True); import time; time.sleep(60)`], {
    env: { PREFECT__WORKER_NAME: worker, PREFECT__FLOW_RUN_ID: run }, stdio: ['ignore', 'pipe', 'inherit'],
  });
  processes.push(child);
  await new Promise(resolve => child.stdout!.once('data', resolve));
  return child.pid!;
}

/** Looks once, then does what the test says, and gives what is said of flow runs. */
async function look(own: string, reasonOf: string, script = '', environment: Record<string, string> = {}): Promise<string> {
  await writeFile(join(groups, 'own'), own);
  const child = spawn(python, ['-c', `
import builtins, importlib.util, sys
real = builtins.open
builtins.open = lambda file, *rest, **more: real(${JSON.stringify(join(groups, 'own'))} if file == "/proc/self/cgroup" else file, *rest, **more)
sys.path.insert(0, "src/task")
import memory_watch
memory_watch.CGROUPS = ${JSON.stringify(groups)}
watch = memory_watch.MemoryWatch(${JSON.stringify(WORKER)})
watch._group = memory_watch.ControlGroup()
watch.look()
${script}
print("reason:", watch.reason(${JSON.stringify(reasonOf)}))`], { env: { PYTHONDONTWRITEBYTECODE: '1', ...environment }, stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', text => { output += text; });
  await new Promise(resolve => child.on('close', resolve));
  return output;
}

async function ends(process: number): Promise<boolean> {
  for (const end = Date.now() + 5_000; alive(process) && Date.now() < end;) await sleep(20);
  return !alive(process);
}

describe.each([1, 2] as const)('with control groups of version %d', version => {
  const memory = VERSIONS[version];

  test('the flow run that holds the most, with all of its processes, is ended before memory is used up', async () => {
    const [small, one, two] = [await holding('small', 40), await holding('large', 30), await holding('large', 30)];
    expect(await look(await memory(96), 'large')).toMatch(/^reason: Out of memory: it held \d\d of its worker's 100 MiB, the most of 2 flow runs, and was ended/m);
    expect([await ends(one), await ends(two)]).toEqual([true, true]);
    expect(alive(small)).toBe(true);
  });

  test('none is ended as long as there is some left: what files take can be had back', async () => {
    const run = await holding('any', 80);
    expect(await look(await memory(94), 'any')).toBe('reason: None\n');
    expect(alive(run)).toBe(true);
  });

  test('one that the kernel was faster to end says so, and what it held', async () => {
    const run = await holding('any', 30);
    const own = await memory(80, 2);
    const counter = join(groups, version === 1 ? 'memory/memory.oom_control' : 'memory.events');
    const killed = `open(${JSON.stringify(counter)}, "w").write("oom_kill 3")`;
    expect(await look(own, 'any', killed)).toMatch(/^reason: Out of memory: the kernel ended it, as its worker's 100 MiB were used up, of which it held [34]\d a moment before\./m);
    expect(alive(run)).toBe(true);
  });
});

test('of a container that has no limit of its own, the task\'s is asked for', async () => {
  metadata = createServer((request, response) => response.end(request.url === '/v4/task' ? JSON.stringify({ Limits: { CPU: 1, Memory: LIMIT } }) : '')).listen(0, '127.0.0.1');
  await new Promise(resolve => metadata!.once('listening', resolve));
  const run = await holding('any', 50);
  const environment = { ECS_CONTAINER_METADATA_URI_V4: `http://127.0.0.1:${(metadata.address() as AddressInfo).port}/v4` };
  expect(await look(await VERSIONS[2](96, 0, 'max'), 'any', '', environment)).toContain('of its worker\'s 100 MiB');
  expect(await ends(run)).toBe(true);
});

test('where something else takes the memory, none is ended, as that would not help', async () => {
  const run = await holding('any', 20);
  expect(await look(await VERSIONS[2](99), 'any')).toBe('reason: None\n');
  expect(alive(run)).toBe(true);
});

test('without any limit, none is ended', async () => {
  const run = await holding('any', 20);
  expect(await look(await VERSIONS[2](1e6, 0, 'max'), 'any')).toBe('reason: None\n');
  expect(alive(run)).toBe(true);
});

test('no second one is ended until there is time to see what the first has left', async () => {
  const [small, large] = [await holding('small', 50), await holding('large', 60)];
  expect(await look(await VERSIONS[2](99), 'small', 'import time; time.sleep(0.5); watch.look()')).toContain('reason: None');
  expect(await ends(large)).toBe(true);
  expect(alive(small)).toBe(true);
});

test('flow runs of another worker are not looked at', async () => {
  const [ours, others] = [await holding('ours', 50), await holding('others', 40, 'another')];
  await look(await VERSIONS[2](99), 'ours');
  expect(await ends(ours)).toBe(true);
  expect(alive(others)).toBe(true);
});

test('the kernel is told to take flow runs before their worker', async () => {
  const run = await holding('any', 10);
  await look(await VERSIONS[2](10), 'any');
  expect(await readFile(`/proc/${run}/oom_score_adj`, 'utf8')).toBe('500\n');
});
