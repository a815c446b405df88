import { randomUUID } from 'node:crypto';
import type { FlowRun, StateChange } from './decide';
import { STILL_WAITING } from '../private/no-heartbeat';
import type { PrefectClient } from '../private/prefect-client';

/** The most flow runs that Prefect gives at a time. */
const PAGE = 200;

interface Policy {
  readonly retries?: number | null;
  readonly retry_delay?: number | readonly number[] | null;
  readonly retry_type?: 'in_process' | 'reschedule' | null;
}

interface StoredRun {
  readonly id: string;
  readonly state_id: string;
  readonly state_type: FlowRun['state'];
  readonly state: { readonly name: string; readonly message: string | null; readonly timestamp: string };
  readonly run_count: number;
  readonly empirical_policy: Policy | null;
  readonly infrastructure_pid: string | null;
  readonly job_variables: Record<string, unknown> | null;
  readonly labels?: Record<string, unknown>;
  readonly deployment_id: string;
  readonly work_pool_id: string;
}

export interface FoundRun extends FlowRun {
  readonly infrastructure: string | null;
  readonly worker: unknown;
  readonly jobVariables: Record<string, unknown>;
  readonly policy: Policy;
  readonly workPoolId: string;
  readonly deploymentId: string;
}

/** The flow runs of one work pool. */
export class Runs {
  constructor(private readonly client: PrefectClient, private readonly workPool: string) {}

  /** Runs that are claimed, under way, or being cancelled. */
  public activeRuns(): Promise<FoundRun[]> {
    return this.find({ state: { type: { any_: ['PENDING', 'RUNNING', 'CANCELLING'] } } });
  }

  /** Runs that have begun and wait: for someone, for their time, or for a worker. */
  public waiting(): Promise<FoundRun[]> {
    return this.find({ state: { type: { any_: ['PAUSED', 'SCHEDULED'] } }, start_time: { is_null_: false } });
  }

  /** Runs of which no attempt has begun, and that wait for another. */
  public refused(): Promise<FoundRun[]> {
    return this.find({ state: { name: { any_: ['AwaitingRetry'] } }, start_time: { is_null_: true } });
  }

  public crashedSince(since: Date): Promise<FoundRun[]> {
    return this.find({ state: { type: { any_: ['CRASHED'] } }, end_time: { after_: since.toISOString() } });
  }

  /**
   * Says of runs that wait that they do. Their last heartbeat can be handled after the event of that state, and the pool's
   * automation would wait for more, and have them crash.
   */
  public async vouchFor(waiting: readonly FoundRun[], now: Date): Promise<void> {
    if (waiting.length === 0) return;
    await this.client.request('POST', '/events', waiting.map(({ id, workPoolId }) => ({
      id: randomUUID(),
      event: STILL_WAITING,
      occurred: now.toISOString(),
      resource: { 'prefect.resource.id': `prefect.flow-run.${id}` },
      related: [{ 'prefect.resource.id': `prefect.work-pool.${workPoolId}`, 'prefect.resource.role': 'work-pool' }],
    })));
  }

  private async find(filter: Record<string, unknown>): Promise<FoundRun[]> {
    const found: StoredRun[] = [];
    for (let page: StoredRun[] = [], offset = 0; offset === 0 || page.length === PAGE; offset += PAGE) {
      page = await this.client.request<StoredRun[]>('POST', '/flow_runs/filter', {
        work_pools: { name: { any_: [this.workPool] } },
        // Only what has a deployment can be started again.
        flow_runs: { ...filter, deployment_id: { is_null_: false } },
        sort: 'ID_DESC',
        limit: PAGE,
        offset,
      });
      found.push(...page);
    }
    return found.map(toRun);
  }

  /** When Prefect last heard of a run; undefined where it never has, or keeps no events. */
  public async lastSignOfLife(id: string): Promise<Date | undefined> {
    const { events } = await this.client.request<{ events: { event: string; occurred: string }[] }>('POST', '/events/filter', {
      filter: { resource: { id: [`prefect.flow-run.${id}`] }, order: 'DESC' },
      limit: 20,
    });
    return events.some(({ event }) => event === 'prefect.flow-run.heartbeat') ? new Date(events[0].occurred) : undefined;
  }

  /** Whether a run is still in the state that was judged. */
  public async unchanged(run: FlowRun): Promise<boolean> {
    return (await this.client.request<StoredRun>('GET', `/flow_runs/${run.id}`)).state_id === run.stateId;
  }

  /** What a run needs beside its state so that a worker takes it again. */
  public async release({ id, policy }: FoundRun): Promise<void> {
    if (policy.retry_type !== 'in_process') return;
    await this.client.request('PATCH', `/flow_runs/${id}`, { empirical_policy: { ...policy, retry_type: 'reschedule' } });
  }

  /** Gives a run its next state, and tells whether Prefect accepted that. */
  public async set(run: FlowRun, decision: StateChange, now: Date): Promise<boolean> {
    // Not repeated: where the answer is lost, a worker may have claimed the run since. The next look decides afresh.
    const { status } = await this.client.once<{ status: string }>('POST', `/flow_runs/${run.id}/set_state`, {
      state: { ...nextState(decision, now), message: decision.why },
      force: false,
    });
    return status === 'ACCEPT';
  }
}

function nextState(decision: StateChange, now: Date): Record<string, unknown> {
  switch (decision.then) {
    case 'cancel': return { type: 'CANCELLED', name: 'Cancelled' };
    case 'crash': return { type: 'CRASHED', name: 'Crashed' };
    case 'reschedule': {
      const due = new Date(now.getTime() + (decision.delay ?? 0) * 1000).toISOString();
      return { type: 'SCHEDULED', name: 'AwaitingRetry', state_details: { scheduled_time: due } };
    }
  }
}

function toRun(run: StoredRun): FoundRun {
  const { retries, retry_delay: delay } = run.empirical_policy ?? {};
  const jobVariables = run.job_variables ?? {};
  return {
    id: run.id,
    stateId: run.state_id,
    state: run.state_type,
    placed: run.state.name === 'InfrastructurePending',
    message: run.state.message ?? '',
    since: new Date(run.state.timestamp),
    runCount: run.run_count,
    retries: retries ?? 0,
    retryDelay: (Array.isArray(delay) ? delay[Math.min(run.run_count, delay.length) - 1] : delay) ?? 0,
    launchType: jobVariables.launch_type as string | undefined,
    infrastructure: run.infrastructure_pid,
    worker: run.labels?.['prefect.worker.name'],
    jobVariables,
    policy: run.empirical_policy ?? {},
    workPoolId: run.work_pool_id,
    deploymentId: run.deployment_id,
    waitsInProcess: run.state.name === 'AwaitingRetry' && run.empirical_policy?.retry_type === 'in_process',
  };
}
