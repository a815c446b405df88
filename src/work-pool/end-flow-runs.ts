import { setTimeout as sleep } from 'node:timers/promises';
import { ClusterNotFoundException, DescribeTasksCommand, ECSClient, paginateListTasks, StopTaskCommand, Task } from '@aws-sdk/client-ecs';
import type { CdkCustomResourceEvent, CdkCustomResourceResponse } from 'aws-lambda';
import type { FlowRunTasksConfiguration } from './configuration';
import { pause } from './pause';
import { connect } from '../private/prefect-connection';
import { STACK_IS_DELETED } from '../private/stop-reasons';

/** Seconds that flow runs may go on, before their tasks are stopped. */
const patienceSeconds = () => Number(process.env.FLOW_RUN_PATIENCE_SECONDS ?? 300);
/** Seconds that a task may take to stop: two minutes for its containers, and the time until its network interface is gone. */
const STOPPING_SECONDS = 240;
const PAUSE_MS = 2000;

/**
 * When a cluster's worker goes: pauses the pool, lets the flow runs' tasks end by themselves for a while, and stops the others. ECS
 * deletes no cluster, and EC2 no security group, in which a task runs.
 */
export async function endFlowRuns(event: CdkCustomResourceEvent): Promise<CdkCustomResourceResponse> {
  const where: FlowRunTasksConfiguration = JSON.parse(event.ResourceProperties.Configuration);
  // Another cluster is another resource, so that what runs in the last one ends before its deletion.
  if (event.RequestType !== 'Delete') return { PhysicalResourceId: `${where.cluster} ${where.family}` };
  try {
    await pause(await connect(where.api, 0), `/work_pools/${encodeURIComponent(where.workPool)}`, where.cluster);
  } catch (error) {
    // The server may be gone before the stack.
    console.warn(`The work pool "${where.workPool}" is not paused: ${error}`);
  }
  await end(where);
  return { PhysicalResourceId: event.PhysicalResourceId };
}

async function end({ cluster, family }: FlowRunTasksConfiguration): Promise<void> {
  const client = new ECSClient({});
  const patience = Date.now() + patienceSeconds() * 1000;
  const giveUp = patience + STOPPING_SECONDS * 1000;
  for (;;) {
    const tasks = await unstopped(client, cluster, family);
    if (tasks.length === 0) return;
    console.log(`${tasks.length} tasks of flow runs have not ended yet.`);
    if (Date.now() > giveUp) {
      throw new Error(`${tasks.length} tasks of flow runs have not stopped, such as ${tasks[0].taskArn}: stop them in Amazon ECS, and delete the stack again.`);
    }
    if (Date.now() > patience) {
      for (const { taskArn, desiredStatus } of tasks) {
        if (desiredStatus !== 'STOPPED') await client.send(new StopTaskCommand({ cluster, task: taskArn, reason: STACK_IS_DELETED }));
      }
    }
    await sleep(PAUSE_MS);
  }
}

/** The tasks of these families that ECS still holds, those that are stopping among them. */
async function unstopped(client: ECSClient, cluster: string, family: string): Promise<Task[]> {
  const found: Task[] = [];
  try {
    for (const desiredStatus of ['RUNNING', 'STOPPED'] as const) {
      for await (const { taskArns = [] } of paginateListTasks({ client }, { cluster, desiredStatus })) {
        if (taskArns.length === 0) continue;
        const { tasks = [] } = await client.send(new DescribeTasksCommand({ cluster, tasks: taskArns }));
        found.push(...tasks.filter(({ taskDefinitionArn, lastStatus }) =>
          taskDefinitionArn?.split(':task-definition/')[1]?.startsWith(family) && lastStatus !== 'STOPPED'));
      }
    }
  } catch (error) {
    if (!(error instanceof ClusterNotFoundException)) throw error;
  }
  return found;
}
