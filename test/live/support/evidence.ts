import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CloudFormationClient, paginateListStackResources } from '@aws-sdk/client-cloudformation';
import { CloudWatchLogsClient, FilterLogEventsCommand, paginateDescribeLogGroups } from '@aws-sdk/client-cloudwatch-logs';
import { DescribeTaskDefinitionCommand, ECSClient, paginateListTaskDefinitions } from '@aws-sdk/client-ecs';
import type { Live } from './environment';
import { PATIENCE } from '../../pace';
import { clientConfiguration, StandIn } from '../../stand-in/stand-in';
import { leaksIn } from '../../support/leaks';

export interface PhysicalIds {
  readonly map: Record<string, string>;
  (type: string): string;
  all(type: string): string[];
}

/** What `look` finds within some seconds of a quiet machine; undefined when it finds nothing. */
export async function eventually<T>(seconds: number, look: () => Promise<T | undefined>): Promise<T | undefined> {
  for (const end = Date.now() + seconds * PATIENCE * 1000; ;) {
    const found = await look();
    if (found !== undefined || Date.now() > end) return found;
    await sleep(500);
  }
}

interface DeployedResource {
  readonly type: string;
  readonly logicalId: string;
  readonly physicalId: string;
}

async function listResources(standIn: StandIn, stack: string): Promise<DeployedResource[]> {
  const resources: DeployedResource[] = [];
  for await (const page of paginateListStackResources({ client: new CloudFormationClient(clientConfiguration(standIn)) }, { StackName: stack })) {
    for (const { ResourceType, LogicalResourceId, PhysicalResourceId } of page.StackResourceSummaries ?? []) {
      resources.push({ type: ResourceType!, logicalId: LogicalResourceId!, physicalId: PhysicalResourceId! });
    }
  }
  return resources;
}

/** How many resources of each type a stack has, the most numerous first. */
export async function deployedResources(standIn: StandIn, stack: string): Promise<[string, number][]> {
  const counts = new Map<string, number>();
  for (const { type } of await listResources(standIn, stack)) counts.set(type, (counts.get(type) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a);
}

/** The physical ids of a deployed stack, by type or by logical id. */
export async function physicalIds(standIn: StandIn, stack: string): Promise<PhysicalIds> {
  const resources = await listResources(standIn, stack);
  const all = (type: string) => resources.filter(resource => resource.type === type).map(({ physicalId }) => physicalId);
  return Object.assign((type: string) => all(type)[0], {
    all,
    map: Object.fromEntries(resources.map(({ logicalId, physicalId }) => [logicalId, physicalId])),
  });
}

/** All log lines in CloudWatch Logs whose stream begins with `prefix`. */
export async function awsLogs(standIn: StandIn, prefix: string): Promise<string> {
  const logs = new CloudWatchLogsClient(clientConfiguration(standIn));
  const lines: string[] = [];
  for await (const page of paginateDescribeLogGroups({ client: logs }, {})) {
    for (const { logGroupName } of page.logGroups ?? []) {
      const { events } = await logs.send(new FilterLogEventsCommand({ logGroupName, logStreamNamePrefix: prefix, limit: 10000 }));
      lines.push(...(events ?? []).map(({ message }) => message ?? ''));
    }
  }
  return lines.join('\n');
}

/**
 * Where a credential of the deployment stands in clear, in any encoding: in templates, recorded calls, logs, in the work pools as Prefect stores
 * them, in its logs and events, and in task definitions. Only the calls that put the secrets into AWS may hold them.
 */
export async function leaks(live: Live): Promise<string[]> {
  const texts = await everythingWritten(live);
  for (const kind of ['work_pools', 'flow_runs', 'deployments', 'logs']) {
    texts.set(`Prefect's ${kind}`, JSON.stringify(await live.prefect.call('POST', `/${kind}/filter`, {})));
  }
  const ecs = new ECSClient(clientConfiguration(live.standIn));
  for await (const { taskDefinitionArns = [] } of paginateListTaskDefinitions({ client: ecs }, {})) {
    for (const taskDefinition of taskDefinitionArns) {
      texts.set(taskDefinition, JSON.stringify(await ecs.send(new DescribeTaskDefinitionCommand({ taskDefinition }))));
    }
  }
  return [...texts].flatMap(([place, text]) => live.credentials.flatMap(credential =>
    leaksIn(text.split('\n').filter(line => !/"action": ?"(CreateSecret|GetSecretValue|PutParameter|GetParameters?)"/.test(line)).join('\n'), credential).map(form => `${place}, ${form}`)));
}

/** Prefect hands a flow run's environment to the process that executes it in a file, which is gone with the container. */
const isOfContainer = (path: string) => path.includes('prefect-workspace-attempt-');

/** Every text that the deployment, the stand-in's tasks, functions and requests left behind, by file. */
async function everythingWritten(live: Live): Promise<Map<string, string>> {
  const texts = new Map<string, string>();
  for (const directory of [live.deployment.output, live.standIn.directory]) {
    for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      if (entry.isFile() && /\.(json|jsonl|log|txt)$/.test(entry.name) && !isOfContainer(path)) texts.set(path, await readFile(path, 'utf8'));
    }
  }
  return texts;
}

/** The secrets of the flow run's container in a task definition that the worker has registered, by variable. */
export async function secretsOf(standIn: StandIn, taskDefinition: string): Promise<Record<string, string>> {
  const registered = await new ECSClient(clientConfiguration(standIn)).send(new DescribeTaskDefinitionCommand({ taskDefinition }));
  const container = registered.taskDefinition!.containerDefinitions!.find(({ name }) => name === 'prefect');
  return Object.fromEntries(container!.secrets!.map(({ name, valueFrom }) => [name!, valueFrom!]));
}
