import { Answer, PrefectServer, Request } from './prefect-server';
import { handler } from '../../src/rescue/reconciler.lambda';

export const CLUSTER = 'arn:aws:ecs:us-east-1:123456789012:cluster/live';
export const TASK = 'arn:aws:ecs:us-east-1:123456789012:task/live/';
export const OLD = '2020-01-01T00:00:00Z';

type Stored = Record<string, any>;

/** The flow runs of a work pool and the tasks of its cluster, as the rescue function finds them in Prefect's API and in that of Amazon ECS. */
export class RescueWorld {
  public static async start(): Promise<RescueWorld> {
    const world = new RescueWorld(await PrefectServer.start());
    world.server.instead = request => request.headers['x-amz-target'] ? world.ecs(request) : world.prefect(request);
    world.server.standInForAws();
    return world;
  }

  public readonly runs: Stored[] = [];
  public readonly events: Stored[] = [];
  /** When the workers were deployed, in seconds. */
  public deployed = Date.now() / 1000;
  /** Secrets of the API, by the name of their variable. */
  public secrets: Record<string, string> = {};
  private readonly tasks: Stored[] = [];

  private constructor(public readonly server: PrefectServer) {}

  public async look(type: 'ecs' | 'process' = 'ecs'): Promise<void> {
    process.env.CONFIGURATION = JSON.stringify({ api: { url: `${this.server.origin}/api`, isCloud: false, secrets: this.secrets }, workPool: 'etl', type, cluster: CLUSTER, service: 'workers', workerSecrets: Object.values(this.secrets) });
    await handler();
  }

  /** A run that has been in its state since 2020, with its task named by its id. */
  public addRun(id: string, overrides: Stored = {}): Stored {
    const run = {
      id,
      state_id: `state-of-${id}`,
      state_type: 'RUNNING',
      state: { message: null, timestamp: OLD },
      run_count: 1,
      empirical_policy: { retries: 0, retry_delay: 0 },
      infrastructure_pid: `${CLUSTER}::${TASK}${id}`,
      job_variables: { image: 'ours' },
      labels: {},
      ...overrides,
    };
    this.runs.push(run);
    return run;
  }

  public addTask(id: string, overrides: Stored = {}): void {
    this.tasks.push({ taskArn: `${TASK}${id}`, lastStatus: 'STOPPED', desiredStatus: 'STOPPED', stopCode: 'SpotInterruption', stoppedReason: 'Your Spot Task was interrupted.', stoppedAt: 1700000000, ...overrides });
  }

  /** Lets requests for a path have another answer. */
  public answer(path: RegExp, answer: Answer): void {
    const serve = this.server.instead!;
    this.server.instead = request => path.test(request.path) ? answer : serve(request);
  }

  /** What was asked of AWS. */
  public targets(): string[] {
    return this.server.requests.map(({ headers }) => headers['x-amz-target']).filter(Boolean).map(target => `${target}`.split('.')[1]);
  }

  public stateOf(id: string): Stored {
    return this.runs.find(run => run.id === id)!.state;
  }

  private prefect({ method, path, body }: Request): Answer {
    if (path === '/api/flow_runs/filter') {
      expect(body.work_pools).toEqual({ name: { any_: ['etl'] } });
      const found = this.runs.filter(run => body.flow_runs.state.type.any_.includes(run.state_type));
      return { status: 200, body: found.slice(body.offset, body.offset + body.limit) };
    }
    if (path === '/api/events/filter') return { status: 200, body: { events: this.events } };
    if (path === '/api/events') return { status: 204 };
    const run = this.runs.find(({ id }) => path.split('/')[3] === id)!;
    if (method === 'PATCH') Object.assign(run, body);
    if (!path.endsWith('/set_state')) return { status: 200, body: run };
    Object.assign(run, { state_type: body.state.type, state: body.state, state_id: 'new' });
    return { status: 200, body: { status: 'ACCEPT' } };
  }

  private ecs({ headers, body }: Request): Answer {
    const action = `${headers['x-amz-target']}`.split('.')[1];
    if (action === 'ListTasks') return { status: 200, body: { taskArns: this.tasks.filter(({ desiredStatus }) => desiredStatus === body.desiredStatus).map(({ taskArn }) => taskArn) } };
    if (action === 'DescribeServices') return { status: 200, body: { services: [{ deployments: [{ status: 'PRIMARY', createdAt: this.deployed }] }] } };
    if (action === 'UpdateService') {
      this.deployed = Date.now() / 1000;
      return { status: 200, body: { service: {} } };
    }
    if (action === 'StopTask') return { status: 200, body: { task: {} } };
    const found = this.tasks.filter(({ taskArn }) => body.tasks.includes(taskArn));
    const failures = body.tasks.filter((arn: string) => !found.some(({ taskArn }) => taskArn === arn)).map((arn: string) => ({ arn, reason: 'MISSING' }));
    return { status: 200, body: { tasks: found, failures } };
  }
}
