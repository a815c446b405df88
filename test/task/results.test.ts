import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pythonEnvironment } from '../python/environment';

/** What becomes of the worker's results in an image, by whether that has prefect-aws: the programs run in a real Python of either kind. */
const [FLOW_RUN, SUPERVISOR] = ['flow_run.py', 'supervisor.py'].map(file => readFileSync(join('assets', 'task', file), 'utf8'));
const OURS = { PREFECT_RESULTS_PERSIST_BY_DEFAULT: 'true', PREFECT_RESULTS_DEFAULT_STORAGE_BLOCK: 's3-bucket/results-of-stack-worker-1' };
const WARNING = 'warning: this image has no prefect-aws, so results are not kept, and flow runs that start again repeat all of their tasks';

let images: Record<'with' | 'without', string>;
let commands: string;

jest.setTimeout(60_000);

beforeAll(async () => {
  images = { with: (await pythonEnvironment()).bin, without: (await pythonEnvironment(undefined, 'server')).bin };
  commands = mkdtempSync(join(tmpdir(), 'commands-'));
  // In the place of the command that executes a flow run: it says what settings it is given.
  writeFileSync(join(commands, 'prefect'), '#!/bin/sh\nenv | grep ^PREFECT_RESULTS || true\n');
  chmodSync(join(commands, 'prefect'), 0o755);
  // And so does each process of a worker, when it ends.
  writeFileSync(join(commands, 'sitecustomize.py'), 'import atexit, os\natexit.register(lambda: print(*(f"{k}={v}" for k, v in os.environ.items() if k.startswith("PREFECT_RESULTS")), sep="\\n"))\n');
}, 300_000);
afterAll(() => rmSync(commands, { recursive: true, force: true }));

function run(image: keyof typeof images, args: string[], environment: Record<string, string>, path = ''): string {
  return execFileSync(join(images[image], 'python'), ['-c', ...args], {
    env: { PATH: `${path}:${images[image]}:${process.env.PATH}`, PREFECT_HOME: commands, ...environment }, encoding: 'utf8',
  });
}

describe.each([
  ['a flow run', (image: keyof typeof images, environment: Record<string, string>) => run(image, [FLOW_RUN], environment, commands)],
  ['a PROCESS worker', (image: keyof typeof images, environment: Record<string, string>) => run(image, [SUPERVISOR, 'prefect', 'worker', 'start', '--help'], { ...environment, PYTHONPATH: commands })],
])('%s', (_, settings) => {
  test('keeps results where its image has prefect-aws', () => {
    const said = settings('with', OURS);
    expect(said).toMatch(/PREFECT_RESULTS_DEFAULT_STORAGE_BLOCK=s3-bucket\/results-of-stack-worker-1/);
    expect(said).not.toContain('no prefect-aws');
  });

  test('goes on without results where it has none, and says so', () => {
    const said = settings('without', OURS);
    expect(said).toContain(WARNING);
    expect(said).not.toMatch(/^PREFECT_RESULTS/m);
  });

  test('is left with what a user has set, whatever the image has', () => {
    const said = settings('without', { PREFECT_RESULTS_DEFAULT_STORAGE_BLOCK: 's3-bucket/mine' });
    expect(said).toMatch(/PREFECT_RESULTS_DEFAULT_STORAGE_BLOCK=s3-bucket\/mine/);
    expect(said).not.toContain('no prefect-aws');
  });
});
