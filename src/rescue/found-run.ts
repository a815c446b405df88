import type { FlowRun } from './flow-run';

export interface Policy {
  readonly retries?: number | null;
  readonly retry_delay?: number | readonly number[] | null;
  readonly retry_type?: 'in_process' | 'reschedule' | null;
}

export interface State {
  readonly id: string;
  readonly type: string;
  readonly name: string;
  readonly message: string | null;
  readonly timestamp: string;
  readonly state_details?: { readonly deployment_concurrency_lease_id?: string | null };
}

export interface StoredRun {
  readonly id: string;
  readonly state_id: string;
  readonly state_type: FlowRun['state'];
  readonly state: State;
  readonly run_count: number;
  readonly tags: readonly string[];
  readonly empirical_policy: Policy | null;
  readonly infrastructure_pid: string | null;
  readonly job_variables: Record<string, unknown> | null;
  readonly labels?: Record<string, unknown>;
  readonly deployment_id: string;
  readonly work_pool_id: string;
  readonly start_time: string | null;
  readonly end_time: string | null;
  readonly next_scheduled_start_time: string | null;
}

export interface FoundRun extends FlowRun {
  readonly infrastructure: string | null;
  readonly worker: unknown;
  readonly jobVariables: Record<string, unknown>;
  readonly policy: Policy;
  readonly workPoolId: string;
  readonly deploymentId: string;
  /** Whether an attempt has begun. */
  readonly begun: boolean;
  /** When it is due, where it is scheduled. */
  readonly due?: Date;
}

export function toRun(run: StoredRun): FoundRun {
  const { retries, retry_delay: delay } = run.empirical_policy ?? {};
  const jobVariables = run.job_variables ?? {};
  return {
    id: run.id,
    stateId: run.state_id,
    state: run.state_type,
    stateName: run.state.name,
    message: run.state.message ?? '',
    since: new Date(run.state.timestamp),
    tags: run.tags,
    runCount: run.run_count,
    retries: retries ?? 0,
    retryDelay: (Array.isArray(delay) ? delay[Math.min(run.run_count, delay.length) - 1] : delay) ?? 0,
    launchType: jobVariables.launch_type as string | undefined,
    memory: jobVariables.memory as number | undefined,
    infrastructure: run.infrastructure_pid,
    worker: run.labels?.['prefect.worker.name'],
    jobVariables,
    policy: run.empirical_policy ?? {},
    workPoolId: run.work_pool_id,
    deploymentId: run.deployment_id,
    begun: run.start_time !== null,
    due: run.next_scheduled_start_time === null ? undefined : new Date(run.next_scheduled_start_time),
    waitsInProcess: run.state.name === 'AwaitingRetry' && run.empirical_policy?.retry_type === 'in_process',
  };
}
