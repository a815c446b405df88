import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { idleCore } from '../../pace';
import { StandIn } from '../../stand-in/stand-in';

export const REPOSITORY = join(__dirname, '..', '..', '..');

export class CommandFailed extends Error {
  constructor(command: string, code: number | null, public readonly output: string) {
    super(`${command} ended with exit code ${code}:\n${output.split('\n').slice(-40).join('\n')}`);
  }
}

/** Runs a command, passes on each line it prints, and gives all of its output. */
export async function run(command: string, args: string[], options: {
  environment?: Record<string, string>;
  cwd?: string;
  onProgress?: (line: string) => void;
} = {}): Promise<string> {
  const child = spawn(command, args, {
    cwd: options.cwd ?? REPOSITORY,
    env: { ...process.env, ...options.environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk;
      chunk.split('\n').filter(line => line.trim()).forEach(line => options.onProgress?.(line));
    });
  }
  const code = await new Promise<number | null>((resolve, reject) => child.on('close', resolve).on('error', reject));
  if (code !== 0) throw new CommandFailed([command, ...args].join(' '), code, output);
  return output;
}

/** The real CDK command line against the stand-in. */
export async function cdk(
  standIn: StandIn, args: string[], options: { environment?: Record<string, string>; onProgress?: (line: string) => void } = {},
): Promise<string> {
  await idleCore();
  return run(join(REPOSITORY, 'node_modules', '.bin', 'cdk'), args, {
    environment: { ...standIn.environment, ...options.environment },
    onProgress: options.onProgress,
  });
}

export interface Deployment {
  /** TypeScript file of the app, from the root of the repository. */
  readonly app: string;
  readonly output: string;
  readonly environment: Record<string, string>;
  readonly onProgress?: (line: string) => void;
}

export function deploy(standIn: StandIn, { app, output, environment, onProgress }: Deployment): Promise<string> {
  return cdk(standIn, ['deploy', '--all', '--require-approval', 'never', '--progress', 'events', '--output', output, '--app', `node --import tsx ${app}`],
    { environment, onProgress });
}

export function destroy(standIn: StandIn, { app, output, environment, onProgress }: Deployment): Promise<string> {
  return cdk(standIn, ['destroy', '--all', '--force', '--output', output, '--app', `node --import tsx ${app}`], { environment, onProgress });
}
