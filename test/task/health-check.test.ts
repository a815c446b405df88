import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { createServer, IncomingHttpHeaders, Server } from 'node:http';
import { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pythonEnvironment } from '../python/environment';
import { startForwardProxy } from '../support/forward-proxy';
import { container, templateOf } from '../support/worker';

jest.setTimeout(30_000);

/** Answers every request with a status; with nothing at all, as a process that hangs, for 0. */
class Answering {
  public readonly requests: string[] = [];
  public headers: IncomingHttpHeaders = {};
  public status = 200;
  public port = 0;
  private readonly server: Server = createServer(({ url, headers }, response) => {
    this.requests.push(url!);
    this.headers = headers;
    if (this.status > 0) response.writeHead(this.status).end('{}');
  });

  /** Each time on the same port. */
  public async start(): Promise<void> {
    await new Promise<void>(resolve => this.server.listen(this.port, '127.0.0.1', resolve));
    this.port = (this.server.address() as AddressInfo).port;
  }

  public stop(): Promise<void> {
    this.server.closeAllConnections();
    return new Promise(resolve => this.server.close(() => resolve()));
  }
}

const [, ...command]: string[] = container(templateOf()).HealthCheck.Command;
let bin: string;
let directory: string;
let worker: Answering;
let api: Answering;

beforeAll(async () => { ({ bin } = await pythonEnvironment()); }, 300_000);
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'health-'));
  [worker, api] = [new Answering(), new Answering()];
  await Promise.all([worker.start(), api.start()]);
});
afterEach(async () => {
  await Promise.all([worker.stop(), api.stop(), rm(directory, { recursive: true })]);
});

/** Not the default of 10. */
const INTERVAL_SECONDS = 60;

/** Lets time pass for what the check remembers, so that it doesn't matter how long the check itself takes. */
async function pass(intervals: number): Promise<void> {
  const seconds = intervals * INTERVAL_SECONDS;
  const memory = join(directory, 'prefect-worker-not-polling');
  const [since, { mtimeMs }] = [Number(await readFile(memory, 'utf8')), await stat(memory)];
  await writeFile(memory, `${since - seconds}`);
  await utimes(memory, mtimeMs / 1000 - seconds, mtimeMs / 1000 - seconds);
}

/** Whether the check of the task definition finds the container healthy. Its pause is 15, its patience 180 intervals. */
function healthy(environment: Record<string, string> = {}): Promise<boolean> {
  const child = spawn(command[0], command.slice(1), {
    env: {
      PATH: bin,
      TMPDIR: directory,
      PREFECT_API_URL: `http://127.0.0.1:${api.port}/api`,
      PREFECT_WORKER_WEBSERVER_PORT: `${worker.port}`,
      PREFECT_WORKER_QUERY_SECONDS: `${INTERVAL_SECONDS}`,
      ...environment,
    },
  });
  return new Promise((resolve, reject) => child.on('error', reject).on('close', code => resolve(code === 0)));
}

describe('the container', () => {
  test('is healthy while the worker polls, and nobody asks the API', async () => {
    expect(await healthy()).toBe(true);
    expect(worker.requests).toEqual(['/health']);
    expect(api.requests).toEqual([]);
  });

  test('is not when the worker\'s process hangs', async () => {
    worker.status = 0;
    expect(await healthy()).toBe(false);
  });

  test('is not when there is no worker, wherever the API is', async () => {
    await worker.stop();
    await api.stop();
    expect(await healthy()).toBe(false);
  });
});

describe('a worker that does not poll', () => {
  beforeEach(() => { worker.status = 503; });

  test.each([200, 401, 404])('has a pause to do so while the API answers, if only with %d, and is unhealthy then', async status => {
    api.status = status;
    expect(await healthy()).toBe(true);
    await pass(16);
    expect(await healthy()).toBe(false);
    expect(api.requests).toEqual(['/api/health']);
  });

  test.each([
    [{ PREFECT_API_KEY: 'pnu_1' }, { authorization: 'Bearer pnu_1' }],
    [{ PREFECT_API_AUTH_STRING: 'admin:pass', PREFECT_CLIENT_CUSTOM_HEADERS: '{"X-Proxy": "key"}' }, { 'authorization': 'Basic YWRtaW46cGFzcw==', 'x-proxy': 'key' }],
  ])('asks the API with the worker\'s credentials, which a proxy may want to see: %j', async (credentials, headers) => {
    await healthy(credentials);
    await healthy(credentials);
    expect(api.headers).toMatchObject(headers);
  });

  test.each([
    ['can\'t be reached', () => api.stop()],
    ['answers with a gateway\'s error', async () => { api.status = 504; }],
    ['is in maintenance', async () => { api.status = 503; }],
  ])('is healthy while the API %s, for as long as patience lasts', async (_, fault) => {
    await fault();
    expect(await healthy()).toBe(true);
    await pass(100);
    expect(await healthy()).toBe(true);
    await pass(81);
    expect(await healthy()).toBe(false);
  });

  test('has its pause again when the API is back, and is unhealthy then', async () => {
    await api.stop();
    expect(await healthy()).toBe(true);
    await pass(16);
    expect(await healthy()).toBe(true);
    await api.start();
    expect(await healthy()).toBe(true);
    await pass(16);
    expect(await healthy()).toBe(false);
  });

  test('starts anew after it has polled in between', async () => {
    expect(await healthy()).toBe(true);
    worker.status = 200;
    await pass(16);
    expect(await healthy()).toBe(true);
    worker.status = 503;
    expect(await healthy()).toBe(true);
  });
});

describe.each(['HTTP_PROXY', 'http_proxy'])('behind a proxy, which %s names', variable => {
  test('the container is healthy while the worker polls, and the proxy is asked nothing', async () => {
    const proxy = await startForwardProxy();
    try {
      expect(await healthy({ [variable]: proxy.url })).toBe(true);
      expect(worker.requests).toEqual(['/health']);
      expect(proxy.asked).toEqual([]);
    } finally {
      await proxy.stop();
    }
  });
});

test('a worker that does not poll behind a proxy asks the API over the proxy, as the worker itself does', async () => {
  const proxy = await startForwardProxy({ 'prefect.internal': api.port });
  try {
    worker.status = 503;
    const environment = { HTTP_PROXY: proxy.url, PREFECT_API_URL: 'http://prefect.internal:4200/api' };
    expect(await healthy(environment)).toBe(true);
    await pass(16);
    expect(await healthy(environment)).toBe(false);
    expect(proxy.asked).toEqual(['GET prefect.internal:4200/api/health']);
  } finally {
    await proxy.stop();
  }
});
