import type { FoundRun } from './found-run';
import type { PrefectClient } from '../private/prefect-client';

type Variables = Record<string, unknown>;

const STRATEGY = 'capacity_provider_strategy';

/** Has a scheduled run start on demand. A strategy wins over the launch type, whoever brings it: the run, its deployment or its pool. */
export async function startOnDemand(client: PrefectClient, run: FoundRun, workPool: string): Promise<void> {
  const deployment = await client.request<{ job_variables: Variables | null }>('GET', `/deployments/${run.deploymentId}`);
  const strategy = run.jobVariables[STRATEGY] ?? deployment.job_variables?.[STRATEGY] ?? await poolStrategy(client, workPool);
  await client.request('PATCH', `/flow_runs/${run.id}`, {
    job_variables: {
      ...run.jobVariables,
      launch_type: 'FARGATE',
      ...(Array.isArray(strategy) && strategy.length > 0 && { [STRATEGY]: [{ capacityProvider: 'FARGATE', base: 0, weight: 1 }] }),
    },
  });
}

async function poolStrategy(client: PrefectClient, workPool: string): Promise<unknown> {
  const { base_job_template: template } = await client.request<{ base_job_template: { variables?: { properties?: Record<string, Variables> } } }>(
    'GET', `/work_pools/${encodeURIComponent(workPool)}`);
  return template.variables?.properties?.[STRATEGY]?.default;
}
