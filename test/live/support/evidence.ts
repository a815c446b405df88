import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CloudFormationClient, paginateListStackResources } from '@aws-sdk/client-cloudformation';
import { CloudWatchLogsClient, FilterLogEventsCommand, paginateDescribeLogGroups } from '@aws-sdk/client-cloudwatch-logs';
import type { Live } from './environment';
import { clientConfiguration, StandIn } from '../../stand-in/stand-in';

export interface PhysicalIds {
  readonly map: Record<string, string>;
  (type: string): string;
  all(type: string): string[];
}

/** What `look` finds within some seconds; undefined when it finds nothing. */
export async function eventually<T>(seconds: number, look: () => Promise<T | undefined>): Promise<T | undefined> {
  for (const end = Date.now() + seconds * 1000; ;) {
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

/** Every text that the deployment, the stand-in's tasks, functions and requests left behind, by file. */
export async function everythingWritten(live: Live): Promise<Map<string, string>> {
  const texts = new Map<string, string>();
  for (const directory of [live.deployment.output, live.standIn.directory]) {
    for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      if (entry.isFile() && /\.(json|jsonl|log|txt)$/.test(entry.name)) texts.set(path, await readFile(path, 'utf8'));
    }
  }
  return texts;
}
