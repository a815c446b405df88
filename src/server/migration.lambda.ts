import { setTimeout as sleep } from 'node:timers/promises';
import { CloudWatchLogsClient, GetLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { Container, DescribeTasksCommand, ECSClient, ListTasksCommand, RunTaskCommand, Task } from '@aws-sdk/client-ecs';
import type { CdkCustomResourceEvent, CdkCustomResourceResponse, Context } from 'aws-lambda';

/** What is left of the function's time for its answer. */
const RESERVE_MS = 30_000;
const LOOK_EVERY_MS = 3_000;
/** As the console shows it. */
const STARTED_BY = 'prefect-migration';
/** Lines of its log that are told where it fails. */
const LAST_LINES = 15;
const LONGEST_REASON = 2_500;

/**
 * What Prefect says of a database whose schema is newer than itself, as after a rollback. The API works with that.
 *
 * @see https://docs.prefect.io/v3/advanced/database-maintenance
 */
const NEWER_SCHEMA = /Can't locate revision/;

interface Migration {
  readonly Cluster: string;
  readonly TaskDefinition: string;
  readonly Family: string;
  readonly Container: string;
  readonly LogGroup: string;
  readonly Subnets: string[];
  readonly SecurityGroups: string[];
}

const ecs = new ECSClient({});

/** Brings the database of a server to the schema of its version, by a task of that version. */
export async function handler(event: CdkCustomResourceEvent, context: Context): Promise<CdkCustomResourceResponse> {
  const migration = event.ResourceProperties as unknown as Migration & typeof event.ResourceProperties;
  if (event.RequestType === 'Delete') return {};
  // The resource is called after what has migrated the database last.
  const PhysicalResourceId = migration.TaskDefinition;
  // CloudFormation goes back to it after a failure, which changed nothing: what failed, such as a database that is away, would fail again, and the rollback with it.
  if (event.RequestType === 'Update' && event.PhysicalResourceId === PhysicalResourceId) return { PhysicalResourceId };
  const giveUp = Date.now() + context.getRemainingTimeInMillis() - RESERVE_MS;
  // Two at a time get in each other's way: one that a deployment before this left behind is waited for.
  for (const taskArn of await running(migration)) await ended(migration, taskArn, giveUp);
  const task = await ended(migration, await start(migration, event.RequestId), giveUp);
  const containers = task.containers ?? [];
  if (containers.find(({ name }) => name === migration.Container)?.exitCode === 0) return { PhysicalResourceId };

  // Without its certificate or its /tmp, the container itself never starts.
  const failed = containers.find(({ exitCode }) => exitCode) ?? { name: migration.Container };
  const lines = await lastLines(migration, failed.name!, task);
  if (lines.some(line => NEWER_SCHEMA.test(line))) {
    console.log(JSON.stringify({ migration: 'the schema is newer than the server, and stays', task: task.taskArn }));
    return { PhysicalResourceId };
  }
  throw new Error(failure(task, failed, lines));
}

async function running({ Cluster, Family }: Migration): Promise<string[]> {
  const { taskArns } = await ecs.send(new ListTasksCommand({ cluster: Cluster, family: Family }));
  return taskArns ?? [];
}

async function start({ Cluster, TaskDefinition, Subnets, SecurityGroups }: Migration, clientToken: string): Promise<string> {
  const { tasks, failures } = await ecs.send(new RunTaskCommand({
    cluster: Cluster,
    taskDefinition: TaskDefinition,
    launchType: 'FARGATE',
    startedBy: STARTED_BY,
    propagateTags: 'TASK_DEFINITION',
    // The provider may call twice for one request.
    clientToken,
    networkConfiguration: { awsvpcConfiguration: { subnets: Subnets, securityGroups: SecurityGroups, assignPublicIp: 'DISABLED' } },
  }));
  const [task] = tasks ?? [];
  if (!task?.taskArn) throw new Error(`Amazon ECS can't start the migration of the database: ${failures?.map(({ reason, detail }) => detail ?? reason).join('; ')}`);
  return task.taskArn;
}

async function ended({ Cluster }: Migration, taskArn: string, giveUp: number): Promise<Task> {
  for (;;) {
    const { tasks } = await ecs.send(new DescribeTasksCommand({ cluster: Cluster, tasks: [taskArn] }));
    const [task] = tasks ?? [];
    if (!task || task.lastStatus === 'STOPPED') return task ?? { taskArn };
    if (Date.now() > giveUp) {
      throw new Error(`The migration of the database has not ended yet, and goes on in the task ${taskArn}. The services are as before. Deploy again: that waits for it.`);
    }
    await sleep(LOOK_EVERY_MS);
  }
}

async function lastLines({ LogGroup }: Migration, container: string, { taskArn }: Task): Promise<string[]> {
  const logStreamName = `migration/${container}/${taskArn!.split('/').pop()}`;
  try {
    const { events } = await new CloudWatchLogsClient({}).send(new GetLogEventsCommand({ logGroupName: LogGroup, logStreamName, limit: 100 }));
    return (events ?? []).map(({ message }) => (message ?? '').trimEnd()).filter(line => line !== '');
  } catch (error) {
    // A task that never started has said nothing.
    return [`(no log: ${(error as Error).message})`];
  }
}

/** CloudFormation takes 4 KB, and the end says what went wrong. */
function failure({ taskArn, stoppedReason, containers }: Task, { name, exitCode }: Container, lines: readonly string[]): string {
  const reasons = [stoppedReason, ...(containers ?? []).map(({ name: container, reason }) => reason && `${container}: ${reason}`)].filter(Boolean).join('; ');
  const how = exitCode === undefined ? reasons : `exit code ${exitCode} of the container ${name}`;
  return `The migration of the database failed (${how}, task ${taskArn}), so the services are as before. `
    + `Its last words: ${lines.slice(-LAST_LINES).join('\n').slice(-LONGEST_REASON)}`;
}
