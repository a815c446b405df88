import type { FlowRun } from './flow-run';
import type { FoundRun } from './found-run';
import type { FargateSize } from '../private/fargate-sizes';
import type { PrefectClient } from '../private/prefect-client';

type Variables = Record<string, unknown>;

/** How the next attempt of a flow run differs from the last. */
export type NextAttempt =
  | { readonly onDemand: true }
  /** `remember`: so do later runs of its deployment. */
  | { readonly size: FargateSize; readonly remember: boolean };

const ON_DEMAND = 'Its next attempt is on demand.';
const WITH_MEMORY = /Its next attempt(, as later runs of its deployment,)? has (\d+) MiB of memory and (\d+) CPU units\.$/;

/** What is said of the run, by which the next look knows it. */
export function announce(next: NextAttempt): string {
  if ('onDemand' in next) return ON_DEMAND;
  return `Its next attempt${next.remember ? ', as later runs of its deployment,' : ''} has ${next.size.memory} MiB of memory and ${next.size.cpu} CPU units.`;
}

/** What was announced of a scheduled run, and its job variables don't say yet: Prefect takes these only after that state, and a look may have been cut off. */
export function unprepared({ state, message, launchType, memory }: FlowRun): NextAttempt | undefined {
  if (state !== 'SCHEDULED') return undefined;
  if (message.endsWith(ON_DEMAND)) return launchType === 'FARGATE' ? undefined : { onDemand: true };
  const [, later, more, cpu] = WITH_MEMORY.exec(message) ?? [];
  if (more === undefined || memory === Number(more)) return undefined;
  return { size: { cpu: Number(cpu), memory: Number(more) }, remember: later !== undefined };
}

/** Writes the job variables of a scheduled run. */
export async function prepare(client: PrefectClient, run: FoundRun, next: NextAttempt, workPool: string): Promise<void> {
  const write = (changes: Variables) => client.request('PATCH', `/flow_runs/${run.id}`, { job_variables: { ...run.jobVariables, ...changes } });
  if ('onDemand' in next) {
    await write(await onDemand(client, run, workPool));
    return;
  }
  const { cpu, memory } = next.size;
  // The run's own come last: they are what says that all is done.
  if (next.remember) await remember(client, run.deploymentId, next.size);
  await write({ cpu, memory });
}

/** A strategy wins over the launch type, whoever brings it: the run, its deployment or its pool. */
async function onDemand(client: PrefectClient, run: FoundRun, workPool: string): Promise<Variables> {
  const deployment = await variablesOf(client, run.deploymentId);
  const strategy = run.jobVariables[STRATEGY] ?? deployment[STRATEGY] ?? await poolStrategy(client, workPool);
  return {
    launch_type: 'FARGATE',
    ...(Array.isArray(strategy) && strategy.length > 0 && { [STRATEGY]: [{ capacityProvider: 'FARGATE', base: 0, weight: 1 }] }),
  };
}

const STRATEGY = 'capacity_provider_strategy';

async function remember(client: PrefectClient, deployment: string, { cpu, memory }: FargateSize): Promise<void> {
  const variables = await variablesOf(client, deployment);
  if (typeof variables.memory === 'number' && variables.memory >= memory) return;
  await client.request('PATCH', `/deployments/${deployment}`, { job_variables: { ...variables, cpu, memory } });
}

async function variablesOf(client: PrefectClient, deployment: string): Promise<Variables> {
  const { job_variables: variables } = await client.request<{ job_variables: Variables | null }>('GET', `/deployments/${deployment}`);
  return variables ?? {};
}

async function poolStrategy(client: PrefectClient, workPool: string): Promise<unknown> {
  const { base_job_template: template } = await client.request<{ base_job_template: { variables?: { properties?: Record<string, Variables> } } }>(
    'GET', `/work_pools/${encodeURIComponent(workPool)}`);
  return template.variables?.properties?.[STRATEGY]?.default;
}
