import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WorkerType } from '../../src';
import { LOWEST_PREFECT } from '../../src/private/versions';
import { workerCommand } from '../../src/task/command';
import { pythonEnvironment } from '../python/environment';

/** The launcher before a program that says what it was given, in an image that has certain versions. */
const LAUNCHER = readFileSync('src/task/launcher.py', 'utf8');
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
