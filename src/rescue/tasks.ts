import { DescribeTasksCommand, ECSClient, paginateListTasks, StopTaskCommand, Task } from '@aws-sdk/client-ecs';
import { TaskOutcome } from './task-outcome';
import { MAX_RUN_TIME_TAG } from '../private/max-run-time';
import { STOPPED_BY_RECONCILER } from '../private/stop-reasons';
import { reasonOf } from '../private/task-reason';

/** The most tasks that ECS describes at a time. */
const PAGE = 100;
const FLOW_RUN_TAG = 'prefect.io/flow-run-id';
const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;

/** What a flow run says of where it is executed. */
interface Located {
  readonly state: string;
  readonly infrastructure: string | null;
  readonly worker: unknown;
}

/** The tasks of one cluster. */
export class Tasks {
  private readonly client = new ECSClient({});
  private readonly arnPrefix: string;

  constructor(private readonly cluster: string) {
    // arn:partition:ecs:region:account:cluster/name -> arn:partition:ecs:region:account:task/name/
    this.arnPrefix = `${cluster.replace(':cluster/', ':task/')}/`;
  }

  /**
   * The task of this cluster that a run names: as `cluster::task` in its infrastructure, or, where it is the worker's, by the name of
   * its worker. Undefined where it names none, and 'elsewhere' where somebody else has it, whose business it is.
   *
   * @param ownTask whether the task is the run's own, or the worker's with others in it
   */
  public taskArnOf({ state, infrastructure, worker }: Located, ownTask: boolean): string | 'elsewhere' | undefined {
    const named = infrastructure?.split('::').pop();
    const here = named?.startsWith(this.arnPrefix) ? named : undefined;
    const workers = typeof worker === 'string' ? this.ofWorker(worker) : undefined;
    // A worker puts its own name on a run that it has claimed; until its task is written down, the run names that of the last attempt.
    const foreign = typeof worker === 'string' && !workers;
    if (here && !(foreign && state === 'PENDING')) return here;
    if (foreign || ownTask && infrastructure !== null && !workers) return 'elsewhere';
    return ownTask ? undefined : workers;
  }

  /** The launcher of a worker names it `region:cluster:task`. */
  private ofWorker(name: string): string | undefined {
    const [region, cluster, id] = name.split(':');
    const here = this.cluster.split(':')[3] === region && this.arnPrefix.endsWith(`/${cluster}/`);
    return here && id ? `${this.arnPrefix}${id}` : undefined;
  }

  /** What has become of tasks, by ARN. */
  public async outcomes(arns: readonly string[]): Promise<Map<string, TaskOutcome>> {
    const outcomes = new Map<string, TaskOutcome>();
    for (let start = 0; start < arns.length; start += PAGE) {
      const tasks = arns.slice(start, start + PAGE);
      const answer = await this.client.send(new DescribeTasksCommand({ cluster: this.cluster, tasks, include: ['TAGS'] }));
      for (const { arn, reason } of answer.failures ?? []) {
        // ECS remembers a task for about an hour after its end.
        if (reason === 'MISSING') outcomes.set(arn!, { task: 'stopped', reason: 'Amazon ECS no longer knows it.', spot: false });
      }
      answer.tasks?.forEach(task => outcomes.set(task.taskArn!, outcomeOf(task)));
    }
    return outcomes;
  }

  /** Tasks that have not stopped, by the flow run that the worker has tagged them with. */
  public async living(): Promise<Map<string, TaskOutcome>> {
    const outcomes = new Map<string, TaskOutcome>();
    for await (const { taskArns = [] } of paginateListTasks({ client: this.client }, { cluster: this.cluster, desiredStatus: 'RUNNING' })) {
      if (taskArns.length === 0) continue;
      const { tasks } = await this.client.send(new DescribeTasksCommand({ cluster: this.cluster, tasks: taskArns, include: ['TAGS'] }));
      for (const task of tasks ?? []) {
        const flowRun = tagOf(task, FLOW_RUN_TAG);
        const outcome = outcomeOf(task);
        // A tag that somebody else has written may hold anything.
        if (flowRun && UUID.test(flowRun) && outcome.task !== 'stopped') outcomes.set(flowRun, outcome);
      }
    }
    return outcomes;
  }

  /** None of a task that ECS has forgotten. */
  public async tags(task: string): Promise<Partial<Record<string, string>>> {
    const { tasks = [] } = await this.client.send(new DescribeTasksCommand({ cluster: this.cluster, tasks: [task], include: ['TAGS'] }));
    return Object.fromEntries(tasks.flatMap(({ tags = [] }) => tags.map(({ key, value }) => [key, value])));
  }

  public async stop(arn: string, reason: string): Promise<void> {
    await this.client.send(new StopTaskCommand({ cluster: this.cluster, task: arn, reason: (STOPPED_BY_RECONCILER + reason).slice(0, 1024) }));
  }
}

function tagOf({ tags = [] }: Task, name: string): string | undefined {
  return tags.find(({ key }) => key === name)?.value;
}

function outcomeOf(task: Task): TaskOutcome {
  const known = { spot: task.capacityProviderName === 'FARGATE_SPOT', created: task.createdAt };
  const stop = { stopCode: task.stopCode, reason: reasonOf(task) };
  // Its value is a number and a unit, for whoever reads it in the console.
  const maxRunTime = parseInt(tagOf(task, MAX_RUN_TIME_TAG) ?? '', 10) || undefined;
  const living = { ...known, arn: task.taskArn!, started: task.startedAt, maxRunTime, ...(task.desiredStatus === 'STOPPED' && { stopping: stop }) };
  switch (task.lastStatus) {
    case 'PROVISIONING':
    case 'PENDING':
    case 'ACTIVATING':
      return { task: 'starting', ...living };
    case 'STOPPED':
    case 'DELETED':
      return { task: 'stopped', ...known, ...stop, at: task.stoppedAt, size: { cpu: Number(task.cpu), memory: Number(task.memory) } };
    default:
      return { task: 'running', ...living };
  }
}
