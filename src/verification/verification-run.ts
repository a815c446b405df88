import { setTimeout as sleep } from 'node:timers/promises';
import { DescribeTasksCommand, ECSClient, ListTasksCommand, Task } from '@aws-sdk/client-ecs';
import type { VerificationConfiguration } from './configuration';
import { CARRIED_ALONG } from './flow';
import { PrefectApiError, PrefectClient } from '../private/prefect-client';
import { reasonOf } from '../private/task-reason';

interface FlowRun {
  readonly id: string;
  readonly state: { readonly type: string; readonly name: string; readonly message: string | null };
  readonly infrastructure_pid: string | null;
}
interface WorkPool {
  readonly is_paused: boolean;
  readonly concurrency_limit: number | null;
}

const LOOK_SECONDS = 3;
/** How long a run may count as crashed before that is final: the reconciler starts some again. */
const RECONCILE_SECONDS = 90;
const ENDED = ['COMPLETED', 'FAILED', 'CANCELLED', 'CRASHED'];

/** A flow run that nobody had to write, sent through the work pool to the worker and its flow runs' tasks. */
export class VerificationRun {
  private readonly pool: string;

  constructor(private readonly client: PrefectClient, private readonly configuration: VerificationConfiguration) {
    this.pool = `/work_pools/${encodeURIComponent(configuration.workPool)}`;
  }

  /** What became of it where nothing is wrong: that it is Completed, or why it can't be now. Throws otherwise, with all that is known. */
  public async complete(seconds: number): Promise<string> {
    const paused = await this.paused();
    if (paused) return `not verified: ${paused}`;
    const { flow, deployment } = await this.deploy().catch(error => {
      if (!(error instanceof PrefectApiError && error.status === 403)) throw error;
      throw new Error(`The worker is not verified, as its stack may not create a flow and a deployment in Prefect: ${error.message} `
        + 'Give PrefectApi.cloud() a managementApiKey with the role Developer, or leave out verify.');
    });
    const start = Date.now();
    const id = await this.created(`/deployments/${deployment}/create_flow_run`, { state: { type: 'SCHEDULED' } });
    const run = await this.ended(id, start + seconds * 1000);
    const took = Math.round((Date.now() - start) / 1000);
    if (run.state.type !== 'COMPLETED') {
      const held = await this.held(run);
      if (!held) throw new Error(await this.fault(run, took));
      await this.forget(flow, deployment, id);
      return `not verified: ${held}`;
    }
    await this.forget(flow, deployment, id);
    return `a flow run completed in ${took} seconds`;
  }

  private async deploy(): Promise<{ readonly flow: string; readonly deployment: string }> {
    const { worker, workPool, workQueue } = this.configuration;
    const flow = await this.created('/flows/', { name: `Verification of ${worker}` });
    const deployment = await this.created('/deployments/', {
      name: 'verification',
      description: `Verifies deployments of the Prefect worker ${worker}. It is deleted when that is done, and stays where it fails.`,
      flow_id: flow,
      work_pool_name: workPool,
      ...(workQueue !== undefined && { work_queue_name: workQueue }),
      ...CARRIED_ALONG,
    });
    return { flow, deployment };
  }

  private async created(path: string, body: object): Promise<string> {
    return (await this.client.request<{ id: string }>('POST', path, body)).id;
  }

  private async paused(): Promise<string | undefined> {
    const { workPool, workQueue } = this.configuration;
    if ((await this.client.request<WorkPool>('GET', this.pool)).is_paused) return `the work pool "${workPool}" is paused`;
    const queue = workQueue ?? 'default';
    const found = await this.client.find<{ is_paused: boolean }>(`${this.pool}/queues/${encodeURIComponent(queue)}`);
    return found?.is_paused ? `the work queue "${queue}" is paused` : undefined;
  }

  private async ended(id: string, deadline: number): Promise<FlowRun> {
    for (let crashed: number | undefined; ; await sleep(LOOK_SECONDS * 1000)) {
      const run = await this.client.request<FlowRun>('GET', `/flow_runs/${id}`);
      crashed = run.state.type === 'CRASHED' ? crashed ?? Date.now() : undefined;
      const isFinal = crashed === undefined || Date.now() - crashed > RECONCILE_SECONDS * 1000;
      if (ENDED.includes(run.state.type) && isFinal || Date.now() > deadline) return run;
    }
  }

  /** Why it can't be started, though the worker works. */
  private async held({ state }: FlowRun): Promise<string | undefined> {
    if (state.type !== 'SCHEDULED') return undefined;
    const { concurrency_limit: limit } = await this.client.request<WorkPool>('GET', this.pool);
    if (limit === null) return undefined;
    const active = await this.client.request<number>('POST', '/flow_runs/count', {
      work_pools: { name: { any_: [this.configuration.workPool] } }, flow_runs: { state: { type: { any_: ['PENDING', 'RUNNING', 'CANCELLING'] } } },
    });
    return active >= limit ? `the work pool's concurrency limit of ${limit} left no room for its flow run` : undefined;
  }

  private async fault(run: FlowRun, seconds: number): Promise<string> {
    const { state: { type, name, message } } = run;
    const end = await this.endOfTask(run).catch(error => `${error}`);
    // A worker that comes later is not to take it.
    if (!ENDED.includes(type)) await this.client.request('POST', `/flow_runs/${run.id}/set_state`, { state: { type: 'CANCELLED', message: 'It took too long.' }, force: true });
    return `The flow run that verifies the worker is ${name} after ${seconds} seconds${message ? `: ${message.replace(/\.?\s*$/, '')}` : ''}. ${end} `
      + 'It stays in Prefect, with what it logged, until the next verification.';
  }

  /** What ECS says of the run's task; of the last worker that stopped, where the run has none. */
  private async endOfTask({ infrastructure_pid: infrastructure }: FlowRun): Promise<string> {
    const own = infrastructure?.includes(':task/') ? infrastructure.split('::').pop() : undefined;
    if (own) return `Its task: ${await this.describe([own])}`;
    const { cluster, serviceName } = this.configuration;
    const list = (desiredStatus: 'RUNNING' | 'STOPPED') => new ECSClient({}).send(new ListTasksCommand({ cluster, serviceName, desiredStatus }));
    const { taskArns: stopped = [] } = await list('STOPPED');
    if (stopped.length > 0) return `The last worker that stopped: ${await this.describe(stopped)}`;
    const { taskArns: running = [] } = await list('RUNNING');
    return running.length === 0 ? 'No worker has started.' : `${running.length} workers run, and none has started its task.`;
  }

  private async describe(arns: string[]): Promise<string> {
    const { tasks = [] } = await new ECSClient({}).send(new DescribeTasksCommand({ cluster: this.configuration.cluster, tasks: arns.slice(0, 100) }));
    const [last] = tasks.sort((one, other) => created(other) - created(one));
    return last ? `${last.lastStatus}: ${reasonOf(last)}.` : 'Amazon ECS no longer knows it.';
  }

  private async forget(flow: string, deployment: string, run: string): Promise<void> {
    for (const path of [`/flow_runs/${run}`, `/deployments/${deployment}`, `/flows/${flow}`]) {
      await this.client.request('DELETE', path).catch(error => console.warn(`${path} stays: ${error}`));
    }
  }
}

function created({ createdAt }: Task): number {
  return createdAt?.getTime() ?? 0;
}
