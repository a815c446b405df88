import { setTimeout as sleep } from 'node:timers/promises';
import { PATIENCE } from '../../pace';

export interface FlowRun {
  readonly id: string;
  readonly name: string;
  readonly state: {
    readonly type: string;
    readonly name: string;
    readonly message: string | null;
    readonly state_details: { readonly scheduled_time: string | null };
  };
  readonly infrastructure_pid: string | null;
  /** How often it was started. */
  readonly run_count: number;
}

export interface DeploymentOptions {
  readonly workPool: string;
  readonly workQueue?: string;
  /** `file.py:function` below `directory`. */
  readonly entrypoint: string;
  readonly directory: string;
  readonly jobVariables?: Record<string, unknown>;
  /** How many of its runs may be on their way at a time, and what becomes of one more. */
  readonly limit?: { readonly limit: number; readonly collisionStrategy: 'ENQUEUE' | 'CANCEL_NEW' };
  /** A schedule in UTC, from which the server makes the runs. */
  readonly cron?: string;
}

const ENDED = ['COMPLETED', 'FAILED', 'CRASHED', 'CANCELLED'];

/** A test's own hand on a Prefect API: makes deployments, starts flow runs, looks at what becomes of them. */
export class Prefect {
  constructor(public readonly apiUrl: string, private readonly headers: Record<string, string> = {}) {}

  public async call<T>(method: string, path: string, body?: unknown, attempts = 5): Promise<T> {
    const response = await fetch(`${this.apiUrl}${path}`, {
      method,
      // A server closes a connection that was idle for 5 seconds, perhaps while the next request is on its way on it.
      headers: { 'content-type': 'application/json', 'connection': 'close', ...this.headers },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await response.text();
    // A server answers so while its database is locked or has no connection left; Prefect's own client tries again, too.
    if ((response.status === 503 || response.status === 500) && attempts > 1) {
      await sleep(500);
      return this.call(method, path, body, attempts - 1);
    }
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return (text ? JSON.parse(text) : undefined) as T;
  }

  /** Makes a deployment of a flow in a local file, and gives its id. */
  public async deploy(name: string, options: DeploymentOptions): Promise<string> {
    const flow = await this.call<{ id: string }>('POST', '/flows/', { name: options.entrypoint.split(':')[1].replaceAll('_', '-') });
    const deployment = await this.call<{ id: string }>('POST', '/deployments/', {
      name,
      flow_id: flow.id,
      work_pool_name: options.workPool,
      work_queue_name: options.workQueue,
      entrypoint: options.entrypoint,
      path: '.',
      pull_steps: [{ 'prefect.deployments.steps.set_working_directory': { directory: options.directory } }],
      job_variables: options.jobVariables ?? {},
      schedules: options.cron === undefined ? [] : [{ schedule: { cron: options.cron, timezone: 'UTC' }, active: true }],
      enforce_parameter_schema: false,
      ...(options.limit && { concurrency_limit: options.limit.limit, concurrency_options: { collision_strategy: options.limit.collisionStrategy } }),
    });
    return deployment.id;
  }

  public async start(deploymentId: string, parameters: Record<string, unknown> = {}): Promise<string> {
    const { id } = await this.call<{ id: string }>('POST', `/deployments/${deploymentId}/create_flow_run`, { parameters });
    return id;
  }

  /** Makes a flow run that is due at a time, in milliseconds, and gives its id. */
  public async schedule(deploymentId: string, time: number, parameters: Record<string, unknown> = {}): Promise<string> {
    const state = { type: 'SCHEDULED', state_details: { scheduled_time: new Date(time).toISOString() } };
    const { id } = await this.call<{ id: string }>('POST', `/deployments/${deploymentId}/create_flow_run`, { state, parameters });
    return id;
  }

  public flowRun(id: string): Promise<FlowRun> {
    return this.call('GET', `/flow_runs/${id}`);
  }

  /** The flow runs with these ids, in any number. */
  public async flowRuns(ids: readonly string[]): Promise<FlowRun[]> {
    const found: FlowRun[] = [];
    for (let start = 0; start < ids.length; start += 100) {
      found.push(...await this.call<FlowRun[]>('POST', '/flow_runs/filter', { flow_runs: { id: { any_: ids.slice(start, start + 100) } } }));
    }
    return found;
  }

  /** Waits until the flow run is in one of the states (by type), some seconds of a quiet machine, and fails with what it knows when that takes too long. */
  public async waitFor(id: string, types: readonly string[], seconds: number): Promise<FlowRun> {
    const end = Date.now() + seconds * PATIENCE * 1000;
    for (;;) {
      const run = await this.flowRun(id);
      if (types.includes(run.state.type)) return run;
      if (Date.now() > end) {
        throw new Error(`The flow run ${run.name} is ${run.state.name} after ${seconds * PATIENCE} s, not ${types.join(' or ')}. ${run.state.message ?? ''}\n`
          + (await this.logs(id)).join('\n'));
      }
      // Of how it ended one hears early enough, and each look takes the server's time.
      await sleep(types.every(type => ENDED.includes(type)) ? 1000 : 500);
    }
  }

  public async cancel(id: string): Promise<void> {
    await this.call('POST', `/flow_runs/${id}/set_state`, { state: { type: 'CANCELLING' }, force: false });
  }

  public async logs(id: string): Promise<string[]> {
    const logs = await this.call<{ message: string }[]>('POST', '/logs/filter', { logs: { flow_run_id: { any_: [id] } }, sort: 'TIMESTAMP_ASC' });
    return logs.map(log => log.message);
  }

  /** Waits for a line of the flow run's log: it arrives after the state, because Prefect sends logs in batches. */
  public async waitForLog(id: string, text: string, seconds: number): Promise<string[]> {
    const end = Date.now() + seconds * PATIENCE * 1000;
    for (;;) {
      const logs = await this.logs(id);
      if (logs.some(line => line.includes(text))) return logs;
      if (Date.now() > end) throw new Error(`${JSON.stringify(text)} is not among the logs after ${seconds * PATIENCE} s:\n${logs.join('\n')}`);
      await sleep(500);
    }
  }

  public async onlineWorkers(workPool: string): Promise<string[]> {
    const workers = await this.call<{ name: string; status: string }[]>('POST', `/work_pools/${encodeURIComponent(workPool)}/workers/filter`, {});
    return workers.filter(worker => worker.status === 'ONLINE').map(worker => worker.name);
  }
}
