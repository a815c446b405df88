import { ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, Server } from 'node:http';
import { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { pythonEnvironment } from '../python/environment';
import { alive } from '../support/alive';
import { ForwardProxy, startForwardProxy } from '../support/forward-proxy';

const SUPERVISOR = join(__dirname, '..', '..', 'assets', 'task', 'supervisor.py');
jest.setTimeout(30_000);

const FAST = { TICK_SECONDS: 0.05, DRAIN_SECONDS: 1, CLEANUP_SECONDS: 0.5, LINGER_SECONDS: 0.3 };

let python: string;
let supervised: Supervised | undefined;
let agent: Agent | undefined;
let proxy: ForwardProxy | undefined;

beforeAll(async () => { python = (await pythonEnvironment()).python; }, 300_000);
afterEach(async () => {
  supervised?.end();
  await agent?.stop();
  await proxy?.stop();
  supervised = agent = proxy = undefined;
});

/** A running supervisor, and what it says. */
class Supervised {
  public output = '';
  public readonly code: Promise<number | null>;
  private readonly child: ChildProcess;

  constructor(worker: string, constants: Record<string, number> = {}, environment: Record<string, string> = {}) {
    this.child = spawn(python, [join(__dirname, 'supervised.py'), 'prefect', 'worker', 'start'], {
      env: { PATH: process.env.PATH, SUPERVISOR, WORKER: worker, CONSTANTS: JSON.stringify({ ...FAST, ...constants }), PYTHONDONTWRITEBYTECODE: '1', ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    for (const stream of [this.child.stdout!, this.child.stderr!]) stream.setEncoding('utf8').on('data', (text: string) => { this.output += text; });
    this.code = new Promise(resolve => this.child.on('close', resolve));
    supervised = this;
  }

  public async says(text: string | RegExp): Promise<void> {
    for (const end = Date.now() + 15_000; !(typeof text === 'string' ? this.output.includes(text) : text.test(this.output));) {
      if (Date.now() > end) throw new Error(`It does not say ${text}, but: ${this.output}`);
      await sleep(20);
    }
  }

  public kill(signal: NodeJS.Signals, toGroup = false): void {
    process.kill(toGroup ? -this.child.pid! : this.child.pid!, signal);
  }

  public end(): void {
    for (const pid of [-this.child.pid!, ...[...this.output.matchAll(/(?:worker|process) (\d+)/g)].map(([, id]) => Number(id))]) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It has ended, as it should.
      }
    }
  }
}

/** What ECS puts at ECS_AGENT_URI. */
class Agent {
  public static async start(): Promise<Agent> {
    const made = new Agent();
    await new Promise<void>(resolve => made.server.listen(0, '127.0.0.1', resolve));
    return agent = made;
  }

  public readonly requests: any[] = [];
  public status = 200;
  public answer: object = { protection: {} };
  private readonly server: Server = createServer((request, response) => {
    let body = '';
    request.on('data', chunk => { body += chunk; }).on('end', () => {
      this.requests.push({ method: request.method, path: request.url, ...JSON.parse(body) });
      response.writeHead(this.status, { 'content-type': 'application/json' })
        .end(JSON.stringify(this.answer));
    });
  });

  public get environment() {
    return { ECS_AGENT_URI: `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/api/1` };
  }

  public async has(count: number): Promise<void> {
    for (const end = Date.now() + 15_000; this.requests.length < count;) {
      if (Date.now() > end) throw new Error(`ECS was asked ${this.requests.length} times: ${JSON.stringify(this.requests)}`);
      await sleep(20);
    }
  }

  public stop(): Promise<void> {
    return new Promise(resolve => {
      this.server.closeAllConnections();
      this.server.close(() => resolve());
    });
  }
}

describe('the supervisor starts the worker', () => {
  test('with the arguments that it was given, and a name of its own', async () => {
    const { code } = new Supervised('');
    expect(await code).toBe(0);
    expect(supervised!.output).toMatch(/^worker \d+ prefect worker start --name ProcessWorker [0-9a-f-]{36}$/m);
  });

  test.each([['sys.exit(3)', 3], ['os.kill(os.getpid(), 9)', 137]])('and ends with its exit code: %s', async (worker, code) => {
    expect(await new Supervised(worker).code).toBe(code);
  });

  test('in a process group of its own, because the image\'s init signals the whole group', async () => {
    new Supervised('told = []; on(signal.SIGTERM, lambda: print("told directly", flush=True)); on(signal.SIGUSR1, lambda: told.append(1));'
      + 'print("ready!", flush=True)\nwhile not told: time.sleep(0.1)\ntime.sleep(0.3)');
    await supervised!.says('ready!');
    supervised!.kill('SIGTERM', true);
    expect(await supervised!.code).toBe(0);
    expect(supervised!.output).not.toContain('told directly');
  });
});

describe('on SIGTERM', () => {
  test('an idle worker leaves at once', async () => {
    new Supervised('on(signal.SIGUSR1, lambda: sys.exit(0)); print("ready!", flush=True); time.sleep(60)', { DRAIN_SECONDS: 30 });
    await supervised!.says('ready!');
    supervised!.kill('SIGTERM');
    expect(await supervised!.code).toBe(0);
    expect(supervised!.output).not.toContain('rescheduled');
  });

  test('a worker that is only starting leaves at once', async () => {
    new Supervised('time.sleep(60)', { DRAIN_SECONDS: 30 });
    await supervised!.says(/^worker \d+/m);
    supervised!.kill('SIGTERM');
    expect(await supervised!.code).not.toBeNull();
  });

  test('runs may finish, and none of them is rescheduled', async () => {
    new Supervised('on(signal.SIGUSR1, lambda: (time.sleep(0.5), end("a"), sys.exit(0))); begin("a"); print("ready!", flush=True); time.sleep(60)', { DRAIN_SECONDS: 30 });
    await supervised!.says('ready!');
    supervised!.kill('SIGTERM');
    expect(await supervised!.code).toBe(0);
    expect(supervised!.output).not.toContain('rescheduled');
  });

  test('what is not finished in time is asked to clean up, and rescheduled', async () => {
    new Supervised('on(signal.SIGUSR1, lambda: end("short")); on(signal.SIGUSR2, lambda: (print("asked", flush=True), end("long")));'
      + 'begin("short"); begin("long"); print("ready!", flush=True)\nwhile True: time.sleep(0.1)');
    await supervised!.says('ready!');
    await sleep(200);
    supervised!.kill('SIGTERM');
    expect(await supervised!.code).toBe(0);
    expect(supervised!.output).toMatch(/asked\n(.*\n)*rescheduled long$/m);
  });

  test('nothing runs any more when a run is rescheduled, neither the worker nor what left its process group', async () => {
    new Supervised('on(signal.SIGUSR1, lambda: None); on(signal.SIGUSR2, lambda: None); begin("a"); spawn("a"); print("ready!", flush=True)\nwhile True: time.sleep(0.1)');
    await supervised!.says('ready!');
    supervised!.kill('SIGTERM');
    await supervised!.says('rescheduled a');
    expect(await supervised!.code).toBe(0);
    const [, worker] = /worker (\d+)/.exec(supervised!.output)!;
    const [, flowRun] = /process (\d+)/.exec(supervised!.output)!;
    for (const pid of [worker, flowRun].map(Number)) {
      for (const end = Date.now() + 15_000; alive(pid) && Date.now() < end;) await sleep(20);
      expect([pid, alive(pid)]).toEqual([pid, false]);
    }
  });
});

test('runs of a worker that dies are rescheduled, and its exit code stays', async () => {
  new Supervised('begin("a"); begin("b"); end("a"); spawn("b"); os.kill(os.getpid(), 9)');
  expect(await supervised!.code).toBe(137);
  expect(supervised!.output).toMatch(/^rescheduled b$/m);
});

describe('scale-in protection', () => {
  const PUT = { method: 'PUT', path: '/api/1/task-protection/v1/state' };

  test('is on while runs are in flight and off a while after', async () => {
    const { environment } = await Agent.start();
    new Supervised('begin("a"); time.sleep(0.5); end("a"); time.sleep(0.3); begin("b"); time.sleep(0.5); print("done!", flush=True); end("b"); time.sleep(60)',
      { LINGER_SECONDS: 2 }, environment);
    await supervised!.says('done!');
    expect(agent!.requests).toHaveLength(1);
    await agent!.has(2);
    expect(agent!.requests).toEqual([
      { ...PUT, ProtectionEnabled: true, ExpiresInMinutes: 30 },
      { ...PUT, ProtectionEnabled: false },
    ]);
  });

  test('is never asked for by an idle worker', async () => {
    const { environment } = await Agent.start();
    new Supervised('time.sleep(1)', {}, environment);
    expect(await supervised!.code).toBe(0);
    expect(agent!.requests).toEqual([]);
  });

  test('is renewed for a worker that is always busy, after a pause in which ECS may stop it', async () => {
    const { environment } = await Agent.start();
    new Supervised('begin("a"); time.sleep(60)', { PROTECTION_MINUTES: 0.01, PAUSE_SECONDS: 0.4 }, environment);
    const start = Date.now();
    await agent!.has(2);
    expect(Date.now() - start).toBeGreaterThan(900);
    expect(agent!.requests.map(({ ProtectionEnabled }) => ProtectionEnabled)).toEqual([true, true]);
  });

  test.each([
    [400, { error: { Code: 'ThrottlingException', Message: 'Rate of protection exceeded' } }, 'ThrottlingException'],
    [200, { failure: { Arn: 'arn', Reason: 'DEPLOYMENT_BLOCKED' } }, 'DEPLOYMENT_BLOCKED'],
  ])('that ECS refuses with status %d is asked for again, with a warning', async (status, answer, reason) => {
    const { environment } = await Agent.start();
    Object.assign(agent!, { status, answer });
    new Supervised('begin("a"); time.sleep(60)', {}, environment);
    await agent!.has(2);
    await supervised!.says(new RegExp(`warning: ECS did not take .*${reason}`));
  });

  test('is a warning and nothing more where there is no ECS', async () => {
    new Supervised('begin("a"); time.sleep(0.3); end("a")');
    expect(await supervised!.code).toBe(0);
    expect(supervised!.output).toContain('warning: without ECS_AGENT_URI');
  });

  test('is a warning where ECS does not answer', async () => {
    new Supervised('begin("a"); time.sleep(0.6); end("a")', {}, { ECS_AGENT_URI: 'http://127.0.0.1:9/api' });
    expect(await supervised!.code).toBe(0);
    expect(supervised!.output).toMatch(/warning: ECS did not take .*refused/);
  });

  test.each(['HTTP_PROXY', 'http_proxy'])('is asked for directly, where %s names a proxy', async variable => {
    proxy = await startForwardProxy();
    const { environment } = await Agent.start();
    new Supervised('begin("a"); time.sleep(60)', {}, { ...environment, [variable]: proxy.url });
    await agent!.has(1);
    expect(agent!.requests).toEqual([{ ...PUT, ProtectionEnabled: true, ExpiresInMinutes: 30 }]);
    expect(proxy.asked).toEqual([]);
  });
});

test('with a Prefect that looks different inside, the worker works all the same, and each thing that it can\'t do is said once', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'another-prefect-'));
  try {
    for (const [file, text] of Object.entries({
      'prefect/__init__.py': '',
      'prefect/__main__.py': 'import sys; print("works:", *sys.argv)',
      'prefect/workers/__init__.py': '',
      'prefect/workers/process.py': 'class ProcessWorker: pass',
    })) {
      await mkdir(dirname(join(directory, file)), { recursive: true });
      await writeFile(join(directory, file), text);
    }
    const { stdout } = await promisify(execFile)(python, [SUPERVISOR, 'prefect', 'worker', 'start'], {
      env: { PATH: process.env.PATH, PYTHONPATH: directory, PYTHONDONTWRITEBYTECODE: '1' },
    });
    expect(stdout).toMatch(/^works: .*__main__\.py worker start --name ProcessWorker/m);
    expect(stdout.match(/warning: with this version of Prefect, [^:]+/g)).toEqual([
      'warning: with this version of Prefect, a worker that is to stop goes on taking flow runs',
      'warning: with this version of Prefect, nobody knows what is in flight, and only the reconciler has interrupted flow runs started again',
      'warning: with this version of Prefect, a flow run that was ended for its memory does not say so',
      'warning: with this version of Prefect, flow runs can\'t clean up when they are interrupted',
    ]);
  } finally {
    await rm(directory, { recursive: true });
  }
});
