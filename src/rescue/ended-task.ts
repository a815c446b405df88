import type { Task } from '@aws-sdk/client-ecs';
import type { TaskEnd } from './configuration';
import { Tasks } from './tasks';
import { logMetric } from '../private/pool-log';
import { billedSeconds, dollarsAnHour, pricedRegion } from '../private/task-price';

/** Publishes what a flow run's task has cost, by a line that says of which flow run and deployment it was. */
export async function priceTask({ pools, task }: TaskEnd<Task>): Promise<void> {
  const family = task.taskDefinitionArn!.split('/').pop()!;
  const candidates = pools.filter(pool => pool.cluster === task.clusterArn && family.startsWith(pool.family));
  // A worker's own task may have a family that begins so too.
  if (candidates.length === 0 || task.group?.startsWith('service:')) return;
  const tags = await tagsOf(task);
  const tag = (name: string) => tags[`prefect.io/${name}`];
  // Prefect's own names of task definitions, which those of an existing pool have, are those of other pools too.
  const owner = tag('work-pool-name');
  const [pool] = candidates.filter(({ workPool }) => owner === undefined || inTags(owner) === inTags(workPool))
    .sort((a, b) => b.family.length - a.family.length);
  if (!pool) return;
  const region = process.env.AWS_REGION!;
  const size = {
    cpu: Number(task.cpu),
    memoryMiB: Number(task.memory),
    ephemeralStorageGiB: task.ephemeralStorage?.sizeInGiB,
    cpuArchitecture: task.attributes?.some(({ name, value }) => name === 'ecs.cpu-architecture' && value === 'arm64') ? 'ARM64' : 'X86_64',
  };
  const spot = task.capacityProviderName === 'FARGATE_SPOT';
  const seconds = billedSeconds(new Date(task.pullStartedAt!), new Date(task.stoppedAt!));
  logMetric(pool, 'Cost', dollarsAnHour(size, spot, region) * seconds / 3600, {
    unit: 'None',
    also: {
      deployment: tag('deployment-name') === undefined ? 'unknown' : `${tag('flow-name')}/${tag('deployment-name')}`,
      flow_run_id: tag('flow-run-id'),
      flow_run_name: tag('flow-run-name'),
      task: task.taskArn,
      seconds,
      ...size,
      spot,
      prices: pricedRegion(region),
    },
  });
}

/** What is left of a name in a tag: Prefect writes hyphens in place of all others. */
const inTags = (name: string) => name.normalize('NFKC').replace(/[^a-zA-Z0-9]/g, '');

/** Without them, a price is better than none. */
async function tagsOf({ clusterArn, taskArn }: Task): Promise<Partial<Record<string, string>>> {
  return new Tasks(clusterArn!).tags(taskArn!).catch(error => {
    console.error(`Tags of ${taskArn}:`, error);
    return {};
  });
}
