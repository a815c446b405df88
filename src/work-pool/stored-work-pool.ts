import { BaseJobTemplate } from './base-job-template';
import { WorkPoolConfiguration } from './configuration';
import { PrefectClient } from '../private/prefect-client';

export interface Limited {
  readonly concurrency_limit: number | null;
}

export interface StoredQueue extends Limited {
  readonly priority: number;
}

export interface StoredWorkPool extends Limited {
  readonly id: string;
  readonly type: string;
  readonly is_paused: boolean;
  readonly description: string | null;
  readonly base_job_template: BaseJobTemplate;
}

type Collections = Record<string, Record<string, { default_base_job_configuration: BaseJobTemplate }>>;

export function poolPath(name: string): string {
  return `/work_pools/${encodeURIComponent(name)}`;
}

export function queuePath(pool: string, name: string): string {
  return `${poolPath(pool)}/queues/${encodeURIComponent(name)}`;
}

/** The template that the server itself has for this type of pool, so that it fits the server's version. */
export async function offeredTemplate(client: PrefectClient, { api, type }: WorkPoolConfiguration): Promise<BaseJobTemplate> {
  // Prefect Cloud has the view of a workspace in another place than a server.
  const ofWorkspace = api.isCloud ? await client.find<Collections>('/collections/work_pool_types') : undefined;
  const collections = ofWorkspace ?? await client.request<Collections>('GET', '/collections/views/aggregate-worker-metadata');
  const offered = Object.values(collections).find(workers => workers[type])?.[type];
  if (!offered) throw new Error(`The Prefect API at ${api.url} knows no work pools of the type "${type}".`);
  return offered.default_base_job_configuration;
}
