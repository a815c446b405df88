import { documentsOf, eachValue } from '../documents';
import { Resolver } from '../intrinsics';
import { asArray, ofType, props, targetOf } from '../template';
import type { Remark, Rule } from '../types';
import { under, workersOf } from '../workers';

/** Tasks are for Fargate, in clusters that take them, and send their spans where a collector listens. */
export const tasks: Rule = (template, { named }) => {
  const resolver = new Resolver(template, { imports: named.imports });
  return [
    ...ofType(template, 'AWS::ECS::TaskDefinition').flatMap(([logicalId, { Properties = {} }]) => {
      return fargate(resolver.resolve(Properties)).map((message): Remark => ({ logicalId, message }));
    }),
    ...ofType(template, 'AWS::ECS::Service').flatMap(([logicalId, { Properties = {} }]) =>
      service(resolver, resolver.resolve(Properties), Properties).map((message) => ({ logicalId, message })),
    ),
    ...capacityOfPools(resolver),
    ...collectors(resolver),
  ];
};

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
        if (inner !== null && typeof inner === 'object' && /^OTEL_EXPORTER_OTLP.*ENDPOINT$/.test(inner.Name ?? inner.name)) {
          sent.add(inner.Value ?? inner.value);
        }
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
