import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { pythonEnvironment } from '../python/environment';

const ROOT = join(__dirname, '..', '..');
const WORKFLOWS = join(ROOT, '.github', 'workflows');
const ACTIONLINT = 'v1.7.12';

/** What a program says, and whether it was content. */
async function outcome(command: string, args: readonly string[], env: Record<string, string> = {}): Promise<{ code: number; output: string }> {
  return promisify(execFile)(command, args, { cwd: ROOT, env: { ...process.env, ...env } })
    .then(({ stdout, stderr }) => ({ code: 0, output: stdout + stderr }), error => ({ code: error.code ?? 1, output: `${error.stdout}${error.stderr}` }));
}

async function actionlint(): Promise<string> {
  const folder = join(ROOT, '.cache', 'go', ACTIONLINT);
  const program = join(folder, 'actionlint');
  if (!existsSync(program)) {
    // Works where the checksum database isn't reachable; the version is fixed all the same.
    const { code, output } = await outcome('go', ['install', `github.com/rhysd/actionlint/cmd/actionlint@${ACTIONLINT}`], { GOBIN: folder, GOSUMDB: process.env.GOSUMDB ?? 'off' });
    if (code !== 0) throw new Error(`actionlint could not be built; is Go on the PATH? ${output}`);
  }
  return program;
}

describe('the workflows', () => {
  test('are valid by actionlint', async () => {
    expect(await outcome(await actionlint(), [])).toEqual({ code: 0, output: '' });
  }, 300_000);

  test('are safe by zizmor', async () => {
    const { bin } = await pythonEnvironment();
    const { code, output } = await outcome(join(bin, 'zizmor'), ['--offline', '--no-progress', '--strict-collection', '.github']);
    expect({ code, output: code === 0 ? '' : output }).toEqual({ code: 0, output: '' });
  }, 300_000);

  test('give each job only the rights that it names', () => {
    for (const name of readdirSync(WORKFLOWS)) {
      const jobs = readFileSync(join(WORKFLOWS, name), 'utf8').split(/^jobs:$/m)[1].split(/^ {2}(?=\S+:$)/m).slice(1);
      for (const job of jobs) expect(job).toMatch(/^ {4}permissions:/m);
    }
  });
});
