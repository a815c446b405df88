import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DescribeServicesCommand, DescribeServicesCommandOutput, ECSClient, StopTaskCommand, UpdateServiceCommand } from '@aws-sdk/client-ecs';
import { Execution, readEvidence } from './evidence';
import { WorkerType } from '../../../src';
import { TaskInfo } from '../../stand-in/stand-in';
import { deploy } from '../support/cdk';
import { Live, startLive } from '../support/environment';
import { PhysicalIds, physicalIds } from '../support/evidence';
import { FlowRun } from '../support/prefect';
import { sqs } from '../support/queue';

const POOL = 'faults';
/** ECS gives two minutes between SIGTERM and SIGKILL; here it is half a minute. */
const TIME_SCALE = 4;
const WORKERS = 2;

export interface ArenaOptions {
  readonly workerType: WorkerType;
  /** With the measures against lost runs, or the plain worker of everyone else. */
  readonly measures: boolean;
  /** Flow runs in flight in each fault. */
  readonly runs: number;
  readonly onProgress?: (line: string) => void;
}

export type FlowName = 'plain' | 'retrying' | 'patient' | 'suspending';

/** A deployed worker service with a real server, and the hands that a fault needs. */
export class Arena {
  public static async start(options: ArenaOptions): Promise<Arena> {
    const live = await startLive({
      api: 'self-hosted',
      workers: WORKERS,
      app: 'test/live/faults/app.ts',
      timeScale: TIME_SCALE,
      gate: true,
      onProgress: options.onProgress,
      environment: {
        WORKER_TYPE: options.workerType,
        MEASURES: options.measures ? 'on' : 'off',
        FLOW_RUN_LIMIT: `${Math.ceil(options.runs / WORKERS)}`,
        WORKER_ENVIRONMENT: JSON.stringify(workerEnvironment(options.workerType)),
      },
    });
    try {
      await deploy(live.standIn, live.deployment);
      const ids = await physicalIds(live.standIn, 'Faults');
      return new Arena(live, options, ids('AWS::ECS::Cluster'), ids('AWS::ECS::Service'), queueOf(ids), await mkdtemp(join(tmpdir(), 'evidence-')));
    } catch (error) {
      await live.stop();
      throw error;
    }
  }

  private readonly deployments = new Map<FlowName, string>();
  private readonly ecs: ECSClient;
  private readonly known = new Set<string>();
  private faults = 0;

  private constructor(
    public readonly live: Live,
    public readonly options: ArenaOptions,
    public readonly cluster: string,
    public readonly service: string,
    private readonly queue: string,
    private readonly directory: string,
  ) {
    const { AWS_REGION: region, AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = live.standIn.environment;
    this.ecs = new ECSClient({ endpoint: live.standIn.endpoint, region, credentials: { accessKeyId, secretAccessKey } });
  }

  /** The file that the runs of this fault wait for. */
  private get gate(): string {
    return `gate-${this.faults}`;
  }

  public async stop(): Promise<void> {
    await this.live.stop();
    await rm(this.directory, { recursive: true, force: true });
  }

  // --- flow runs

  /** Starts `count` flow runs of a flow and gives their ids. They work for some seconds once they are released. */
  public async startRuns(count: number, seconds: number, flow: FlowName = 'plain'): Promise<string[]> {
    const evidence = join(this.directory, 'runs');
    await mkdir(evidence, { recursive: true });
    if (!this.deployments.has(flow)) {
      this.deployments.set(flow, await this.live.prefect.deploy(flow, { workPool: POOL, entrypoint: `flows.py:${flow}`, directory: __dirname }));
    }
    const ids: string[] = [];
    for (let index = 0; index < count; index++) {
      ids.push(await this.live.prefect.start(this.deployments.get(flow)!, { seconds, evidence, gate: this.gate }));
    }
    ids.forEach(id => this.known.add(id));
    return ids;
  }

  /** What the runs themselves have written down. */
  public evidence(id: string): Promise<Execution[]> {
    return readEvidence(join(this.directory, 'runs', id));
  }

  /** Lets the runs work, those that have begun and those that will. */
  public async release(): Promise<void> {
    await writeFile(join(this.directory, 'runs', this.gate), '');
  }

  /** Waits until every run has begun to execute. */
  public async inFlight(ids: readonly string[], seconds = 300): Promise<void> {
    await this.until(`${ids.length} runs in flight`, seconds, async () => {
      const evidence = await Promise.all(ids.map(id => this.evidence(id)));
      return evidence.every(executions => executions.length > 0);
    });
  }

  public async until(what: string, seconds: number, met: () => Promise<boolean>): Promise<void> {
    for (const end = Date.now() + seconds * 1000; !(await met());) {
      if (Date.now() > end) throw new Error(`Not within ${seconds} s: ${what}.`);
      await sleep(300);
    }
  }

  /** Ids of those runs behind which there is a process on this machine. */
  public async withProcess(ids: readonly string[]): Promise<Set<string>> {
    const processes = await environments();
    return new Set(ids.filter(id => processes.some(({ variables }) => variables.get('PREFECT__FLOW_RUN_ID') === id)));
  }

  public flowRuns(ids: readonly string[]): Promise<FlowRun[]> {
    return this.live.prefect.flowRuns(ids);
  }

  // --- workers

  /** Tasks of the service that run. */
  public async workers(): Promise<TaskInfo[]> {
    const group = `service:${this.service.split('/').pop()}`;
    return (await this.live.standIn.tasks()).filter(task => task.group === group && task.lastStatus === 'RUNNING' && task.desiredStatus === 'RUNNING');
  }

  /** Waits until the service has as many healthy workers as it wants, and the pool sees them. */
  public async steady(seconds = 180): Promise<void> {
    await this.until('a steady service', seconds, async () => {
      const answer: DescribeServicesCommandOutput = await this.ecs.send(
        new DescribeServicesCommand({ cluster: this.cluster, services: [this.service] }));
      const { desiredCount, deployments } = answer.services![0];
      const workers = await this.workers();
      return deployments!.length === 1 && workers.length === desiredCount && workers.every(({ healthStatus }) => healthStatus === 'HEALTHY');
    });
  }

  /** The worker task that executes a run. */
  public async workerOf(run: string): Promise<TaskInfo> {
    const process = (await environments()).find(({ variables }) => variables.get('PREFECT__FLOW_RUN_ID') === run);
    const id = process?.variables.get('STAND_IN_OWNER')?.split(':').at(-2);
    const task = (await this.live.standIn.tasks()).find(({ taskArn }) => taskArn.endsWith(`/${id}`));
    if (!task) throw new Error(`No task executes the run ${run}.`);
    return task;
  }

  public async stopTask(task: TaskInfo): Promise<void> {
    await this.ecs.send(new StopTaskCommand({ cluster: this.cluster, task: task.taskArn, reason: 'a fault' }));
  }

  public async interruptSpot(task: TaskInfo): Promise<void> {
    await this.live.standIn.interruptSpot(task.taskArn);
  }

  /** Waits until a task is gone, and gives what became of it. */
  public async stopped(task: TaskInfo, seconds = 120): Promise<TaskInfo> {
    let last = task;
    await this.until(`the task ${task.taskArn} stopped`, seconds, async () => {
      last = (await this.live.standIn.tasks()).find(({ taskArn }) => taskArn === task.taskArn)!;
      return last.lastStatus === 'STOPPED';
    });
    return last;
  }

  // --- the observer's queue

  /** Puts a message into the queue that the worker's observer reads. */
  public async send(body: string): Promise<void> {
    await this.sqs('SendMessage', { MessageBody: body });
  }

  /** The message that a task has stopped by itself, once more. */
  public async sendStopped(task: TaskInfo): Promise<void> {
    const detail = (await this.live.standIn.tasks()).find(({ taskArn }) => taskArn === task.taskArn);
    await this.send(JSON.stringify({
      'version': '0', 'id': randomUUID(), 'detail-type': 'ECS Task State Change', 'source': 'aws.ecs', 'time': new Date().toISOString(), 'resources': [task.taskArn], detail,
    }));
  }

  private async sqs(action: string, parameters: Record<string, unknown> = {}): Promise<void> {
    await sqs(this.live.standIn, action, { QueueUrl: this.queue, ...parameters });
  }

  public async purgeQueue(): Promise<void> {
    await this.sqs('PurgeQueue');
  }

  public async scaleTo(count: number): Promise<void> {
    await this.ecs.send(new UpdateServiceCommand({ cluster: this.cluster, service: this.service, desiredCount: count }));
  }

  /** What a deployment of the stack does to the service, without the time that the CDK needs for it. */
  public async redeploy(): Promise<void> {
    await this.ecs.send(new UpdateServiceCommand({ cluster: this.cluster, service: this.service, forceNewDeployment: true }));
  }

  /** Ids of the processes of a task, those of flow runs or those of the worker itself. */
  public async processesOf(task: TaskInfo, which: 'all' | 'flow runs' | 'worker'): Promise<number[]> {
    const id = task.taskArn.split('/').pop()!;
    const processes = (await environments()).filter(({ variables }) => variables.get('STAND_IN_OWNER')?.includes(`:${id}:`));
    const runs = processes.filter(({ variables }) => variables.has('PREFECT__FLOW_RUN_ID'));
    if (which === 'all') return processes.map(({ pid }) => pid);
    if (which === 'flow runs') return runs.map(({ pid }) => pid);
    // The worker is the process whose children the flow runs are.
    const parents = await Promise.all(runs.map(({ pid }) => parentOf(pid)));
    return [...new Set(parents)].filter(pid => processes.some(process => process.pid === pid) && !runs.some(run => run.pid === pid));
  }

  /** Ends whatever is left of earlier faults, so that the next one starts clean. */
  public async clean(): Promise<void> {
    await this.live.gate!.open();
    for (const run of await this.flowRuns([...this.known])) {
      if (['COMPLETED', 'FAILED', 'CRASHED', 'CANCELLED'].includes(run.state.type)) continue;
      await this.live.prefect.call('POST', `/flow_runs/${run.id}/set_state`, { state: { type: 'CANCELLED', name: 'Cancelled' }, force: true });
    }
    const busy = await this.withProcess([...this.known]);
    for (const { pid, variables } of await environments()) {
      if (busy.has(variables.get('PREFECT__FLOW_RUN_ID') ?? '')) killNow(pid);
    }
    this.known.clear();
    this.faults++;
    await this.scaleTo(WORKERS);
    await this.steady();
  }
}

/** The queue that has a dead-letter queue; a PROCESS worker has none. */
function queueOf(ids: PhysicalIds): string {
  return Object.entries(ids.map).find(([logicalId]) => /Events.*Queue/.test(logicalId) && !/DeadLetter|Policy/.test(logicalId))?.[1] ?? '';
}

export function killNow(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended in the meantime.
  }
}

/** Prefect's own periods, shortened as the stand-in shortens those of AWS, and less of what is not under test. */
function workerEnvironment(workerType: WorkerType): Record<string, string> {
  return {
    PREFECT_WORKER_QUERY_SECONDS: '2',
    PREFECT_WORKER_HEARTBEAT_SECONDS: '5',
    ...(workerType === WorkerType.PROCESS && { WORKER_DRAIN_SECONDS: '8' }),
  };
}

interface Process {
  readonly pid: number;
  readonly variables: Map<string, string>;
}

async function environments(): Promise<Process[]> {
  const processes = await Promise.all((await readdir('/proc')).filter(name => /^\d+$/.test(name)).map(async name => {
    const text = await readFile(`/proc/${name}/environ`, 'utf8').catch(() => '');
    const variables = new Map(text.split('\0').map(line => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)] as const));
    return { pid: Number(name), variables };
  }));
  return processes.filter(({ variables }) => variables.size > 1);
}

async function parentOf(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[1]);
}
