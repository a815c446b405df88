import { ApplicationAutoScalingClient, DescribeScalableTargetsCommand } from '@aws-sdk/client-application-auto-scaling';
import { DescribeTasksCommand, ECSClient, GetTaskProtectionCommand, UpdateServiceCommand } from '@aws-sdk/client-ecs';
import type { PublisherConfiguration } from './configuration';
import { Bounds, Found, mayBeTooMuch, newDesiredCount, SOON_SECONDS } from './new-desired-count';
import { minuteOf, readPast } from './past';
import type { Fleet } from './workers';

/** As many tasks ECS tells of at a time. */
const MOST_TASKS = 100;

// Without a route to it, as in a network with endpoints that lacks this one, the rest of the poll goes on.
const autoScaling = new ApplicationAutoScalingClient({ maxAttempts: 2, requestHandler: { connectionTimeout: 2000 } });
const ecs = new ECSClient({});

/**
 * Has the service keep as many workers as are needed. Not by alarms and policies: an alarm sees a metric some seconds to a minute after it
 * was sent, and acts on what is no longer so.
 *
 * @param busyTasks the service's tasks that have flow runs: none is taken away while the protection of one of them has lapsed, as ECS
 * might choose that one; undefined where they aren't known, and then none is taken away either
 * @returns how many workers wait for unscheduled runs
 */
export async function setDesiredCount(
  configuration: PublisherConfiguration, { desired }: Fleet, needed: Pick<Found, 'required' | 'unscheduled' | 'room'>, busyTasks: readonly string[] | undefined,
): Promise<number> {
  const { required } = needed;
  if (required === desired) return 0;
  const { cluster, service } = configuration;
  const bounds = await boundsOf(configuration);
  if (!bounds) return 0;
  const busy = busyTasks?.length ?? Infinity;
  const found: Found = { ...needed, busy, desired, minute: minuteOf(Date.now()) };
  const past = mayBeTooMuch(found, bounds) ? await readPast(configuration) : undefined;
  const { count, warm } = newDesiredCount(found, past, configuration, bounds);
  if (count === undefined) return warm;
  if (count < desired && await anyUnprotected(cluster, busyTasks ?? [])) {
    console.log(`The service keeps ${desired} workers and not ${count}: of those that have flow runs one isn't protected, or not for long.`);
    return warm;
  }
  await ecs.send(new UpdateServiceCommand({ cluster, service, desiredCount: count }));
  console.log(`The service keeps ${count} workers, before ${desired}: ${required} are needed${warm > 0 ? `, ${warm} wait for unscheduled flow runs` : ''}.`);
  return warm;
}

/**
 * The tasks of the service among those of workers, whose names are made of region, cluster and task. Other services of the cluster may
 * serve the same queues.
 */
export async function tasksOf({ cluster, service }: PublisherConfiguration, workers: readonly string[]): Promise<string[]> {
  const start = `${process.env.AWS_REGION}:${cluster.split('/').pop()}:`;
  const ids = workers.filter(name => name.startsWith(start)).map(name => name.slice(start.length));
  const own: string[] = [];
  for (let first = 0; first < ids.length; first += MOST_TASKS) {
    const { tasks = [] } = await ecs.send(new DescribeTasksCommand({ cluster, tasks: ids.slice(first, first + MOST_TASKS) }));
    own.push(...tasks.filter(({ group, lastStatus }) => group === `service:${service}` && lastStatus !== 'STOPPED').map(({ taskArn }) => taskArn!));
  }
  return own;
}

/** Whether the protection of any has lapsed, or does so before ECS has taken others away. */
async function anyUnprotected(cluster: string, tasks: readonly string[]): Promise<boolean> {
  for (let first = 0; first < tasks.length; first += MOST_TASKS) {
    const { protectedTasks = [] } = await ecs.send(new GetTaskProtectionCommand({ cluster, tasks: tasks.slice(first, first + MOST_TASKS) }));
    const soon = Date.now() + SOON_SECONDS * 1000;
    const holds = (expires?: Date) => expires === undefined || expires.getTime() >= soon;
    if (protectedTasks.some(({ protectionEnabled, expirationDate }) => !protectionEnabled || !holds(expirationDate))) return true;
  }
  return false;
}

/** Undefined where nothing may scale the service. */
async function boundsOf({ cluster, service }: PublisherConfiguration): Promise<Bounds | undefined> {
  const { ScalableTargets: [target] = [] } = await autoScaling.send(new DescribeScalableTargetsCommand({
    ServiceNamespace: 'ecs',
    ScalableDimension: 'ecs:service:DesiredCount',
    ResourceIds: [`service/${cluster.split('/').pop()}/${service.split('/').pop()}`],
  }));
  return target && {
    min: target.MinCapacity!,
    max: target.MaxCapacity!,
    outSuspended: target.SuspendedState?.DynamicScalingOutSuspended,
    inSuspended: target.SuspendedState?.DynamicScalingInSuspended,
  };
}
