import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DescribeServicesCommand, DescribeServicesCommandOutput, DescribeTasksCommand, ECSClient, RunTaskCommand, StopTaskCommand, UpdateServiceCommand } from '@aws-sdk/client-ecs';
import { GetSecretValueCommand, PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { EventQueue } from './event-queue';
import { Execution, readEvidence } from './evidence';
import { FINAL, TIME_SCALE } from './fault';
import { FlowName, jobVariables } from './flows';
import { WorkerType } from '../../../src';
import { PATIENCE } from '../../pace';
import { clientConfiguration, TaskInfo } from '../../stand-in/stand-in';
import { deploy } from '../support/cdk';
import { Live, startLive } from '../support/environment';
import { physicalIds } from '../support/evidence';
import { FlowRun } from '../support/prefect';
import { environments, killNow, processesOf, processesOfRun, standsStill } from '../support/processes';

const POOL = 'faults';
const WORKERS = 2;

export interface ArenaOptions {
  readonly workerType: WorkerType;
  /** With the measures against lost runs, or the plain worker of everyone else. */
  readonly measures: boolean;
  /** Flow runs in flight in each fault. */
  readonly runs: number;
  /** Whether AWS's own times pass at their own pace. Otherwise ECS gives half a minute between SIGTERM and SIGKILL instead of two. */
  readonly realtime?: boolean;
  readonly onProgress?: (line: string) => void;
}

/** A deployed worker service with a real server, and the hands that a fault needs. */
export class Arena {
  public static async start(options: ArenaOptions): Promise<Arena> {
    const live = await startLive({
      api: 'self-hosted',
      workers: WORKERS,
      app: 'test/live/faults/app.ts',
      timeScale: options.realtime ? 1 : TIME_SCALE,
      gate: true,
      onProgress: options.onProgress,
      environment: {
        WORKER_TYPE: options.workerType,
        MEASURES: options.measures ? 'on' : 'off',
        REALTIME: options.realtime ? 'on' : 'off',
        FLOW_RUN_LIMIT: `${Math.ceil(options.runs / WORKERS)}`,
        WORKER_ENVIRONMENT: JSON.stringify(workerEnvironment(options.workerType)),
      },
    });
    try {
      await deploy(live.standIn, live.deployment);
      const ids = await physicalIds(live.standIn, 'Faults');
      const events = new EventQueue(live.standIn, ids.map);
      return new Arena(live, options, ids('AWS::ECS::Cluster'), ids('AWS::ECS::Service'), events, await mkdtemp(join(tmpdir(), 'evidence-')));
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
    /** What the worker's observer reads. */
    public readonly events: EventQueue,
    private readonly directory: string,
  ) {
    this.ecs = new ECSClient(clientConfiguration(live.standIn));
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
      this.deployments.set(flow, await this.live.prefect.deploy(flow, {
        workPool: POOL,
        entrypoint: `flows.py:${flow}`,
        directory: __dirname,
        jobVariables: jobVariables(flow, this.options),
      }));
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
  public async inFlight(ids: readonly string[], seconds = Math.max(300, 8 * ids.length)): Promise<void> {
    await this.until(`${ids.length} runs in flight`, seconds, async () => {
      const evidence = await Promise.all(ids.map(id => this.evidence(id)));
      return evidence.every(executions => executions.length > 0);
    });
  }

  /** Waits until so many of each run's tasks are done. */
  public async tasksDone(ids: readonly string[], tasks: number): Promise<void> {
    await this.until(`${tasks} tasks done`, Math.max(300, 8 * ids.length), async () => {
      const evidence = await Promise.all(ids.map(id => this.evidence(id)));
      return evidence.every(([execution]) => execution?.tasks.length >= tasks);
    });
  }

  public async until(what: string, seconds: number, met: () => Promise<boolean>): Promise<void> {
    for (const end = Date.now() + seconds * PATIENCE * 1000; !(await met());) {
      if (Date.now() > end) throw new Error(`Not within ${seconds * PATIENCE} s: ${what}.`);
      await sleep(300);
    }
  }

  /** Ids of those runs behind which there is a process that doesn't stand still. */
  public async withProcess(ids: readonly string[]): Promise<Set<string>> {
    const processes = await environments();
    const moving = await Promise.all(ids.map(async id => {
      const own = processes.filter(({ flowRun }) => flowRun === id);
      return (await Promise.all(own.map(({ pid }) => standsStill(pid)))).includes(false);
    }));
    return new Set(ids.filter((_, index) => moving[index]));
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
    const [process] = await processesOfRun(run);
    const id = process?.variables.get('STAND_IN_OWNER')?.split(':').at(-2);
    const task = (await this.live.standIn.tasks()).find(({ taskArn }) => taskArn.endsWith(`/${id}`));
    if (!task) throw new Error(`No task executes the run ${run}.`);
    return task;
  }

  /** Starts one more task for a run, as the one that executes it was, and writes it down; gives its ARN. */
  public async startLate(run: string): Promise<string> {
    const { taskArn } = await this.workerOf(run);
    const { tasks } = await this.ecs.send(new DescribeTasksCommand({ cluster: this.cluster, tasks: [taskArn], include: ['TAGS'] }));
    const { services } = await this.ecs.send(new DescribeServicesCommand({ cluster: this.cluster, services: [this.service] }));
    const [{ taskDefinitionArn, overrides, tags }] = tasks!;
    const started = await this.ecs.send(new RunTaskCommand({
      cluster: this.cluster, taskDefinition: taskDefinitionArn, overrides, tags, launchType: 'FARGATE', networkConfiguration: services![0].networkConfiguration,
    }));
    const late = started.tasks![0].taskArn!;
    await this.live.prefect.call('PATCH', `/flow_runs/${run}`, { infrastructure_pid: `${this.cluster}::${late}` });
    return late;
  }

  /** As somebody does in the console, or with the AWS CLI. */
  public async stopTask(task: TaskInfo, reason = 'a fault'): Promise<void> {
    await this.ecs.send(new StopTaskCommand({ cluster: this.cluster, task: task.taskArn, reason }));
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

  /** Lets the automation wait for heartbeats only this long. */
  public async expectHeartbeats(withinSeconds: number): Promise<void> {
    const automations = await this.live.prefect.call<any[]>('POST', '/automations/filter', {});
    const automation = automations.find(({ name }) => name.endsWith(` in ${POOL}`));
    if (!automation) throw new Error('The work pool has no automation.');
    const { id, created, updated, account, workspace, ...rest } = automation;
    await this.live.prefect.call('PUT', `/automations/${id}`, { ...rest, trigger: { ...rest.trigger, within: withinSeconds } });
  }

  /** The message that a task has stopped by itself, once more. */
  public async sendStopped(task: TaskInfo): Promise<void> {
    const detail = (await this.live.standIn.tasks()).find(({ taskArn }) => taskArn === task.taskArn);
    await this.events.send(JSON.stringify({
      'version': '0', 'id': randomUUID(), 'detail-type': 'ECS Task State Change', 'source': 'aws.ecs', 'time': new Date().toISOString(), 'resources': [task.taskArn], detail,
    }));
  }

  /** Writes the API's secret anew, as a rotation does. */
  public async rotateSecret(): Promise<void> {
    const client = new SecretsManagerClient(clientConfiguration(this.live.standIn));
    const SecretId = this.live.deployment.environment.SECRET_ARN;
    const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId }));
    await client.send(new PutSecretValueCommand({ SecretId, SecretString }));
  }

  public async scaleTo(count: number): Promise<void> {
    await this.ecs.send(new UpdateServiceCommand({ cluster: this.cluster, service: this.service, desiredCount: count }));
  }

  /** What a deployment of the stack does to the service, without the time that the CDK needs for it. */
  public async redeploy(): Promise<void> {
    await this.ecs.send(new UpdateServiceCommand({ cluster: this.cluster, service: this.service, forceNewDeployment: true }));
  }

  /** Ids of the processes of a task, all or those of flow runs. */
  public async processesOf(task: TaskInfo, which: 'all' | 'flow runs'): Promise<number[]> {
    const processes = await processesOf(task);
    return processes.filter(({ flowRun }) => which === 'all' || flowRun !== undefined).map(({ pid }) => pid);
  }

  /** Ends whatever is left of earlier faults, so that the next one starts clean. */
  public async clean(): Promise<void> {
    await this.live.gate!.open();
    this.live.gate!.refusePolls(false);
    await this.live.standIn.hinderTasks();
    for (const run of await this.flowRuns([...this.known])) {
      if (FINAL.includes(run.state.type)) continue;
      await this.live.prefect.call('POST', `/flow_runs/${run.id}/set_state`, { state: { type: 'CANCELLED', name: 'Cancelled' }, force: true });
    }
    for (const { pid, flowRun } of await environments()) {
      if (flowRun !== undefined && this.known.has(flowRun)) killNow(pid);
    }
    this.known.clear();
    this.faults++;
    await this.scaleTo(WORKERS);
    await this.steady();
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
