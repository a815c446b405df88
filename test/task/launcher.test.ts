import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, Server } from 'node:http';
import { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { WorkerType } from '../../src';
import { LOWEST_PREFECT } from '../../src/private/versions';
import { workerCommand } from '../../src/task/command';
import { pythonEnvironment } from '../python/environment';
import { ForwardProxy, startForwardProxy } from '../support/forward-proxy';

/** The launcher before a program that says what it was given, in an image that has certain versions. */
const LAUNCHER = readFileSync('assets/task/launcher.py', 'utf8');
const ECHO = ['python', '-c', 'import sys; print("\\n".join(sys.argv[1:]))'];
const { ECS, PROCESS } = WorkerType;

let bin: string;
let image: string;

beforeAll(async () => ({ bin } = await pythonEnvironment()), 300_000);
beforeEach(() => { image = mkdtempSync(join(tmpdir(), 'image-')); });
afterEach(() => rmSync(image, { recursive: true, force: true }));

function install(name: string, version: string): void {
  const directory = join(image, `${name.replace('-', '_')}-${version}.dist-info`);
  mkdirSync(directory);
  writeFileSync(join(directory, 'METADATA'), `Metadata-Version: 2.1\nName: ${name}\nVersion: ${version}\n`);
}

/** What the launcher says, and the arguments that the program after it is given. */
function launch(workerType: WorkerType, environment: Record<string, string> = {}) {
  const command = workerCommand({ workPoolName: 'etl', workerType });
  const given = command.slice(command.indexOf('prefect'));
  const said = execFileSync(join(bin, 'python'), ['-c', LAUNCHER, ...ECHO, ...given], {
    env: { PATH: `${bin}:${process.env.PATH}`, PYTHONPATH: image, ...environment }, encoding: 'utf8',
  }).trim().split('\n');
  return { given, warning: said.filter(line => line.startsWith('launcher: ')).join('\n'), args: said.filter(line => !line.startsWith('launcher: ')) };
}

test.each([ECS, PROCESS])('today\'s Prefect is given the whole command line of a worker of the type %s, and nothing is said', type => {
  const { given, args, warning } = launch(type);
  expect(args).toEqual(given);
  expect(given).toContain('--no-create-pool-if-not-found');
  expect(warning).toBe('');
});

test.each([['3.4.25', false], ['3.6.22', false], ['3.6.23', true], ['3.6.23.dev1', true], ['3.10.0', true], ['4.0.0rc1', true]])(
  'Prefect %s is told not to make the pool: %s', (version, told) => {
    install('prefect', version);
    const { given, args } = launch(ECS);
    expect(args).toEqual(given.filter(arg => told || arg !== '--no-create-pool-if-not-found'));
  });

test('what an old one can not do is said in one line, of which each part is true for the worker\'s type', () => {
  install('prefect', '3.4.25');
  install('prefect-aws', '0.6.0');
  expect(launch(ECS).warning).toMatch(/^launcher: warning: this image has Prefect 3\.4\.25: before prefect 3\.6\.23, [^;]*pool[^;]*; before prefect-aws 0\.7\.11, [^;]*\. Use a newer image\.$/);
  expect(launch(PROCESS).warning).toMatch(/^launcher: warning: this image has Prefect 3\.4\.25: before prefect 3\.6\.23, [^;]*; before prefect 3\.6\.29, [^;]*; before prefect 3\.8\.1, [^;]*\. Use a newer image\.$/);
});

test('that flow runs will crash where the server has an auth string is said there', () => {
  install('prefect', '3.6.13');
  expect(launch(PROCESS, { PREFECT_API_AUTH_STRING: 'admin:pass' }).warning).toContain('before prefect 3.6.14, a server with an auth string');
  expect(launch(PROCESS).warning).not.toContain('3.6.14');
});

test('one that is older than what is supported is said to be untried', () => {
  install('prefect', '3.4.24');
  expect(launch(ECS).warning).toContain(`before prefect ${LOWEST_PREFECT.workerImage}, nobody has tried`);
});

describe('in a task of Amazon ECS', () => {
  const TASK = { TaskARN: 'arn:aws:ecs:us-east-1:123456789012:task/data/abc' };
  let metadata: Server;
  let proxy: ForwardProxy;
  let answer: string;

  beforeAll(async () => {
    proxy = await startForwardProxy();
    metadata = createServer(({ url }, response) => response.end(url === '/v4/worker/task' ? answer : '{}'));
    await new Promise<void>(resolve => metadata.listen(0, '127.0.0.1', resolve));
  });
  afterAll(async () => {
    metadata.closeAllConnections();
    await new Promise(resolve => metadata.close(resolve));
    await proxy.stop();
  });

  const said = async (environment: Record<string, string> = {}) => (await promisify(execFile)(join(bin, 'python'), ['-c', LAUNCHER, ...ECHO, 'prefect', '--type', 'ecs'], {
    env: { PATH: process.env.PATH, ECS_CONTAINER_METADATA_URI_V4: `http://127.0.0.1:${(metadata.address() as AddressInfo).port}/v4/worker`, ...environment },
  })).stdout.trim().split('\n');

  test.each(['HTTP_PROXY', 'http_proxy'])('a worker is named by its task, which no proxy of %s is asked for', async variable => {
    answer = JSON.stringify(TASK);
    expect(await said({ [variable]: proxy.url })).toEqual(['prefect', '--type', 'ecs', '--name', 'us-east-1:data:abc']);
    expect(proxy.asked).toEqual([]);
  });

  test('of which nothing is known starts all the same, and says so', async () => {
    answer = 'nonsense';
    const [warning, ...args] = await said();
    expect(warning).toMatch(/^launcher: warning: the worker's task is not known/);
    expect(args).toEqual(['prefect', '--type', 'ecs']);
  });
});
