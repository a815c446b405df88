import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Tokenization } from 'aws-cdk-lib';
import { WorkerType } from '../worker-type';

/** What runs in the container, as text: the image is Prefect's, unchanged. */
const program = (file: string) => readFileSync(join(__dirname, '..', '..', 'assets', 'task', file), 'utf8');

export interface CommandOptions {
  readonly workPoolName: string;
  readonly workerType: WorkerType;
  readonly workQueues?: readonly string[];
  readonly flowRunLimit?: number;
}

/**
 * The command line of the worker as a list of arguments, which no shell takes apart. A PROCESS worker's flow runs end
 * with its container, so a supervisor stands between the two.
 *
 * @see https://docs.prefect.io/v3/api-ref/cli/worker
 */
export function workerCommand(options: CommandOptions): string[] {
  const supervisor = options.workerType === WorkerType.PROCESS ? ['python', '-c', program('supervisor.py')] : [];
  return ['python', '-c', program('launcher.py'), ...supervisor, ...prefectCommand(options)];
}

function prefectCommand(options: CommandOptions): string[] {
  return [
    'prefect', 'worker', 'start',
    '--pool', options.workPoolName,
    '--type', options.workerType,
    ...(options.workQueues ?? []).flatMap(queue => ['--work-queue', queue]),
    ...(options.flowRunLimit === undefined ? [] : ['--limit', Tokenization.stringifyNumber(options.flowRunLimit)]),
    '--with-healthcheck',
    // The image is complete, and the deployment creates the pool: a worker that improvises either hides a fault.
    '--install-policy', 'never',
    '--no-create-pool-if-not-found',
  ];
}

const PROGRAM = 'FLOW_RUN_PROGRAM';

/**
 * What an ECS worker's flow run runs: Prefect's own command, in a program that hands an interrupted flow run back in the right
 * order. It comes in the task definition's environment, as it would take up too much of the 8,192 characters that Amazon ECS
 * allows for overrides, the command among them. A deployment that brings a task definition of its own has the command without
 * the program: then it is Prefect's own one.
 */
export const FLOW_RUN = {
  command: ['python', '-c',
    `import os; p = os.environ.get("${PROGRAM}"); exec(p) if p else os.execlp("prefect", "prefect", "flow-run", "execute")`],
  environment: { [PROGRAM]: program('flow_run.py') },
};

/** Python, because the official images have no curl. */
export const HEALTH_CHECK = ['CMD', 'python', '-c', program('health_check.py')];
