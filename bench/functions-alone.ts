import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { buildSync } from 'esbuild';
import type { ResourceUse, Task } from './function-alone';
import { CLUSTER } from '../test/support/reconciler-aws';
import { ReconcilerWorld } from '../test/support/reconciler-world';
import { publisherOf, Situation } from '../test/support/request-situations';

/** MiB that a function has in AWS Lambda, and what is left of them to its objects. */
export const MEMORY = 256;
const HEAP = 230;
/** One after the other, in one process; the first remembers nothing. */
const MINUTES = 5;
const PROGRAM = join(__dirname, '..', '.cache', 'bench', 'function-alone.js');

/** What a poll of the demand publisher and a look of the reconciler take. */
export interface FunctionsUse {
  readonly poll: ResourceUse;
  readonly look: ResourceUse;
}

export function buildFunctions(): void {
  buildSync({ entryPoints: [join(__dirname, 'function-alone.ts')], outfile: PROGRAM, bundle: true, platform: 'node', external: ['@aws-sdk/*'] });
}

/** Both functions in the situation that the world is in, each in a process with as much memory as it has in AWS Lambda. */
export async function functionsAlone({ type }: Situation, world: ReconcilerWorld): Promise<FunctionsUse> {
  const run = async (task: Partial<Task>): Promise<ResourceUse> => {
    const input = { url: `${world.origin}/api`, minutes: MINUTES, ...task };
    const { stdout } = await promisify(execFile)(process.execPath, [`--max-old-space-size=${HEAP}`, PROGRAM, JSON.stringify(input)], { env: process.env });
    // Above it is what a function logs.
    return JSON.parse(stdout.slice(stdout.lastIndexOf('\n') + 1));
  };
  return {
    poll: await run({ poll: publisherOf(world, type) }),
    look: await run({ look: { workPool: world.pool, worker: 'Worker', type, interruptedRuns: world.interruptedRuns, cluster: CLUSTER, service: 'workers' } }),
  };
}
