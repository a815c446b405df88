import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, rename } from 'node:fs/promises';
import { basename, join } from 'node:path';

const REPOSITORY = join(__dirname, '..', '..');

/** A program of the tests in Go, built with its locked modules on first use (one to two minutes) and kept in `.cache`. */
export async function goProgram(source: string, onProgress: (line: string) => void = () => {}): Promise<string> {
  const name = basename(source);
  const key = createHash('sha256');
  for (const file of readdirSync(source).sort()) key.update(readFileSync(join(source, file)));
  const directory = join(REPOSITORY, '.cache', name, key.digest('hex').slice(0, 16));
  const program = join(directory, name);
  if (existsSync(program)) return program;
  onProgress(`building ${name}, once (one to two minutes)`);
  await mkdir(directory, { recursive: true });
  const built = `${program}.${process.pid}`;
  await go(['build', '-trimpath', '-buildvcs=false', '-mod=readonly', '-ldflags=-s -w', '-o', built, '.'], source);
  await rename(built, program);
  return program;
}

function go(args: string[], cwd: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn('go', args, { cwd, stdio: ['ignore', 'ignore', 'pipe'] });
    let errors = '';
    child.stderr.on('data', (chunk: Buffer) => errors += chunk);
    child.on('error', () => reject(new Error(`The test builds ${basename(cwd)} with Go 1.26 or later, and there is no program go on the PATH.`)));
    child.on('close', code => code === 0 ? resolve() : reject(new Error(`go ${args.join(' ')} ended with ${code}:\n${errors}`)));
  });
}
