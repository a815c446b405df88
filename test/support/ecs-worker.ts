import { ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { BaseJobTemplate } from '../../src/work-pool/base-job-template';
import { pythonEnvironment } from '../python/environment';

/** What Amazon ECS is asked for a flow run; or why the worker, or ECS, would refuse. */
export type EcsRequests =
  | { readonly taskDefinition: Record<string, any>; readonly runTask: Record<string, any>; readonly error?: undefined }
  | { readonly taskDefinition?: undefined; readonly runTask?: undefined; readonly error: string };

export interface FlowRunCase {
  readonly template: BaseJobTemplate;
  /** The deployment's own job variables. */
  readonly jobVariables?: Record<string, unknown>;
}

/** The worker's processes by their environments: to load Prefect takes longer than all that one is asked. */
const workers = new Map<string, Promise<Worker>>();

interface Worker {
  readonly child: ChildProcessWithoutNullStreams;
  /** The answers to the cases of a line, in the order of the lines. */
  readonly answers: AsyncIterator<string>;
  stderr: string;
}

/**
 * Has the real ECS worker of prefect-aws prepare the tasks of flow runs. The questions of a test file come one after the other.
 *
 * @param environment the worker's variables, `PREFECT_API_KEY` and so on
 */
export async function askWorker(cases: readonly FlowRunCase[], environment: Record<string, string> = {}): Promise<EcsRequests[]> {
  const key = JSON.stringify(environment);
  if (!workers.has(key)) workers.set(key, startWorker(environment));
  const worker = await workers.get(key)!;
  worker.child.stdin.write(`${JSON.stringify(cases)}\n`);
  const { value, done } = await worker.answers.next();
  if (done) throw new Error(`The worker ended with ${worker.child.exitCode}: ${worker.stderr}`);
  return JSON.parse(value);
}

async function startWorker(environment: Record<string, string>): Promise<Worker> {
  const { python } = await pythonEnvironment();
  const child = spawn(python, [join(__dirname, 'ecs_worker.py')], {
    env: { PATH: process.env.PATH, HOME: '/nonexistent', PREFECT_HOME: '/tmp/.prefect', PREFECT_LOGGING_LEVEL: 'ERROR', AWS_DEFAULT_REGION: 'us-east-1', ...environment },
  });
  const worker = { child, answers: createInterface(child.stdout)[Symbol.asyncIterator](), stderr: '' };
  child.stderr.setEncoding('utf8').on('data', (text: string) => { worker.stderr += text; });
  return worker;
}

afterAll(async () => {
  for (const worker of workers.values()) (await worker).child.stdin.end();
});
