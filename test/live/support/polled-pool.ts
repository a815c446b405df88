import { Prefect } from './prefect';
import { KnownChildRuns } from '../../../src/demand/child-runs';
import type { PublisherConfiguration } from '../../../src/demand/configuration';
import { poll, Reading, Span } from '../../../src/demand/poll';
import { RunTimes } from '../../../src/demand/run-times';
import { PrefectClient } from '../../../src/private/prefect-client';

/** Counts the requests of a poll. */
class CountingClient extends PrefectClient {
  public requests = 0;
  public async request<T>(method: string, path: string, body?: unknown): Promise<T> {
    this.requests++;
    return super.request(method, path, body);
  }
}

let pools = 0;

export interface QueueOptions {
  readonly name: string;
  readonly concurrency_limit?: number;
  readonly is_paused?: boolean;
}

/** A pool of a real server, which the publisher polls: with queues, and deployments of a flow in each. */
export class PolledPool {
  public static async create(apiUrl: string, limits: object = {}, queues: QueueOptions[] = []): Promise<PolledPool> {
    const prefect = new Prefect(apiUrl);
    const name = `pool "${++pools}"`;
    await prefect.call('POST', '/work_pools/', { name, type: 'process', base_job_template: {}, ...limits });
    for (const queue of queues) await prefect.call('POST', `/work_pools/${encodeURIComponent(name)}/queues`, queue);
    return new PolledPool(prefect, apiUrl, name);
  }

  private readonly deployments = new Map<string, string>();

  private constructor(private readonly prefect: Prefect, private readonly apiUrl: string, public readonly name: string) {}

  public get path(): string {
    return `/work_pools/${encodeURIComponent(this.name)}`;
  }

  /** The deployment of a queue. */
  public async deployment(queue = 'default'): Promise<string> {
    if (!this.deployments.has(queue)) {
      const options = { workPool: this.name, workQueue: queue, entrypoint: 'flows.py:hello', directory: '.' };
      this.deployments.set(queue, await this.prefect.deploy(`${this.name} ${queue}`, options));
    }
    return this.deployments.get(queue)!;
  }

  /** Gives the deployment of a queue a concurrency limit. */
  public async limit(limit: object, queue?: string): Promise<void> {
    await this.prefect.call('PATCH', `/deployments/${await this.deployment(queue)}`, limit);
  }

  /** Flow runs in a queue that are due in some seconds (or were, some seconds ago). */
  public async schedule(count: number, seconds: number, queue?: string): Promise<string[]> {
    const state = { type: 'SCHEDULED', state_details: { scheduled_time: new Date(Date.now() + seconds * 1000).toISOString() } };
    const path = `/deployments/${await this.deployment(queue)}/create_flow_run`;
    const ids: string[] = [];
    while (ids.length < count) {
      const some = Array.from({ length: Math.min(100, count - ids.length) }, () => ({ state }));
      const { results } = await this.prefect.call<{ results: { flow_run_id: string | null; error: string | null }[] }>('POST', `${path}/bulk`, some);
      const refused = results.find(({ error }) => error !== null);
      if (refused) throw new Error(`${refused.error}`);
      ids.push(...results.map(({ flow_run_id: id }) => id!));
    }
    return ids;
  }

  /** Asks for the runs as a worker does, and gives what states Prefect gave them. */
  public async claim(ids: string[]): Promise<string[]> {
    for (const id of ids) await this.prefect.call('POST', `/flow_runs/${id}/set_state`, { state: { type: 'PENDING' } });
    return (await Promise.all(ids.map(id => this.prefect.flowRun(id)))).map(({ state }) => state.name);
  }

  public async setState(ids: string[], state: object): Promise<void> {
    for (let start = 0; start < ids.length; start += 50) {
      const some = { id: { any_: ids.slice(start, start + 50) } };
      await this.prefect.call('POST', '/flow_runs/bulk_set_state', { flow_runs: some, state, force: true });
    }
  }

  public async read(settings: Partial<PublisherConfiguration> = {}, crashes?: Span): Promise<Reading['values'] & { requests: number }> {
    const client = new CountingClient({ url: this.apiUrl, headers: {} });
    const { values } = await this.poll(client, settings, crashes);
    return { ...values, requests: client.requests };
  }

  /** How many runs beyond the demand may start. */
  public async room(settings: Partial<PublisherConfiguration> = {}): Promise<number> {
    return (await this.poll(new PrefectClient({ url: this.apiUrl, headers: {} }), settings)).room;
  }

  private poll(client: PrefectClient, settings: Partial<PublisherConfiguration>, crashes?: Span): Promise<Reading> {
    const now = new Date();
    return poll(client, {
      workPool: this.name,
      worker: 'Worker',
      leadTimeSeconds: 120,
      pollSeconds: 60,
      scaleInMinutes: 2,
      cluster: '',
      service: '',
      ...settings,
    }, now, crashes ?? { since: now, until: now }, new RunTimes(), new KnownChildRuns());
  }
}
