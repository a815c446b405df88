import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { REPOSITORY } from './cdk';
import { pythonEnvironment } from '../../python/environment';
import { StandInOptions } from '../../stand-in/stand-in';

const SOURCE = join(REPOSITORY, 'test', 'collector');

/** The image of flows that the tests trace: the official one with prefect-otel. */
export const TRACED_IMAGE = 'traced-flows:1.0.0';

/** What the images of traced tasks hold. */
export async function tracedImages(collectorImage: string, onProgress?: (line: string) => void): Promise<StandInOptions['images']> {
  const [collector, { bin }] = await Promise.all([collectorProgram(onProgress), pythonEnvironment(onProgress, 'traced-image')]);
  return {
    [collectorImage]: { entryPoint: [collector], programs: { '/healthcheck': [collector, 'healthcheck'] }, ports: [4318, 13133] },
    [TRACED_IMAGE]: { path: [bin] },
  };
}

/** The upstream collector, built with the locked modules on first use (one to two minutes) and kept in `.cache/collector`. */
async function collectorProgram(onProgress: (line: string) => void = () => {}): Promise<string> {
  const key = createHash('sha256');
  for (const file of ['main.go', 'go.mod', 'go.sum']) key.update(readFileSync(join(SOURCE, file)));
  const directory = join(REPOSITORY, '.cache', 'collector', key.digest('hex').slice(0, 16));
  const program = join(directory, 'collector');
  if (existsSync(program)) return program;
  onProgress('building the OpenTelemetry collector, once (one to two minutes)');
  await mkdir(directory, { recursive: true });
  const built = `${program}.${process.pid}`;
  await go(['build', '-trimpath', '-buildvcs=false', '-mod=readonly', '-ldflags=-s -w', '-o', built, '.']);
  await rename(built, program);
  return program;
}

function go(args: string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn('go', args, { cwd: SOURCE, stdio: ['ignore', 'ignore', 'pipe'] });
    let errors = '';
    child.stderr.on('data', (chunk: Buffer) => errors += chunk);
    child.on('error', () => reject(new Error('The test of traces builds a collector with Go 1.26 or later, and there is no program go on the PATH.')));
    child.on('close', code => code === 0 ? resolve() : reject(new Error(`go ${args.join(' ')} ended with ${code}:\n${errors}`)));
  });
}
