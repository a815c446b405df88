import { documentsOf, eachValue } from '../documents';
import { Resolver } from '../intrinsics';
import { asArray, ofType, props, targetOf } from '../template';
import type { Remark, Rule } from '../types';
import { under, workersOf } from '../workers';

/** What the parts of a task say of each other: names of containers and volumes, ports, regions; and that it is one for Fargate. */
export const tasks: Rule = (template, { named }) => {
  const resolver = new Resolver(template, { imports: named.imports });
  return [
    ...ofType(template, 'AWS::ECS::TaskDefinition').flatMap(([logicalId, { Properties = {} }]) => {
      const task = resolver.resolve(Properties);
      return [...containers(resolver, task), ...fargate(task)].map((message): Remark => ({ logicalId, message }));
    }),
    ...ofType(template, 'AWS::ECS::Service').flatMap(([logicalId, { Properties = {} }]) =>
      service(resolver, resolver.resolve(Properties), Properties).map((message) => ({ logicalId, message })),
    ),
    ...capacityOfPools(resolver),
    ...collectors(resolver),
  ];
};

function containers(resolver: Resolver, task: any): string[] {
  const all = asArray<any>(task.ContainerDefinitions);
  const names = all.map(({ Name }) => Name);
  const volumes = asArray<any>(task.Volumes).map(({ Name }) => Name);
  const mounted = all.flatMap(({ MountPoints }) => asArray<any>(MountPoints));
  return [
    ...doubled(names).map((name) => `Two containers are called ${name}.`),
    ...(all.some(({ Essential }) => Essential !== false) ? [] : ['None of its containers is essential.']),
    ...mounted
      .filter(({ SourceVolume }) => !volumes.includes(SourceVolume))
      .map(({ SourceVolume }) => `A container mounts ${SourceVolume}, which is no volume of the task.`),
    ...volumes.filter((name) => !mounted.some(({ SourceVolume }) => SourceVolume === name)).map((name) => `No container mounts the volume ${name}.`),
    ...volumes
      .filter((name) => new Set(mounted.filter(({ SourceVolume }) => SourceVolume === name).map(({ ContainerPath }) => ContainerPath)).size > 1)
      .map((name) => `The volume ${name} is at different places in its containers.`),
    ...volumes
      .filter(
        (name) =>
          mounted.some(({ SourceVolume }) => SourceVolume === name) &&
          mounted.every(({ SourceVolume, ReadOnly }) => SourceVolume !== name || ReadOnly === true),
      )
      .map((name) => `Nothing may write to the volume ${name}.`),
    ...all.flatMap(({ Name, DependsOn }) =>
      asArray<any>(DependsOn).flatMap(({ ContainerName, Condition }) => {
        const before = all.find((other) => other.Name === ContainerName);
        if (!before || ContainerName === Name) return [`The container ${Name} waits for ${ContainerName}, which is no other container of the task.`];
        if (Condition === 'HEALTHY' && !before.HealthCheck) {return [`The container ${Name} waits until ${ContainerName} is healthy, which has no health check.`];}
        return /^(COMPLETE|SUCCESS)$/.test(Condition) && before.Essential !== false
          ? [`The container ${Name} waits for the end of ${ContainerName}, which ends the task.`]
          : [];
      }),
    ),
    // What writes to a volume, or takes spans, is there before what reads or sends.
    ...all
      .filter(({ Essential }) => Essential === false)
      .filter(({ Name }) => !all.some(({ DependsOn }) => asArray<any>(DependsOn).some(({ ContainerName }) => ContainerName === Name)))
      .map(({ Name }) => `No container waits for ${Name}.`),
    ...all.flatMap(({ Name, Environment, Secrets }) =>
      doubled([...asArray<any>(Environment), ...asArray<any>(Secrets)].map((variable) => variable.Name)).map(
        (variable) => `The container ${Name} has the variable ${variable} twice.`,
      ),
    ),
    ...all.flatMap(({ Name, LogConfiguration }) => {
      const region = LogConfiguration?.Options?.['awslogs-region'];
      return region === undefined || region === resolver.deployment.region ? [] : [`The container ${Name} writes its logs to the region ${region}.`];
    }),
    ...all.flatMap(({ Name, HealthCheck, Essential }) => (HealthCheck === undefined ? [] : healthCheck(Name, HealthCheck, Essential !== false))),
  ];
}

/** https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_HealthCheck.html; a check that takes as long as its interval never ends. */
function healthCheck(name: string, { Command, Interval = 30, Timeout = 5, Retries = 3, StartPeriod = 0 }: any, essential: boolean): string[] {
  return [
    ...(['CMD', 'CMD-SHELL'].includes(asArray<string>(Command)[0]) ? [] : [`The health check of ${name} is no command.`]),
    ...(Timeout <= Interval ? [] : [`The health check of ${name} may take ${Timeout} seconds and begins every ${Interval}.`]),
    ...(Interval >= 5 && Interval <= 300 && Timeout >= 2 && Timeout <= 60 && Retries >= 1 && Retries <= 10 && StartPeriod >= 0 && StartPeriod <= 300
      ? []
      : [`ECS doesn't take the times of the health check of ${name}.`]),
    ...(Retries >= 2 ? [] : [`One failed health check stops ${name}.`]),
    ...(StartPeriod >= 30 || !essential ? [] : [`The health check of ${name} counts from its start, while Prefect is still being loaded.`]),
  ];
}

function fargate({ RequiresCompatibilities, NetworkMode, RuntimePlatform }: any): string[] {
  return [
    ...(asArray(RequiresCompatibilities).includes('FARGATE') ? [] : ['It is not checked to be one for Fargate.']),
    ...(NetworkMode === 'awsvpc' ? [] : [`Fargate has no network mode ${NetworkMode}.`]),
    ...(RuntimePlatform?.CpuArchitecture && RuntimePlatform?.OperatingSystemFamily === 'LINUX' ? [] : ["It doesn't say for which processor it is."]),
  ];
}

function service(resolver: Resolver, properties: any, raw: any): string[] {
  const { LaunchType, CapacityProviderStrategy, PropagateTags, EnableECSManagedTags, ServiceRegistries } = properties;
  const providers = asArray<any>(CapacityProviderStrategy).map(({ CapacityProvider }) => CapacityProvider);
  const cluster = targetOf(resolver.template, raw.Cluster);
  return [
    ...(LaunchType === 'FARGATE' && providers.length === 0
      ? []
      : LaunchType === undefined && providers.length > 0 && providers.every((name) => /^FARGATE(_SPOT)?$/.test(name))
        ? []
        : [`Its tasks are not for Fargate: ${LaunchType ?? providers}.`]),
    ...missingProviders(resolver, cluster, providers),
    ...(PropagateTags === 'SERVICE' ? [] : ["Its tasks don't have its tags, by which costs are told apart."]),
    ...(EnableECSManagedTags === true ? [] : ["Its tasks don't have the tags of ECS: cluster and service."]),
    ...(asArray<any>(raw.ServiceRegistries).length === asArray(ServiceRegistries).length &&
    asArray<any>(raw.ServiceRegistries).some(
      ({ RegistryArn }) => resolver.template.Resources[targetOf(resolver.template, RegistryArn) ?? '']?.Type !== 'AWS::ServiceDiscovery::Service',
    )
      ? ['It is registered at nothing.']
      : []),
  ];
}

/** A cluster takes a capacity provider only once it is associated with it. */
function missingProviders(resolver: Resolver, cluster: string | undefined, providers: string[]): string[] {
  if (!cluster) return [];
  const associated = ofType(resolver.template, 'AWS::ECS::ClusterCapacityProviderAssociations')
    .filter(([, { Properties = {} }]) => targetOf(resolver.template, Properties.Cluster) === cluster)
    .flatMap(([, { Properties = {} }]) => asArray<string>(resolver.resolve(Properties.CapacityProviders)));
  return providers.filter((name) => !associated.includes(name)).map((name) => `The cluster ${cluster} has no capacity provider ${name}.`);
}

/** Flow runs may be started on Spot by their own settings, also where the pool's default is not. */
function capacityOfPools(resolver: Resolver): Remark[] {
  const { template } = resolver;
  return workersOf(resolver).flatMap(({ service: id, managed, type }) => {
    const cluster = targetOf(template, props(template, id).Cluster);
    if (!managed || type !== 'ecs') return [];
    return missingProviders(
      resolver,
      cluster,
      ['FARGATE', 'FARGATE_SPOT', ...under(managed.value, 'capacityProvider')].filter((name, index, all) => all.indexOf(name) === index),
    ).map((message) => ({ logicalId: managed.logicalId, message }));
  });
}

/** Where the collector listens is where worker and flow runs send their spans, in each task. */
function collectors(resolver: Resolver): Remark[] {
  const { documents } = documentsOf(resolver);
  return documents
    .filter(({ value }) => value.receivers?.otlp !== undefined)
    .flatMap(({ logicalId, value }) => {
      const listens = under(value.receivers, 'endpoint').map(String);
      const sent = new Set<string>();
      const take = (key: string, inner: any) => {
        if (/^OTEL_EXPORTER_OTLP.*ENDPOINT$/.test(key) && typeof inner === 'string') sent.add(inner);
        if (inner !== null && typeof inner === 'object' && /^OTEL_EXPORTER_OTLP.*ENDPOINT$/.test(inner.Name ?? inner.name)) {sent.add(inner.Value ?? inner.value);}
      };
      ofType(resolver.template, 'AWS::ECS::TaskDefinition').forEach(([, { Properties }]) => eachValue(resolver.resolve(Properties), take));
      documents.forEach((document) => eachValue(document.value, take));
      const used = Object.values<any>(value.service?.pipelines ?? {}).flatMap((pipeline) =>
        ['receivers', 'processors', 'exporters'].flatMap((kind) =>
          asArray<string>(pipeline[kind])
            .filter((name) => !(name in (value[kind] ?? {})))
            .map((name) => `Its collector has no ${kind} ${name}.`),
        ),
      );
      return [
        ...[...sent]
          .filter((url) => !listens.some((address) => url === `http://${address}/v1/traces` || url === `http://${address}`))
          .map((url) => `Spans are sent to ${url}, and its collector listens at ${listens}.`),
        ...asArray<string>(value.service?.extensions)
          .filter((name) => !(name in (value.extensions ?? {})))
          .map((name) => `Its collector has no extension ${name}.`),
        ...used,
      ].map((message) => ({ logicalId, message }));
    });
}

function doubled<T>(items: T[]): T[] {
  return items.filter((item, index) => items.indexOf(item) !== index);
}
