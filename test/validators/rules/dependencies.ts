import { Identities } from '../identities';
import { Resolver } from '../intrinsics';
import { routeTablesOf, fix } from '../network-model';
import { policiesOfRole } from '../statements';
import { asArray, dependenciesOf, ofType, props, targetOf, targets } from '../template';
import type { Remark, Rule, Template } from '../types';
import { under, workersOf } from '../workers';

/**
 * What has to exist before something starts is created before it. CloudFormation orders resources by their references
 * only, and a task refers neither to its role's policy nor to the route that its packets take.
 */
export const dependencies: Rule = (template, { named }) => [
  ...services(template, new Resolver(template, { imports: named.imports })),
  ...customResources(template),
  ...createdWithARole(template),
  ...calledBySchedules(template),
];

/** Services that try a role out when they are given it: a stream writes its key's grant, a subscription a test message. */
const TRY_OUT: Record<string, (properties: any) => unknown> = {
  'AWS::KinesisFirehose::DeliveryStream': (properties) => properties.ExtendedS3DestinationConfiguration?.RoleARN,
  'AWS::Logs::SubscriptionFilter': (properties) => properties.RoleArn,
};

function createdWithARole(template: Template): Remark[] {
  return Object.entries(TRY_OUT).flatMap(([type, roleOf]) => ofType(template, type).flatMap(([logicalId, { Properties = {} }]) =>
    missing(template, logicalId, policies(template, targetOf(template, roleOf(Properties))), 'which allows what it tries out')));
}

/** A function's role is complete before the function is there to be called. */
function calledBySchedules(template: Template): Remark[] {
  return ofType(template, 'AWS::Lambda::Function').flatMap(([logicalId, { Properties = {} }]) =>
    missing(template, logicalId, policies(template, targetOf(template, Properties.Role)), 'without which its first calls are refused'));
}

function missing(template: Template, logicalId: string, needed: string[], what: string): Remark[] {
  const before = dependenciesOf(template, logicalId);
  return needed.filter((id) => !before.has(id)).map((id) => ({ logicalId, message: `It may be created before ${id}, ${what}: add a DependsOn.` }));
}

function services(template: Template, resolver: Resolver): Remark[] {
  return ofType(template, 'AWS::ECS::Service').flatMap(([logicalId, { Properties = {} }]) => {
    const before = dependenciesOf(template, logicalId);
    const task = targetOf(template, Properties.TaskDefinition);
    const subnets = targets(template, Properties.NetworkConfiguration?.AwsvpcConfiguration?.Subnets);
    const needed = new Map<string, string>();
    for (const role of task ? ['TaskRoleArn', 'ExecutionRoleArn'].map((property) => targetOf(template, props(template, task)[property])) : []) {
      policies(template, role).forEach((policy) => needed.set(policy, `the policy of ${role}, without which its first tasks are refused`));
    }
    const pool = workersOf(resolver).find(({ service }) => service === logicalId)?.managed;
    for (const role of pool ? new Set(rolesIn(resolver, pool.value)) : []) {
      policies(template, role).forEach((policy) => needed.set(policy, `the policy of ${role}, without which its first flow runs are refused`));
    }
    const cluster = targetOf(template, Properties.Cluster);
    if (Properties.CapacityProviderStrategy !== undefined) {
      ofType(template, 'AWS::ECS::ClusterCapacityProviderAssociations')
        .filter(([, association]) => targetOf(template, association.Properties?.Cluster) === cluster)
        .forEach(([id]) => needed.set(id, 'the capacity providers that its tasks are placed with'));
    }
    for (const id of network(template, subnets)) {
      needed.set(id, 'without which its first tasks reach nothing');
    }
    for (const id of workPools(template, resolver, task)) {
      needed.set(id, 'the work pool that its workers poll');
    }
    return [...needed].filter(([id]) => !before.has(id)).map(([id, what]) => ({ logicalId: logicalId, message: `It may start before ${id}, ${what}: add a DependsOn.` }));
  });
}

/** Roles that a pool gives to its flow runs. */
function rolesIn(resolver: Resolver, pool: unknown): string[] {
  return under(pool, 'task_role_arn', 'taskRoleArn', 'execution_role_arn', 'executionRoleArn')
    .map((arn) => Identities.of(resolver).named(arn, 'AWS::IAM::Role')).filter((id): id is string => id !== undefined);
}

function policies(template: Template, role: string | undefined): string[] {
  return role ? policiesOfRole(template, role).map(({ holder }) => holder).filter((holder) => holder !== role) : [];
}

/** The custom resources that make the pools which a task's containers name with --pool. */
function workPools(template: Template, resolver: Resolver, task: string | undefined): string[] {
  const containers = task ? asArray<any>(resolver.resolve(props(template, task).ContainerDefinitions)) : [];
  const commands = containers.map(({ Command }) => asArray<string>(Command));
  const pools = commands.filter((command) => command.includes('--pool')).map((command) => command[command.indexOf('--pool') + 1]);
  return ofType(template, /^Custom::.*WorkPool/i)
    .filter(([, { Properties }]) => Object.values<any>(resolver.resolve(Properties))
      .some((value) => pools.some((pool) => value === pool || isNamed(value, pool))))
    .map(([id]) => id);
}

/** Whether a property is a JSON object that has this name. */
function isNamed(value: any, name: string): boolean {
  try {
    return JSON.parse(value).name === name;
  } catch {
    return false;
  }
}

/** Routes and their associations, and where those lead nowhere the endpoints, of the subnets that a task starts in. */
function network(template: Template, subnets: string[], endpoints = /./): string[] {
  const tables = subnets.flatMap((subnet) => routeTablesOf(template, subnet));
  const closed = subnets.filter((subnet) => fix(template, subnet) === 'none');
  const vpcs = new Set(closed.map((subnet) => targetOf(template, props(template, subnet).VpcId)));
  return [
    ...ofType(template, 'AWS::EC2::SubnetRouteTableAssociation').filter(([, { Properties = {} }]) => subnets.includes(targetOf(template, Properties.SubnetId) ?? '')),
    ...ofType(template, 'AWS::EC2::Route').filter(([, { Properties = {} }]) => tables.includes(targetOf(template, Properties.RouteTableId) ?? '')),
    ...ofType(template, 'AWS::EC2::VPCEndpoint').filter(([, { Properties = {} }]) =>
      vpcs.has(targetOf(template, Properties.VpcId)) && endpoints.test(JSON.stringify(Properties.ServiceName))),
  ].map(([id]) => id);
}

/** The function behind a custom resource is called at once, so its role has to be complete. */
function customResources(template: Template): Remark[] {
  return ofType(template, /^(Custom::|AWS::CloudFormation::CustomResource$)/).flatMap(([logicalId, { Properties = {} }]) => {
    const handler = targetOf(template, Properties.ServiceToken);
    if (!handler) {
      return [];
    }
    const before = dependenciesOf(template, logicalId);
    // The CDK's provider framework is a function that calls the one that does the work.
    const handlers = [handler, ...dependenciesOf(template, handler)].filter((id) => template.Resources[id].Type === 'AWS::Lambda::Function');
    return [...new Set(handlers)].flatMap((id) => {
      const subnets = targets(template, props(template, id).VpcConfig?.SubnetIds);
      return [...policies(template, targetOf(template, props(template, id).Role)), ...network(template, subnets, /secretsmanager/)]
        .filter((needed) => !before.has(needed))
        .map((needed) => ({ logicalId, message: `Its function ${id} may be called before ${needed} exists: add a DependsOn.` }));
    });
  });
}
