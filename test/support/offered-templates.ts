import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BaseJobTemplate } from '../../src/work-pool/base-job-template';
import { pythonEnvironment } from '../python/environment';

/** The base job templates that the Prefect server of the tests offers for the types of work pools. */
export async function offeredTemplates(): Promise<{ readonly ecs: BaseJobTemplate; readonly process: BaseJobTemplate }> {
  const { bin } = await pythonEnvironment();
  const lib = join(bin, '..', 'lib');
  const [python] = readdirSync(lib);
  const view = join(lib, python, 'site-packages', 'prefect', 'server', 'api', 'collections_data', 'views', 'aggregate-worker-metadata.json');
  const collections = JSON.parse(readFileSync(view, 'utf8'));
  const template = (type: string) => Object.values<any>(collections).find(types => types[type])[type].default_base_job_configuration;
  return { ecs: template('ecs'), process: template('process') };
}
