import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
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

/**
 * Has the real ECS worker of prefect-aws prepare the tasks of flow runs.
 *
 * @param environment the worker's variables, `PREFECT_API_KEY` and so on
 */
export async function askWorker(cases: readonly FlowRunCase[], environment: Record<string, string> = {}): Promise<EcsRequests[]> {
  const { python } = await pythonEnvironment();
  const child = spawn(python, [join(__dirname, 'ecs_worker.py')], {
    env: { PATH: process.env.PATH, HOME: '/nonexistent', PREFECT_HOME: '/tmp/.prefect', PREFECT_LOGGING_LEVEL: 'ERROR', AWS_DEFAULT_REGION: 'us-east-1', PYTHONDONTWRITEBYTECODE: '1', ...environment },
  });
  let out = '', err = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => { out += text; });
  child.stderr.setEncoding('utf8').on('data', (text: string) => { err += text; });
  child.stdin.end(JSON.stringify(cases));
  const code = await new Promise(resolve => child.on('close', resolve));
  if (code !== 0) throw new Error(`The worker ended with ${code}: ${err}`);
  return out.trim().split('\n').map(line => JSON.parse(line));
}

/** The base job templates that the Prefect server of the tests offers for the types of work pools. */
export async function offeredTemplates(): Promise<{ readonly ecs: BaseJobTemplate; readonly process: BaseJobTemplate }> {
  const { bin } = await pythonEnvironment();
  const lib = join(bin, '..', 'lib');
  const [python] = readdirSync(lib);
  const view = join(lib, python, 'site-packages', 'prefect', 'server', 'api', 'collections_data', 'views', 'aggregate-worker-metadata.json');
  const collections = JSON.parse(readFileSync(view, 'utf8'));
  const template = (type: string) => Object.values<any>(collections).find(workers => workers[type])[type].default_base_job_configuration;
  return { ecs: template('ecs'), process: template('process') };
}
