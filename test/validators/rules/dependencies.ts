import { routeTablesOf } from '../network-model';
import { policiesOfRole } from '../statements';
import { dependenciesOf, ofType, props, targetOf, targets } from '../template';
import type { Remark, Rule, Template } from '../types';

/**
 * What has to exist before something starts is created before it. CloudFormation orders resources by their references
 * only, and a task refers neither to its role's policy nor to the route that its packets take.
 */
export const dependencies: Rule = (template) => [...services(template), ...customResources(template)];

function services(template: Template): Remark[] {
  return ofType(template, 'AWS::ECS::Service').flatMap(([logicalId, { Properties = {} }]) => {
    const before = dependenciesOf(template, logicalId);
    const task = targetOf(template, Properties.TaskDefinition);
    const subnets = targets(template, Properties.NetworkConfiguration?.AwsvpcConfiguration?.Subnets);
    const needed = new Map<string, string>();
    for (const role of task ? ['TaskRoleArn', 'ExecutionRoleArn'].map((property) => targetOf(template, props(template, task)[property])) : []) {
      policies(template, role).forEach((policy) => needed.set(policy, `the policy of ${role}, without which its first tasks are refused`));
    }
    for (const id of network(template, subnets)) {
      needed.set(id, 'without which its first tasks reach nothing');
    }
    for (const [id] of ofType(template, /^Custom::.*WorkPool/i)) {
      needed.set(id, 'the work pool that its workers poll');
    }
    return [...needed].filter(([id]) => !before.has(id)).map(([id, what]) => ({ logicalId: logicalId, message: `It may start before ${id}, ${what}: add a DependsOn.` }));
  });
}

function policies(template: Template, role: string | undefined): string[] {
  return role ? policiesOfRole(template, role).map(({ holder }) => holder).filter((holder) => holder !== role) : [];
}

/** Routes, their associations and endpoints of the subnets that a task starts in. */
function network(template: Template, subnets: string[]): string[] {
  const tables = subnets.flatMap((subnet) => routeTablesOf(template, subnet));
  const vpcs = new Set(subnets.map((subnet) => targetOf(template, props(template, subnet).VpcId)));
  return [
    ...ofType(template, 'AWS::EC2::SubnetRouteTableAssociation').filter(([, { Properties = {} }]) => subnets.includes(targetOf(template, Properties.SubnetId) ?? '')),
    ...ofType(template, 'AWS::EC2::Route').filter(([, { Properties = {} }]) => tables.includes(targetOf(template, Properties.RouteTableId) ?? '')),
    ...ofType(template, 'AWS::EC2::VPCEndpoint').filter(([, { Properties = {} }]) => vpcs.has(targetOf(template, Properties.VpcId))),
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
    const role = targetOf(template, props(template, handler).Role);
    const subnets = targets(template, props(template, handler).VpcConfig?.SubnetIds);
    return [...policies(template, role), ...network(template, subnets)].filter((id) => !before.has(id))
      .map((id) => ({ logicalId, message: `Its function ${handler} may be called before ${id} exists: add a DependsOn.` }));
  });
}
