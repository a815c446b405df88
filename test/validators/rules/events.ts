import { deploymentStateChange, serviceAction, serviceTaskStateChange, taskStateChange, type Event } from '../../events/samples';
import { Identities } from '../identities';
import { Resolver } from '../intrinsics';
import { nearerTwin } from '../neighbours';
import { asArray, eachString, ofType, props, targetOf } from '../template';
import type { Remark, Rule } from '../types';
import { familyPrefixesOf, workersOf } from '../workers';

/** Samples of the events that ECS sends, by detail type: which fields there are. */
const SAMPLES: Record<string, Event[]> = (() => {
  const sample = {
    clusterArn: 'arn:aws:ecs:us-east-1:123456789012:cluster/c',
    serviceArn: 'arn:aws:ecs:us-east-1:123456789012:service/c/s',
    family: 'f',
  };
  return {
    'ECS Task State Change': [taskStateChange(sample), serviceTaskStateChange(sample)],
    'ECS Deployment State Change': [deploymentStateChange(sample, 'SERVICE_DEPLOYMENT_FAILED')],
    'ECS Service Action': [serviceAction(sample, 'SERVICE_TASK_PLACEMENT_FAILURE')],
  };
})();

/** Values that ECS knows for a field: any other is an event that never comes. */
const VALUES: Record<string, string[]> = {
  eventName: [
    'SERVICE_DEPLOYMENT_IN_PROGRESS',
    'SERVICE_DEPLOYMENT_COMPLETED',
    'SERVICE_DEPLOYMENT_FAILED',
    'SERVICE_STEADY_STATE',
    'SERVICE_TASK_START_IMPAIRED',
    'SERVICE_TASK_PLACEMENT_FAILURE',
    'SERVICE_TASK_CONFIGURATION_FAILURE',
    'SERVICE_DAEMON_PLACEMENT_CONSTRAINT_VIOLATED',
    'SERVICE_DISCOVERY_OPERATION_THROTTLED',
    'SERVICE_DISCOVERY_INSTANCE_UNHEALTHY',
    'ECS_OPERATION_THROTTLED',
    'CAPACITY_PROVIDER_STEADY_STATE',
    'VPC_LATTICE_TARGET_HEALTHY',
    'VPC_LATTICE_TARGET_UNHEALTHY',
    'TASK_PROVISIONING_FAILURE',
  ],
  eventType: ['INFO', 'WARN', 'ERROR'],
  lastStatus: ['PROVISIONING', 'PENDING', 'ACTIVATING', 'RUNNING', 'DEACTIVATING', 'STOPPING', 'DEPROVISIONING', 'STOPPED', 'DELETED'],
  desiredStatus: ['RUNNING', 'STOPPED'],
  stopCode: ['TaskFailedToStart', 'EssentialContainerExited', 'UserInitiated', 'ServiceSchedulerInitiated', 'SpotInterruption', 'TerminationNotice'],
};

/** A rule waits for events that come, from what this template has, and tells what is in them. */
export const events: Rule = (template, { named }) => {
  const resolver = new Resolver(template, { imports: named.imports });
  const rules = ofType(template, 'AWS::Events::Rule').filter(([, { Properties = {} }]) => Properties.EventPattern !== undefined);
  return [
    ...rules.flatMap(([logicalId, { Properties = {} }]) => {
      const { EventPattern: pattern, Targets } = resolver.resolve(Properties);
      const samples = asArray<string>(pattern['detail-type']).flatMap((type) => SAMPLES[type] ?? []);
      return [
        ...(telling(resolver, Targets) &&
        asArray(pattern.detail?.lastStatus).includes('STOPPED') &&
        !/stopCode|stoppedReason|exitCode/.test(JSON.stringify(pattern))
          ? ['It tells people of every task that stops.']
          : []),
        ...header(pattern),
        ...fields(pattern.detail, samples),
        ...origin(resolver, logicalId, pattern),
        ...asArray<any>(Targets).flatMap(({ InputTransformer }) => (InputTransformer ? transformer(InputTransformer, samples) : [])),
        ...(asArray<any>(Targets).some(({ Arn, InputTransformer }) => Identities.of(resolver).named(Arn, 'AWS::SNS::Topic') && !InputTransformer)
          ? ['It tells people an event as it is: give it an input transformer.']
          : []),
      ].map((message): Remark => ({ logicalId, message }));
    }),
    ...expected(resolver),
  ];
};

function telling(resolver: Resolver, targets: any): boolean {
  return asArray<any>(targets).some(({ Arn }) => Identities.of(resolver).named(Arn, 'AWS::SNS::Topic'));
}

function header({ source, 'detail-type': types, detail }: any): string[] {
  return [
    ...(asArray(source).length === 1 && asArray(source)[0] === 'aws.ecs' ? [] : [`Its source is ${JSON.stringify(source)}, not aws.ecs.`]),
    ...(asArray<string>(types).length > 0 && asArray<string>(types).every((type) => type in SAMPLES)
      ? []
      : [`ECS sends no event ${JSON.stringify(types)}.`]),
    ...(detail === undefined || Object.keys(detail).length === 0 ? ['It has no condition on what happened.'] : []),
  ];
}

/** Fields that the events have, with values that they may have. */
function fields(detail: any, samples: Event[]): string[] {
  return Object.entries<any>(detail ?? {}).flatMap(([field, conditions]): string[] => {
    if (field === '$or') return asArray<any>(conditions).flatMap((either) => fields(either, samples));
    const empty = asArray(conditions).length === 0 ? [`Its field ${field} takes nothing.`] : [];
    const unknown = samples.some((sample) => field in sample.detail) ? [] : [`Its events have no field ${field}.`];
    const values = asArray<any>(conditions).filter((value) => typeof value === 'string' && VALUES[field] && !VALUES[field].includes(value));
    return [...empty, ...unknown, ...values.map((value) => `ECS has no ${field} "${value}".`)];
  });
}

/** From this stack's cluster and its service or flow runs: other tasks are none of its business. */
function origin(resolver: Resolver, logicalId: string, pattern: any): string[] {
  const { template } = resolver;
  const workers = workersOf(resolver);
  const detail = pattern.detail ?? {};
  const services = new Map(workers.map((worker) => [resolver.resolve({ Ref: worker.service }), worker]));
  const own = (service: string) => {
    const twin = nearerTwin(template, logicalId, service);
    return twin ? [`It is about ${service}, where ${twin} is its own.`] : [];
  };
  const families = new Set(workers.flatMap(({ documents }) => documents.flatMap(({ value }) => familyPrefixesOf(value))));
  const prefixes = asArray<any>(detail.taskDefinitionArn).map((condition) => condition?.prefix ?? condition);
  const groups = asArray<any>(detail.group);
  return [
    ...asArray<string>(detail.clusterArn)
      .filter((arn) => !workers.some(({ clusterArn }) => clusterArn === arn))
      .map((arn) => `No worker is in the cluster ${arn}.`),
    ...asArray<string>(pattern.resources).flatMap((arn) =>
      services.has(arn) ? own(services.get(arn)!.service) : [`${arn} is no worker's service.`],
    ),
    ...groups.flatMap((group) => {
      const worker = workers.find(({ serviceName }) => group === `service:${serviceName}`);
      return worker ? own(worker.service) : [`${JSON.stringify(group)} is no worker's group of tasks.`];
    }),
    ...prefixes
      .filter((prefix) => families.size > 0 && ![...families].some((family) => prefix === resolver.formatArn('ecs', `task-definition/${family}`)))
      .map((prefix) => `${prefix} is the family of no flow runs.`),
    ...(detail.clusterArn === undefined && pattern.resources === undefined ? ['It takes the events of every cluster.'] : []),
    // A function that an event only wakes looks for itself what there is.
    ...(detail.clusterArn !== undefined && groups.length === 0 && prefixes.length === 0 && !wakes(resolver, logicalId) ? ['It takes the events of every task in the cluster.'] : []),
  ];
}

function wakes({ template }: Resolver, rule: string): boolean {
  return asArray<any>(props(template, rule).Targets).every(({ Arn }) => template.Resources[targetOf(template, Arn) ?? '']?.Type === 'AWS::Lambda::Function');
}

/** What is told is in the events, and all that is asked of them is told. */
function transformer({ InputPathsMap: paths = {}, InputTemplate: template = '' }: any, samples: Event[]): string[] {
  const told = new Set([...String(template).matchAll(/<([\w-]+)>/g)].map(([, name]) => name));
  const has = (path: string) =>
    samples.some(
      (sample) =>
        path
          .replace(/^\$\./, '')
          .split('.')
          .reduce<any>((value, key) => value?.[key], sample) !== undefined,
    );
  return [
    ...[...told].filter((name) => !(name in paths)).map((name) => `It tells <${name}>, which it takes from nowhere.`),
    ...Object.entries<string>(paths)
      .filter(([name]) => !told.has(name))
      .map(([name]) => `It takes ${name} and tells it not.`),
    ...Object.entries<string>(paths)
      .filter(([, path]) => !/^\$\./.test(path) || !has(path))
      .map(([, path]) => `Its events have nothing at ${path}.`),
  ];
}

/** Of each worker somebody hears when a deployment or a task fails; an ECS worker hears of its flow runs' tasks. */
function expected(resolver: Resolver): Remark[] {
  const { template } = resolver;
  const patterns = ofType(template, 'AWS::Events::Rule').map(([, { Properties = {} }]) => ({
    pattern: resolver.resolve(Properties.EventPattern ?? {}),
    targets: resolver.resolve(Properties.Targets),
  }));
  return workersOf(resolver).flatMap(({ service, serviceName, container, managed }): Remark[] => {
    const arn = resolver.resolve({ Ref: service });
    const queue = asArray<any>(container.Environment).find(({ Name }) => /OBSERVER_SQS_QUEUE_NAME$/.test(Name))?.Value;
    const fed = patterns.filter(({ targets }) => asArray<any>(targets).some(({ Arn }) => String(Arn).endsWith(`:${queue}`)));
    const families = managed ? familyPrefixesOf(managed.value) : [];
    return [
      ...(patterns.some(({ pattern }) => asArray(pattern.resources).includes(arn)) ? [] : ['Nobody hears of its failed deployments.']),
      ...(patterns.some(({ pattern }) => asArray(pattern.detail?.group).includes(`service:${serviceName}`))
        ? []
        : ['Nobody hears of its failed tasks.']),
      ...(queue === undefined || fed.length > 0 ? [] : [`It reads events from ${queue}, which no rule fills.`]),
      ...(queue === undefined
        ? []
        : families
          .filter((family) => !fed.some(({ pattern }) => text(pattern).includes(`task-definition/${family}"`)))
          .map((family) => `It reads events from ${queue}, but nothing puts those of ${family} in.`)),
    ].map((message) => ({ logicalId: service, message }));
  });
}

function text(value: unknown): string {
  const all: string[] = [];
  eachString(value, (string) => all.push(JSON.stringify(string)));
  return all.join(' ');
}
