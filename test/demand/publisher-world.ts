import type { PublisherConfiguration } from '../../src/demand/configuration';
import { Answer, PrefectServer, Request } from '../support/prefect-server';

const mockWaits: number[] = [];
jest.mock('node:timers/promises', () => ({ setTimeout: async (milliseconds: number) => { mockWaits.push(milliseconds); } }));

/** What a request to CloudWatch sets each metric to. */
export const values = ({ MetricData }: any) => Object.fromEntries(MetricData.map((datum: any) => [datum.MetricName, datum.Value]));

/** Values of the last minutes, the oldest first, as CloudWatch shows them. */
export const byMinute = (ofMinutes: number[]) => ({
  Timestamps: ofMinutes.map((_, index) => 60 * (Math.floor(Date.now() / 60_000) - (ofMinutes.length - 1 - index))),
  Values: ofMinutes,
});

const secretArn = (name: string) => `arn:aws:secretsmanager:us-east-1:123456789012:secret:${name}-AbCdEf`;

/** What the publisher asks: a pool with one queue, a service, and what tests say of them; and what it published. */
export class PublisherWorld {
  public static async start(): Promise<PublisherWorld> {
    const world = new PublisherWorld(await PrefectServer.start());
    const { server } = world;
    server.authorization = `Basic ${Buffer.from('admin:secret').toString('base64')}`;
    server.secrets.set(secretArn('secret'), 'admin:secret');
    server.secrets.set(secretArn('another'), 'admin:another');
    server.instead = request => {
      if (request.headers['x-amz-target']) return world.aws(request);
      world.takeTime();
      return request.headers.authorization === server.authorization ? world.prefect(request) : undefined;
    };
    mockWaits.length = 0;
    server.standInForAws();
    process.env.AWS_LAMBDA_LOG_GROUP_NAME = 'publisher';
    jest.spyOn(console, 'log').mockImplementation((...words) => world.log.push({ timestamp: Date.now(), message: words.join(' ') }));
    jest.spyOn(console, 'error').mockImplementation();
    return world;
  }

  /** What was sent to CloudWatch, and for how long the function meant to wait. */
  public published: any[] = [];
  public readonly waits = mockWaits;

  /** What AWS says of the service and its tasks, and what it was asked. */
  public desired = 1;
  public recent: number[] = [];
  public points: { [id: string]: { Timestamps: number[]; Values: number[] } } = {};
  public target: object | undefined = {};
  public protection: object = { protectionEnabled: true, expirationDate: Date.now() / 1000 + 1800 };
  public task: object = {};
  public refused: string | undefined;
  public asked: { action: string; body: any }[] = [];
  public counts: number[] = [];
  public service: object = {};

  /** How many milliseconds an answer of the API takes, and when the first one was given. */
  public slow = 0;
  public answered = 0;

  /** How many runs there are beside those on a page of active and ended ones. */
  public more = 0;

  /** How many runs are due and active, and how long others took. */
  public due = 15;
  public active = 4;
  public times: number[] = [];

  /** When runs that are due now were created, in seconds before, and by which task. */
  public created = 3600;
  public parent: string | undefined;

  private readonly log: { timestamp: number; message: string }[] = [];

  private constructor(public readonly server: PrefectServer) {}

  public async stop(): Promise<void> {
    jest.restoreAllMocks();
    await this.server.stop();
  }

  /** Starts the function afresh, once, and gives what it sent to CloudWatch. */
  public async invoke(settings: Partial<PublisherConfiguration> = {}, secret = 'secret'): Promise<any[]> {
    const configuration: PublisherConfiguration = {
      workPool: 'etl',
      worker: 'Worker',
      flowRunLimit: 7,
      leadTimeSeconds: 180,
      pollSeconds: 60,
      scaleInMinutes: 2,
      cluster: 'cluster',
      service: 'worker',
      ...settings,
    };
    process.env.API = JSON.stringify({ url: `${this.server.origin}/api`, isCloud: false, secrets: { PREFECT_API_AUTH_STRING: secretArn(secret) } });
    jest.resetModules();
    await jest.requireActual<typeof import('../../src/demand/publisher.lambda')>('../../src/demand/publisher.lambda').handler(configuration);
    return this.published;
  }

  private aws({ headers, body }: Request): Answer {
    const action = `${headers['x-amz-target']}`.split('.')[1];
    if (action === 'FilterLogEvents') return { status: 200, body: { events: this.log } };
    const answers: Record<string, unknown> = {
      DescribeServices: { services: [{ desiredCount: this.desired, runningCount: this.desired, ...this.service }] },
      DescribeScalableTargets: { ScalableTargets: this.target && [{ MinCapacity: 0, MaxCapacity: 10, ...this.target }] },
      GetMetricData: { MetricDataResults: body.MetricDataQueries?.map(({ Id }: any) => ({ Id, ...this.points[Id] ?? byMinute(this.recent) })) },
      GetTaskProtection: { protectedTasks: body.tasks?.map((taskArn: string) => ({ taskArn, ...this.protection })) },
      DescribeTasks: { tasks: body.tasks?.map((id: string) => ({ taskArn: `arn:task/cluster/${id}`, group: 'service:worker', lastStatus: 'RUNNING', ...this.task })) },
      UpdateService: {},
    };
    this.asked.push({ action, body });
    if (action === this.refused) return { status: 400, body: { __type: 'AccessDeniedException', message: 'no' } };
    if (action === 'UpdateService') this.counts.push(body.desiredCount);
    if (answers[action]) return { status: 200, body: answers[action] };
    expect(action).toBe('PutMetricData');
    this.published.push(body);
    return { status: 200, body: {} };
  }

  private takeTime(): void {
    const end = Date.now() + this.slow;
    while (Date.now() < end);
    this.answered ||= Date.now();
  }

  private prefect({ path, body }: Request): Answer {
    const queue = { id: '1', name: 'default', is_paused: false, concurrency_limit: null };
    const answers: Record<string, unknown> = {
      '/api/work_pools/etl': { is_paused: false, concurrency_limit: null },
      '/api/work_pools/etl/queues/filter': [queue],
      '/api/work_pools/etl/workers/filter': [{}],
      '/api/flow_runs/paginate': body?.flow_runs?.operator === 'or_'
        ? { count: this.active + this.more, results: this.runs(this.active, 'RUNNING') } : { count: this.due, results: this.runs(this.due, 'SCHEDULED') },
      '/api/flow_runs/filter': this.times.map(seconds => ({ deployment_id: 'd', total_run_time: seconds })),
      '/api/flow_runs/count': body?.flow_runs?.state?.type.any_[0] === 'RUNNING' ? 4 : 0,
      '/api/deployments/filter': [{ id: 'd', global_concurrency_limit: null, concurrency_options: null }],
    };
    return { status: 200, body: answers[path] };
  }

  private runs(count: number, type: string) {
    const labels = { 'prefect.worker.name': 'us-east-1:cluster:busy' };
    const run = { work_queue_name: 'default', labels, start_time: new Date().toISOString(), deployment_id: 'd', end_time: null };
    const now = new Date().toISOString();
    const known = { created: new Date(Date.now() - this.created * 1000).toISOString(), expected_start_time: now, next_scheduled_start_time: now };
    return Array.from({ length: count }, (_, id) => ({ ...run, ...known, parent_task_run_id: this.parent, id: `${id}`, state_type: type, state_name: type }));
  }
}
