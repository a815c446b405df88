import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { appendFile, mkdir, open, rename, rm, stat, utimes } from 'node:fs/promises';
import * as path from 'node:path';

const REPOSITORY = path.resolve(__dirname, '..', '..');
const CANDIDATES = ['python3', 'python3.13', 'python3.12', 'python3.11', 'python'];
const OLDEST_MINOR = 11;
/** Programs that find their interpreter beside them: a checkout may be moved, or share the environments of another one. */
const LAYOUT = 'relocatable = true';
/** Whoever builds the environment shows signs of life this often; without any for longer, it has died. */
const LIFE_SIGN_MS = 2_000;
const DEAD_AFTER_MS = 30_000;

export interface PythonEnvironment {
  /** Directory with python, prefect, cfn-lint. */
  readonly bin: string;
  readonly python: string;
}

/**
 * The Python environments of the tests by their locks: of everything; of checkov, which wants older versions of the same
 * packages; of the checks of Python programs; of an image that a user made for traced flow runs; of the lowest Prefect that is
 * supported, in images and as a server; of what a server's image holds, with a Redis.
 */
export type PythonLock = 'requirements' | 'checkov' | 'lint' | 'traced-image' | 'lowest-images' | 'lowest-server' | 'server';

/**
 * A Python environment, installed by hash on first use and kept in `.cache/python`.
 * Processes that ask at the same time wait for the one that builds it.
 */
export async function pythonEnvironment(onProgress: (line: string) => void = () => {}, name: PythonLock = 'requirements'): Promise<PythonEnvironment> {
  const { command, version } = await newestPython();
  const lock = path.join(__dirname, `${name}.lock`);
  const key = createHash('sha256').update(readFileSync(lock)).update(version).update(LAYOUT).digest('hex').slice(0, 16);
  const directory = path.join(REPOSITORY, '.cache', 'python', key);
  const environment = { bin: path.join(directory, 'bin'), python: path.join(directory, 'bin', 'python') };
  const ready = path.join(directory, '.ready');
  if (existsSync(ready)) {
    return environment;
  }
  await mkdir(path.dirname(directory), { recursive: true });
  await alone(`${directory}.lock`, onProgress, async () => {
    if (!existsSync(ready)) {
      await build(command, directory, lock, onProgress);
      writeFileSync(ready, '');
    }
  });
  return environment;
}

async function newestPython(): Promise<{ command: string; version: string }> {
  const seen: string[] = [];
  for (const command of CANDIDATES) {
    const version = await output(command, ['-c', 'import platform; print(platform.python_version())']);
    if (version === undefined) {
      continue;
    }
    const [major, minor] = version.split('.').map(Number);
    if (major === 3 && minor >= OLDEST_MINOR) {
      return { command, version };
    }
    seen.push(`${command} is ${version}`);
  }
  throw new Error(
    `The tests need Python 3.${OLDEST_MINOR} or later on the PATH (${seen.join(', ') || 'there is none'}). ` +
    'Install one, for example with `brew install python@3.12`, `apt install python3.12 python3.12-venv` or pyenv.',
  );
}

async function build(command: string, directory: string, lock: string, onProgress: (line: string) => void): Promise<void> {
  onProgress('installing the Python environment of the tests, once (about a minute)');
  await rm(directory, { recursive: true, force: true });
  await run(command, ['-m', 'venv', directory]);
  const pip = path.join(directory, 'bin', 'python');
  await appendFile(path.join(directory, 'pyvenv.cfg'), `${LAYOUT}\n`);
  const uv = await installUv(pip, directory, lock);
  if (uv === undefined) {
    await run(pip, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--require-hashes', '-r', lock]);
  } else {
    await run(uv, ['pip', 'install', '--quiet', '--python', pip, '--require-hashes', '-r', lock]);
  }
  onProgress('the Python environment is ready');
}

/** uv installs several times faster than pip. Its own hashes are in the lock as well. */
async function installUv(pip: string, directory: string, lock: string): Promise<string | undefined> {
  const lines = readFileSync(lock, 'utf8').split('\n');
  const start = lines.findIndex((line) => /^uv==/.test(line));
  if (start < 0) {
    return undefined;
  }
  const end = lines.findIndex((line, index) => index > start && !line.startsWith('    '));
  const only = path.join(directory, 'uv.lock');
  writeFileSync(only, lines.slice(start, end < 0 ? undefined : end).join('\n') + '\n');
  await run(pip, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--require-hashes', '-r', only]);
  return path.join(directory, 'bin', 'uv');
}

/** Does what only one process may do at a time. */
export async function alone(lock: string, onProgress: (line: string) => void, work: () => Promise<void>): Promise<void> {
  for (let told = false; !(await taken(lock)); told = true) {
    if (!told) {
      onProgress('waiting for another process that does the same');
    }
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  const alive = setInterval(() => void utimes(lock, new Date(), new Date()).catch(() => {}), LIFE_SIGN_MS);
  try {
    await work();
  } finally {
    clearInterval(alive);
    await rm(lock, { force: true });
  }
}

async function taken(lock: string): Promise<boolean> {
  try {
    await (await open(lock, 'wx')).close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
      throw error;
    }
  }
  const known = await stat(lock).catch(() => undefined);
  if (known !== undefined && Date.now() - known.mtimeMs > DEAD_AFTER_MS) {
    // Renaming succeeds for one only of those who find the dead lock.
    const grave = `${lock}.${process.pid}`;
    await rename(lock, grave).then(() => rm(grave, { force: true })).catch(() => {});
  }
  return false;
}

async function output(command: string, args: string[]): Promise<string | undefined> {
  return run(command, args).catch(() => undefined);
}

function run(command: string, args: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let out = '';
    let err = '';
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
    child.on('error', reject);
    child.on('close', (code) => (code === 0 ? resolve(out.trim()) : reject(new Error(`${command} ${args.join(' ')} ended with ${code}:\n${err || out}`))));
  });
}
