import { createServer, IncomingMessage, Server, ServerResponse } from 'node:http';
import { AddressInfo } from 'node:net';
import { CLUSTER, ReconcilerAws, TASK } from './reconciler-aws';
import { OutOfMemory, ReconcilerLimits } from '../../src/rescue/configuration';
import { handler } from '../../src/rescue/reconciler.lambda';
import { Prefect } from '../live/support/prefect';
import { PrefectServer, startPrefectServer } from '../stand-in/prefect-server';

type Stored = Record<string, any>;

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly body?: any;
}

export interface RunOptions {
  /** The state that it is to be in, after those that lead there. @default RUNNING */
  readonly state?: 'SCHEDULED' | 'PENDING' | 'RUNNING' | 'CANCELLING' | 'CANCELLED' | 'CRASHED' | 'COMPLETED' | 'FAILED' | 'PAUSED';
  readonly stateName?: string;
  readonly message?: string;
  /** Whether it began to execute. @default - where its state says so */
  readonly begun?: boolean;
  /** What it names as its infrastructure; undefined for its own task in the cluster, null for nothing. */
  readonly infrastructure?: string | null;
  /** Name of the worker that has it. */
  readonly worker?: string;
  readonly policy?: Stored;
  readonly jobVariables?: Stored;
  readonly tags?: string[];
  /** In seconds from now, for one that is scheduled. */
  readonly due?: number;
}

/** At once: a real server's states are as old as the test. */
const IMPATIENT: Partial<ReconcilerLimits> = { settle: 0, claimed: 0, starting: 0, cancelling: 0, silent: 0 };
/** Who sets the states of real runs. Of a client that is too old to renew it, Prefect takes the lease of a run's slot away. */
const ENGINE = { 'user-agent': 'prefect/3.9.1 (API 0.8.4)' };
const BEGUN = ['RUNNING', 'CANCELLING', 'COMPLETED', 'FAILED', 'PAUSED'];

/**
 * A real Prefect server with a work pool, and beside it what the reconciler asks of AWS. All of its requests come through
 * here: they are recorded, and a test can give another answer.
 */
export class ReconcilerWorld {
  public static async start(): Promise<ReconcilerWorld> {
    const world = new ReconcilerWorld(await startPrefectServer({ database: 'postgres' }));
    await new Promise<void>(resolve => world.http.listen(0, '127.0.0.1', resolve));
    return world;
  }

  public readonly prefect: Prefect;
  public requests: Asked[] = [];
  public interruptedRuns: 'restart' | 'crash' = 'restart';
  public outOfMemory?: OutOfMemory;
  public secrets: Record<string, string> = {};
  /** What AWS has: tasks, the values of secrets, when the workers were deployed. */
  public aws = new ReconcilerAws();
  /** Answers instead of the server, after or before that has heard of it. */
  public instead: { method?: string; path: RegExp; status: number; heard?: boolean }[] = [];
  /** Happens before a request is passed on. */
  public before?: (request: Asked) => Promise<void>;

  /** Name of the work pool. */
  public pool = '';
  private deployment = '';
  private pools = 0;
  private subflows = 0;
  private readonly environment = { ...process.env };
  private readonly http: Server = createServer((request, response) => void this.serve(request, response));

  private constructor(private readonly server: PrefectServer) {
    this.prefect = new Prefect(server.apiUrl, ENGINE);
  }

  /** Where the world answers. */
  public get origin(): string {
    return `http://127.0.0.1:${(this.http.address() as AddressInfo).port}`;
  }

  /** Address of the server's PostgreSQL. */
  public get postgres(): string {
    return this.server.postgres!;
  }

  public async stop(): Promise<void> {
    process.env = this.environment;
    this.http.closeAllConnections();
    await new Promise(resolve => this.http.close(resolve));
    await this.server.stop();
  }

  /** A work pool with nothing in it, and a cluster without tasks. */
  public async clean(): Promise<void> {
    Object.assign(this, { requests: [], interruptedRuns: 'restart', outOfMemory: undefined, aws: new ReconcilerAws(), secrets: {}, instead: [], before: undefined });
    this.pool = `pool-${this.pools++}`;
    const offered = await this.prefect.call<any>('GET', '/collections/views/aggregate-worker-metadata');
    await this.prefect.call('POST', '/work_pools/', {
      name: this.pool, type: 'ecs', base_job_template: offered['prefect-aws'].ecs.default_base_job_configuration,
    });
    this.deployment = await this.prefect.deploy(this.pool, { workPool: this.pool, entrypoint: 'flows.py:any', directory: '.' });
  }

  /** Gives variables of the pool's base job template other defaults. */
  public async changePool(defaults: Stored): Promise<void> {
    const { base_job_template: template } = await this.prefect.call<any>('GET', `/work_pools/${this.pool}`);
    for (const [name, value] of Object.entries(defaults)) template.variables.properties[name].default = value;
    await this.prefect.call('PATCH', `/work_pools/${this.pool}`, { base_job_template: template });
  }

  public async changeDeployment(jobVariables: Stored, tags: string[] = []): Promise<void> {
    await this.prefect.call('PATCH', `/deployments/${this.deployment}`, { job_variables: jobVariables, tags });
  }

  /** So many runs of the deployment at a time, one where nothing is said, and what becomes of the next. */
  public async limitDeployment(strategy: 'ENQUEUE' | 'CANCEL_NEW', limit = 1): Promise<void> {
    await this.prefect.call('PATCH', `/deployments/${this.deployment}`, { concurrency_limit: limit, concurrency_options: { collision_strategy: strategy } });
  }

  /** Of the runs that are started from now on. */
  public async changeQueue(queue: string): Promise<void> {
    await this.prefect.call('PATCH', `/deployments/${this.deployment}`, { work_pool_name: this.pool, work_queue_name: queue });
  }

  /** A flow that a run has called in its process. */
  public async subflow(parent: string, state: string): Promise<string> {
    const { flow_id: flow } = await this.get(parent);
    const task = await this.prefect.call<{ id: string }>('POST', '/task_runs/', { flow_run_id: parent, task_key: 'subflow', dynamic_key: `${this.subflows++}` });
    const { id } = await this.prefect.call<{ id: string }>('POST', '/flow_runs/', { flow_id: flow, parent_task_run_id: task.id, state: { type: 'PENDING' } });
    await this.set(id, { type: 'RUNNING' });
    if (state !== 'RUNNING') await this.set(id, { type: state });
    return id;
  }

  /** The reconciler's look, with no patience where nothing else is said. */
  public async look(type: 'ecs' | 'process' = 'ecs', limits: Partial<ReconcilerLimits> = {}, workQueues?: string[]): Promise<void> {
    this.requests = [];
    const { origin } = this;
    Object.assign(process.env, {
      AWS_ENDPOINT_URL: origin,
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_CONFIG_FILE: '/dev/null',
      AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
      API: JSON.stringify({ url: `${origin}/api`, isCloud: false, secrets: this.secrets }),
      WORKER_SECRETS: JSON.stringify(Object.values(this.secrets)),
      LIMITS: JSON.stringify({ ...IMPATIENT, ...limits }),
    });
    await handler({ workPool: this.pool, worker: 'Worker', workQueues, type, interruptedRuns: this.interruptedRuns, outOfMemory: this.outOfMemory, cluster: CLUSTER, service: 'workers' });
  }

  /** A flow run that has come to a state as real ones do; gives its id. */
  public async run(options: RunOptions = {}): Promise<string> {
    const { state = 'RUNNING', policy, worker, due } = options;
    const begun = options.begun ?? BEGUN.includes(state);
    const { id } = await this.prefect.call<{ id: string }>('POST', `/deployments/${this.deployment}/create_flow_run`, {
      tags: options.tags,
      job_variables: options.jobVariables ?? {},
      ...(worker && { labels: { 'prefect.worker.name': worker } }),
      state: { type: state === 'SCHEDULED' && !begun ? 'SCHEDULED' : 'PENDING' },
    });
    const infrastructure = options.infrastructure === undefined ? `${CLUSTER}::${TASK}${id}` : options.infrastructure;
    if (infrastructure !== null || policy) {
      await this.prefect.call('PATCH', `/flow_runs/${id}`, { ...(infrastructure !== null && { infrastructure_pid: infrastructure }), ...(policy && { empirical_policy: policy }) });
    }
    if (begun) await this.set(id, { type: 'RUNNING' });
    if (!(state === 'PENDING' && options.stateName === undefined) && !(state === 'RUNNING')) {
      await this.set(id, {
        type: state,
        name: options.stateName,
        message: options.message,
        ...(due !== undefined && { state_details: { scheduled_time: new Date(Date.now() + due * 1000).toISOString() } }),
        ...(state === 'PAUSED' && { state_details: { pause_timeout: new Date(Date.now() + 3600_000).toISOString(), pause_reschedule: true } }),
      });
    }
    return id;
  }

  /** Proposes a state, and insists that the server accepts it. */
  public async set(id: string, state: Stored): Promise<void> {
    const { status, details } = await this.prefect.call<any>('POST', `/flow_runs/${id}/set_state`, { state });
    if (status !== 'ACCEPT') throw new Error(`The server does not let a run be ${state.type}: ${JSON.stringify(details)}`);
  }

  /** A task of the cluster; see {@link ReconcilerAws.task}. */
  public task(id: string, overrides: Stored = {}): void {
    this.aws.task(id, overrides);
  }

  public async deploymentVariables(): Promise<Stored> {
    return (await this.prefect.call<any>('GET', `/deployments/${this.deployment}`)).job_variables;
  }

  public get(id: string): Promise<Stored> {
    return this.prefect.call('GET', `/flow_runs/${id}`);
  }

  public async stateOf(id: string): Promise<Stored> {
    return (await this.get(id)).state;
  }

  public async typesOf(ids: readonly string[]): Promise<string[]> {
    return Promise.all(ids.map(async id => (await this.stateOf(id)).type));
  }

  /** How often Prefect was asked. */
  public get asked(): number {
    return this.requests.filter(({ path }) => path.startsWith('/api/')).length;
  }

  /** What was asked of AWS. */
  public targets(): string[] {
    return this.requests.filter(({ path }) => path === '/').map(({ method }) => method);
  }

  /** What the last look asked Prefect to change, as `METHOD path`, with the ids of runs left out. */
  public changes(): string[] {
    const changes = this.requests.filter(({ method, path }) => method === 'PATCH' || /set_state$|\/events$/.test(path));
    return changes.map(({ method, path }) => `${method} ${path.replace(/[0-9a-f-]{36}/, 'id')}`);
  }

  private async serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    const body = text ? JSON.parse(text) : undefined;
    const target = incoming.headers['x-amz-target'];
    const reply = (status: number, answer: string) => {
      outgoing.writeHead(status, { 'content-type': 'application/json' });
      outgoing.end(answer);
    };
    if (target) {
      const action = `${target}`.split('.')[1];
      this.requests.push({ method: action, path: '/', body });
      const [status, answer] = this.aws.answer(action, body);
      return reply(status, JSON.stringify(answer));
    }
    const request = { method: incoming.method!, path: incoming.url!, body };
    this.requests.push(request);
    await this.before?.(request);
    const other = this.instead.find(({ method = request.method, path }) => method === request.method && path.test(request.path));
    if (other && !other.heard) return reply(other.status, '{"detail":"refused"}');
    const response = await fetch(`${this.server.apiUrl}${request.path.replace(/^\/api/, '')}`, {
      method: request.method, headers: { 'content-type': 'application/json', 'connection': 'close' }, body: text || undefined,
    });
    const answer = await response.text();
    return other ? reply(other.status, '{"detail":"lost"}') : response.status === 204 ? void outgoing.writeHead(204).end() : reply(response.status, answer);
  }
}
