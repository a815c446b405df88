import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { pythonEnvironment } from '../python/environment';

/** The programs that run in containers, which the images' own Python and Prefect take as text. */
const PROGRAMS = ['flow_run.py', 'hand_back.py', 'health_check.py', 'launcher.py', 'memory_watch.py', 'protection.py', 'rescheduling.py', 'supervision.py',
  'supervisor.py', 'task_metadata.py', 'worker_process.py'].map(file => `src/task/${file}`);
/** Those of a server, whose image has prefect-redis too. */
const SERVER_PROGRAMS = ['health_check.py', 'launcher.py', 'services_health.py'].map(file => `src/server/${file}`);

jest.setTimeout(600_000);

/** What a checker says that finds something. */
async function check(program: string, ...args: string[]): Promise<string> {
  const { bin } = await pythonEnvironment(undefined, 'lint');
  return promisify(execFile)(join(bin, program), args).then(() => '', ({ stdout, stderr }) => `${stdout}${stderr}`);
}

test.each([...PROGRAMS, ...SERVER_PROGRAMS])('%s is typed, with the types of the Prefect that it calls', async file => {
  const { python } = await pythonEnvironment(undefined, SERVER_PROGRAMS.includes(file) ? 'server' : undefined);
  expect(await check('mypy', '--strict', '--no-error-summary', '--cache-dir', '.cache/mypy', '--python-executable', python, file)).toBe('');
});

test('they have nothing that a linter complains of, and nothing that Python 3.9 does not know', async () => {
  // E402: imports come after what makes them safe. B010: an attribute of a class is set where mypy would not let it be.
  expect(await check('ruff', 'check', '--isolated', '--no-cache', '--quiet', '--target-version', 'py39',
    '--select', 'E,F,W,I,B,UP,SIM', '--ignore', 'E402,E501,B010,SIM117', ...PROGRAMS, ...SERVER_PROGRAMS)).toBe('');
});
