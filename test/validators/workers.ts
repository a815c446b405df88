import { documentsOf, eachValue, type Document } from './documents';
import type { Resolver } from './intrinsics';
import { asArray, ofType, props, targetOf, targets } from './template';
import type { Template } from './types';

/** A service whose tasks poll a work pool, with what else in the template speaks of it. */
export interface Worker {
  readonly service: string;
  readonly serviceName: string;
  readonly task: string;
  readonly taskRole?: string;
  readonly executionRole?: string;
  readonly clusterArn: string;
  readonly clusterName: string;
  readonly pool: string;
  readonly type: string;
  /** The container that polls, resolved. */
  readonly container: any;
  /** Settings of functions, custom resources and events that name this pool. */
  readonly documents: Document[];
  /** That of these which describes the pool, if the stack makes it. */
  readonly managed?: Document;
}

/** The services of the template that run a Prefect worker. */
export function workersOf(resolver: Resolver): Worker[] {
  const { template } = resolver;
  const { documents } = documentsOf(resolver);
  return ofType(template, 'AWS::ECS::Service').flatMap(([service, { Properties = {} }]): Worker[] => {
    const task = targetOf(template, Properties.TaskDefinition);
    if (!task) return [];
    const container = asArray<any>(resolver.resolve(props(template, task).ContainerDefinitions)).find(({ Command }) =>
      asArray(Command).includes('--pool'),
    );
    if (!container) return [];
    const option = (name: string) => container.Command[container.Command.indexOf(name) + 1];
    const cluster = String(resolver.resolve(Properties.Cluster));
    const pool = option('--pool');
    const told = documents.filter(({ value }) => value.workPool === pool);
    const described = documents.filter(({ value }) => isDescription(value) && value.name === pool);
    return [
      {
        service,
        serviceName: resolver.resolve({ 'Fn::GetAtt': [service, 'Name'] }),
        task,
        taskRole: targetOf(template, props(template, task).TaskRoleArn),
        executionRole: targetOf(template, props(template, task).ExecutionRoleArn),
        clusterArn: cluster.startsWith('arn:') ? cluster : resolver.formatArn('ecs', `cluster/${cluster}`),
        clusterName: cluster.split('/').pop()!,
        pool,
        type: option('--type'),
        container,
        documents: [...told, ...apisOf(template, documents, told), ...described],
        managed: described[0],
      },
    ];
  });
}

/** What the functions know of the API that rules call for a pool, as other settings have it. */
function apisOf(template: Template, documents: readonly Document[], told: readonly Document[]): Document[] {
  const called = told.flatMap(({ logicalId }) => asArray<any>(props(template, logicalId).Targets)).map(({ Arn }) => targetOf(template, Arn));
  return documents.filter(({ logicalId, path }) => called.includes(logicalId) && path.endsWith('Variables.API')).map((document) => ({ ...document, value: { api: document.value } }));
}

/** Settings that describe a pool: its name, its type, and how to reach the API. */
function isDescription(value: any): boolean {
  return typeof value.name === 'string' && typeof value.type === 'string' && value.api !== undefined;
}

/** All values inside of a document that stand under one of the keys; a placeholder of Prefect's is none. */
export function under(document: unknown, ...keys: string[]): any[] {
  const values: any[] = [];
  eachValue(document, (key, value) => {
    if (keys.includes(key) && !(typeof value === 'string' && value.startsWith('{{'))) values.push(value);
  });
  return values;
}

/** How the families begin that a pool's template has its worker register: what stands in front of a deployment's own. */
export function familyPrefixesOf(document: unknown): string[] {
  return under(document, 'family').flatMap((family) => /^(.+)-\{\{ family \}\}$/.exec(family)?.[1] ?? []);
}

/** Whether the function that is told this sets how many workers a service keeps. */
export function followsDemand({ leadTimeSeconds, flowRunLimit, workers }: any): boolean {
  return leadTimeSeconds !== undefined && (flowRunLimit ?? workers) !== undefined;
}

/** A function, and those whose settings name it: the CDK's provider, which hands it the requests of custom resources. */
export function callersOf(template: Template, functionId: string): string[] {
  const callers = ofType(template, 'AWS::Lambda::Function').filter(
    ([id, { Properties = {} }]) => id !== functionId
      && targets(template, Object.values(Properties.Environment?.Variables ?? {})).includes(functionId),
  );
  return [functionId, ...callers.map(([id]) => id)];
}

/** The function that handles a custom resource: the one that it names, where who is asked only relays. */
export function askedBy(template: Template, { Function: named, ServiceToken }: Record<string, any>): string | undefined {
  return targetOf(template, named) ?? targetOf(template, ServiceToken);
}

/** What a function is told: its own settings, those of custom resources that it serves, and the events that rules send. */
export function settingsOf(resolver: Resolver, functionId: string): Document[] {
  const { template } = resolver;
  const { documents } = documentsOf(resolver);
  const callers = callersOf(template, functionId);
  const serving = (id: string) => callers.includes(askedBy(template, props(template, id)) ?? '');
  return documents.filter(({ logicalId, path }) => {
    if (callers.includes(logicalId) || serving(logicalId)) return true;
    const [, index] = /^Targets\.(\d+)\.Input/.exec(path) ?? [];
    return index !== undefined && callers.includes(targetOf(template, props(template, logicalId).Targets[Number(index)].Arn) ?? '');
  });
}
