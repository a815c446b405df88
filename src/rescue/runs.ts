import { randomUUID } from 'node:crypto';
import { failedStarts, StateChange } from './decide';
import type { FlowRun } from './flow-run';
import type { FoundRun, State, StoredRun } from './found-run';
import { STILL_WAITING } from '../private/no-heartbeat';
import type { PrefectClient } from '../private/prefect-client';

/** What Prefect knows of single flow runs, and what it is told of them. */
export class Runs {
  constructor(private readonly client: PrefectClient) {}

  /** How often a run's task could not be started until now; Prefect keeps a run's states. */
  public async failedStarts(id: string): Promise<number> {
    return failedStarts(await this.states(id));
  }

  /**
   * Says of runs that wait that they do. Their last heartbeat can be handled after the event of that state, and the pool's
   * automation would wait for more, and have them crash.
   */
  public async announceWaiting(waiting: readonly FoundRun[], now: Date): Promise<void> {
    if (waiting.length === 0) return;
    await this.client.request('POST', '/events', waiting.map(({ id, workPoolId }) => ({
      id: randomUUID(),
      event: STILL_WAITING,
      occurred: now.toISOString(),
      resource: { 'prefect.resource.id': `prefect.flow-run.${id}` },
      related: [{ 'prefect.resource.id': `prefect.work-pool.${workPoolId}`, 'prefect.resource.role': 'work-pool' }],
    })));
  }

  /** When a worker claimed a run for its attempt that is Pending: after that, it started a task. */
  public async claimed(id: string): Promise<Date | undefined> {
    const states = await this.states(id);
    const scheduled = states.map(({ type }) => type).lastIndexOf('SCHEDULED');
    const claim = states.slice(scheduled + 1).find(({ type }) => type === 'PENDING');
    return claim && new Date(claim.timestamp);
  }

  private async states(id: string): Promise<State[]> {
    const states = await this.client.request<State[]>('GET', `/flow_run_states/?flow_run_id=${id}`);
    return states.sort((one, other) => Date.parse(one.timestamp) - Date.parse(other.timestamp));
  }

  /** Whether a run is still in the state that was judged. */
  public async unchanged(run: FlowRun): Promise<boolean> {
    return (await this.client.request<StoredRun>('GET', `/flow_runs/${run.id}`)).state_id === run.stateId;
  }

  /** What a run needs beside its state so that a worker takes it again, and its flow has all the retries that it asks for. */
  public async release(run: FoundRun, isRetry = false): Promise<void> {
    // Prefect counts how often a run has begun. What it changed with the state stays.
    const interrupted = !isRetry && await this.hadBegun(run);
    const { empirical_policy: policy, state } = await this.client.request<StoredRun>('GET', `/flow_runs/${run.id}`);
    const retries = policy?.retries;
    const changes = {
      ...(interrupted && typeof retries === 'number' && { retries: retries + 1 }),
      ...(policy?.retry_type === 'in_process' && { retry_type: 'reschedule' }),
    };
    if (run.waitsInProcess) await this.giveSlotBack(state);
    if (Object.keys(changes).length > 0) await this.client.request('PATCH', `/flow_runs/${run.id}`, { empirical_policy: { ...policy, ...changes } });
  }

  /** Whether the attempt that has ended had begun. */
  private async hadBegun({ id, state, stateId }: FoundRun): Promise<boolean> {
    if (state !== 'CRASHED') return state === 'RUNNING';
    const states = await this.states(id);
    const before = states.findIndex(({ id: found }) => found === stateId) - 1;
    return states[before]?.type === 'RUNNING';
  }

  /**
   * A run that waits to be tried again in its process keeps its slot of the deployment's concurrency limit, until the slot's lease
   * ends some minutes after the process. A worker that claims it before needs a second slot: it has to wait, or it is cancelled.
   */
  private async giveSlotBack({ state_details: details }: State): Promise<void> {
    const lease = details?.deployment_concurrency_lease_id;
    if (lease) await this.client.request('POST', '/v2/concurrency_limits/decrement-with-lease', { lease_id: lease });
  }

  /** Gives a run its next state, and tells whether Prefect accepted that. */
  public async set(run: FlowRun, decision: StateChange, now: Date): Promise<boolean> {
    // Prefect changes the message of no run that has crashed: it has to wait for a moment.
    const crashed = run.state === 'CRASHED' && decision.then === 'crash';
    return (!crashed || await this.propose(run, { then: 'reschedule', why: decision.why, delay: 3600 }, now)) && this.propose(run, decision, now);
  }

  private async propose(run: FlowRun, decision: StateChange, now: Date): Promise<boolean> {
    // Not repeated: where the answer is lost, a worker may have claimed the run since. The next look decides afresh.
    const { status } = await this.client.once<{ status: string }>('POST', `/flow_runs/${run.id}/set_state`, {
      state: { ...nextState(decision, now), message: decision.why },
      // Prefect would give one that has timed out the flow's next retry.
      force: decision.then === 'timeOut',
    });
    return status === 'ACCEPT';
  }
}

function nextState(decision: StateChange, now: Date): Record<string, unknown> {
  switch (decision.then) {
    case 'cancel': return { type: 'CANCELLED', name: 'Cancelled' };
    case 'crash': return { type: 'CRASHED', name: 'Crashed' };
    case 'timeOut': return { type: 'FAILED', name: 'TimedOut' };
    case 'reschedule': {
      const due = new Date(now.getTime() + (decision.delay ?? 0) * 1000).toISOString();
      return { type: 'SCHEDULED', name: 'AwaitingRetry', state_details: { scheduled_time: due } };
    }
  }
}
