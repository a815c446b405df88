import { egressOf, ingressOf, opens } from '../network-model';
import { serversOf, storesOf } from '../server-parts';
import { asArray, dependenciesOf, ofType, props, targetOf, targets } from '../template';
import type { Remark, Rule, Template } from '../types';

/** Databases outlive their stack, caches lose nothing, and who connects to them and to services gets through. */
export const stores: Rule = (template) => [...databases(template), ...caches(template), ...connections(template), ...migrations(template)];

function databases(template: Template): Remark[] {
  const alone = ofType(template, 'AWS::RDS::DBInstance').filter(([, { Properties = {} }]) => !Properties.DBClusterIdentifier);
  return [...alone, ...ofType(template, 'AWS::RDS::DBCluster')]
    .filter(([, resource]) => ['DeletionPolicy', 'UpdateReplacePolicy'].some((policy) => !/^(Snapshot|Retain)/.test(String(resource[policy as 'DeletionPolicy']))))
    .map(([logicalId]) => ({ logicalId, message: 'Where it is deleted or replaced, it leaves nothing: no snapshot.' }));
}

/** What Prefect keeps in Redis are messages and leases, under keys that are in all slots. */
function caches(template: Template): Remark[] {
  return ofType(template, 'AWS::ElastiCache::ReplicationGroup').flatMap(([logicalId, { Properties = {} }]) => {
    const parameters = targetOf(template, Properties.CacheParameterGroupName);
    const faults: string[] = [];
    if (Properties.ClusterMode === 'enabled' || Properties.NumNodeGroups > 1) faults.push('It is in cluster mode, which refuses what Prefect asks.');
    if (!Properties.AutomaticFailoverEnabled || !Properties.MultiAZEnabled || !(Properties.NumCacheClusters > 1)) faults.push('Nothing takes its place where it is lost.');
    if (!parameters || props(template, parameters).Properties?.['maxmemory-policy'] !== 'noeviction') faults.push('It drops messages and leases where it is full: its maxmemory-policy is not noeviction.');
    return faults.map((message) => ({ logicalId, message }));
  });
}

interface Connection {
  readonly logicalId: string;
  readonly what: string;
  readonly from: readonly string[];
  readonly to: readonly string[];
  readonly port: number;
}

/** Both sides' security groups let a connection through. */
function connections(template: Template): Remark[] {
  const groupsOf = (service: string) => targets(template, props(template, service).NetworkConfiguration?.AwsvpcConfiguration?.SecurityGroups);
  const toStores = serversOf(template).flat().flatMap((part) => part.services.flatMap((service) => storesOf(template, part)
    .map(({ logicalId, port, groups }): Connection => ({ logicalId: service, what: logicalId, from: groupsOf(service), to: groups, port }))));
  const fromBalancers = ofType(template, 'AWS::ECS::Service').flatMap(([service, { Properties = {} }]) => asArray<any>(Properties.LoadBalancers)
    .flatMap(({ ContainerPort, TargetGroupArn }) => balancersOf(template, targetOf(template, TargetGroupArn)).map((balancer): Connection => ({
      logicalId: balancer,
      what: service,
      from: targets(template, props(template, balancer).SecurityGroups),
      to: groupsOf(service),
      port: Number(ContainerPort),
    }))));
  return [...toStores, ...fromBalancers].filter(({ from, to }) => from.length > 0 && to.length > 0).flatMap(({ logicalId, what, from, to, port }) => {
    const out = from.flatMap((group) => egressOf(template, group)).filter((rule) => opens(rule, port))
      .some(({ group, cidr = '' }) => group === undefined ? /\/0$/.test(cidr) : to.includes(group));
    const inside = to.flatMap((group) => ingressOf(template, group)).filter((rule) => opens(rule, port))
      .some(({ group }) => group !== undefined && from.includes(group));
    return [
      ...(out ? [] : [{ logicalId, message: `Its security group doesn't let it out to ${what} on ${port}.` }]),
      ...(inside ? [] : [{ logicalId, message: `The security group of ${what} doesn't admit it on ${port}.` }]),
    ];
  });
}

/** The load balancers that forward to a target group. */
function balancersOf(template: Template, group: string | undefined): string[] {
  const forwards = (properties: any) => JSON.stringify(properties.DefaultActions ?? properties.Actions ?? []).includes(`"${group}"`);
  const listeners = ofType(template, /^AWS::ElasticLoadBalancingV2::Listener(Rule)?$/).filter(([, { Properties = {} }]) => forwards(Properties))
    .map(([id, { Properties = {} }]) => targetOf(template, Properties.ListenerArn) ?? id);
  return [...new Set(listeners)].map((id) => targetOf(template, props(template, id).LoadBalancerArn)).filter((id): id is string => id !== undefined);
}

/** A server's database is migrated once it is there, by a task for it, and before the services change. */
function migrations(template: Template): Remark[] {
  return serversOf(template).flatMap((parts) => {
    const resources = ofType(template, 'Custom::PrefectMigration')
      .filter(([, { Properties = {} }]) => parts.some(({ logicalId }) => logicalId === targetOf(template, Properties.TaskDefinition)));
    const unordered = parts.flatMap(({ services }) => services)
      .filter((service) => !resources.some(([id]) => dependenciesOf(template, service).has(id)))
      .map((logicalId) => ({ logicalId, message: 'It changes before the database has been migrated: add a DependsOn.' }));
    return [...unordered, ...resources.flatMap(([logicalId, { Properties = {} }]) => {
      const part = parts.find((each) => each.logicalId === targetOf(template, Properties.TaskDefinition))!;
      const before = dependenciesOf(template, logicalId);
      const databasesOf = storesOf(template, part).filter(({ variable }) => /DATABASE/.test(variable)).flatMap((store) => [
        store.logicalId,
        ...ofType(template, 'AWS::RDS::DBInstance').filter(([, instance]) => targetOf(template, instance.Properties?.DBClusterIdentifier) === store.logicalId).map(([id]) => id),
      ]);
      return [
        ...(part.kind === 'migration' ? [] : ['It runs a task that never ends, and migrates nothing.']),
        ...(Properties.Container === part.container.Name ? [] : [`The task has no container ${Properties.Container} to wait for.`]),
        ...databasesOf.filter((id) => !before.has(id)).map((id) => `It may run before ${id} exists: add a DependsOn.`),
      ].map((message) => ({ logicalId, message }));
    })];
  });
}
