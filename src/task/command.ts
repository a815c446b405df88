import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Tokenization } from 'aws-cdk-lib';
import { WorkerType } from '../worker-type';

const SUPERVISOR = join(__dirname, '..', '..', 'assets', 'task', 'supervisor.py');

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
  return options.workerType === WorkerType.PROCESS
    ? ['python', '-c', readFileSync(SUPERVISOR, 'utf8'), ...prefectCommand(options)]
    : prefectCommand(options);
}

function prefectCommand(options: CommandOptions): string[] {
  return [
    'prefect', 'worker', 'start',
    '--pool', options.workPoolName,
    '--type', options.workerType,
    ...(options.workQueues ?? []).flatMap(queue => ['--work-queue', queue]),
    ...(options.flowRunLimit === undefined ? [] : ['--limit', Tokenization.stringifyNumber(options.flowRunLimit)]),
    '--with-healthcheck',
    // The image is complete, and the pool is made by the deployment: a worker that improvises either hides a fault.
    '--install-policy', 'never',
    '--no-create-pool-if-not-found',
  ];
}

/**
 * Asks the worker's own health server. Python, because the official images have no curl.
 * urlopen() fails for the 503 that the server answers when the worker no longer polls.
 */
export const HEALTH_CHECK = [
  'CMD', 'python', '-c',
  'import os, urllib.request as r; r.urlopen("http://127.0.0.1:" + os.environ["PREFECT_WORKER_WEBSERVER_PORT"] + "/health", timeout=4)',
];
