import type { Resolver } from './intrinsics';
import { asArray, eachString, ofType, props, targetOf, targets } from './template';
import type { Template } from './types';

/** Something in the template that runs in subnets and opens connections. */
export interface Caller {
  readonly logicalId: string;
  readonly kind: 'service' | 'function';
  readonly subnets: string[];
  readonly securityGroups: string[];
  readonly publicIp: boolean;
  /** Containers, for a service. */
  /** The role of a function. */
  readonly role?: string;
  readonly containers: Record<string, any>[];
  /** Target groups that send requests in. */
  readonly loadBalanced: boolean;
}

export interface EgressRule {
  readonly protocol: string;
  readonly from: number;
  readonly to: number;
  readonly cidr?: string;
  /** Logical id of the destination's security group. */
  readonly group?: string;
}

/** ECS services and functions in a VPC of this template. What runs in imported subnets only, can't be judged. */
export function callersOf(template: Template): Caller[] {
  const ids = (values: any) => targets(template, values);
  const services = ofType(template, 'AWS::ECS::Service').map(([logicalId, { Properties = {} }]): Caller => {
    const network = Properties.NetworkConfiguration?.AwsvpcConfiguration ?? {};
    const task = targetOf(template, Properties.TaskDefinition);
    return {
      logicalId,
      kind: 'service',
      subnets: ids(network.Subnets),
      securityGroups: ids(network.SecurityGroups),
      publicIp: network.AssignPublicIp === 'ENABLED',
      containers: task ? asArray(props(template, task).ContainerDefinitions) : [],
      loadBalanced: asArray(Properties.LoadBalancers).length > 0,
    };
  });
  const functions = ofType(template, 'AWS::Lambda::Function').filter(([, { Properties = {} }]) => Properties.VpcConfig).map(([logicalId, { Properties = {} }]): Caller => ({
    logicalId,
    kind: 'function',
    subnets: ids(Properties.VpcConfig.SubnetIds),
    securityGroups: ids(Properties.VpcConfig.SecurityGroupIds),
    publicIp: false,
    containers: [],
    role: targetOf(template, Properties.Role),
    loadBalanced: false,
  }));
  return [...services, ...functions];
}

/** The egress rules of a security group; a group without any lets everything out, as AWS does. */
export function egressOf(template: Template, groupId: string): EgressRule[] {
  const separate = ofType(template, 'AWS::EC2::SecurityGroupEgress').filter(([, { Properties = {} }]) => targetOf(template, Properties.GroupId) === groupId);
  const rules = [...asArray<any>(props(template, groupId).SecurityGroupEgress), ...separate.map(([, resource]) => resource.Properties)];
  return rules.length === 0 ? [{ protocol: '-1', from: 0, to: 65535, cidr: '0.0.0.0/0' }] : rules.map((rule) => toRule(template, rule, rule.DestinationSecurityGroupId));
}

/** The ingress rules of a security group, `group` being the source. */
export function ingressOf(template: Template, groupId: string): EgressRule[] {
  const separate = ofType(template, 'AWS::EC2::SecurityGroupIngress').filter(([, { Properties = {} }]) => targetOf(template, Properties.GroupId) === groupId);
  const rules = [...asArray<any>(props(template, groupId).SecurityGroupIngress), ...separate.map(([, resource]) => resource.Properties)];
  return rules.map((rule) => toRule(template, rule, rule.SourceSecurityGroupId));
}

function toRule(template: Template, rule: any, group: any): EgressRule {
  const all = String(rule.IpProtocol) === '-1';
  return {
    protocol: String(rule.IpProtocol),
    from: all ? 0 : Number(rule.FromPort),
    to: all ? 65535 : Number(rule.ToPort),
    cidr: rule.CidrIp === undefined ? rule.CidrIpv6 : typeof rule.CidrIp === 'string' ? rule.CidrIp : `reference:${targetOf(template, rule.CidrIp)}`,
    group: group === undefined ? undefined : targetOf(template, group),
  };
}

/** Whether a rule lets a TCP port through. */
export function opens(rule: EgressRule, port: number): boolean {
  return ['-1', 'tcp', '6'].includes(rule.protocol) && rule.from <= port && port <= rule.to;
}

/** The rule that CDK adds to say "nothing": ICMP to an address nobody has. */
export function isNothing(rule: EgressRule): boolean {
  return rule.protocol === 'icmp' && rule.cidr === '255.255.255.255/32';
}

/** Where a subnet's default route leads. */
export function fix(template: Template, subnetId: string): 'internet' | 'nat' | 'other' | 'none' {
  const tables = ofType(template, 'AWS::EC2::SubnetRouteTableAssociation')
    .filter(([, { Properties = {} }]) => targetOf(template, Properties.SubnetId) === subnetId)
    .map(([, { Properties = {} }]) => targetOf(template, Properties.RouteTableId));
  const defaults = ofType(template, 'AWS::EC2::Route')
    .map(([, { Properties = {} }]) => Properties)
    .filter((route) => tables.includes(targetOf(template, route.RouteTableId)) && route.DestinationCidrBlock === '0.0.0.0/0');
  for (const route of defaults) {
    if (route.NatGatewayId !== undefined) {
      const nat = targetOf(template, route.NatGatewayId);
      const natSubnet = nat && targetOf(template, props(template, nat).SubnetId);
      // A NAT gateway works in a subnet that leads straight to the internet, not behind another NAT gateway.
      return natSubnet && (natSubnet === subnetId || fix(template, natSubnet) !== 'internet') ? 'none' : 'nat';
    }
    if (route.GatewayId !== undefined) {
      const gateway = targetOf(template, route.GatewayId);
      const attached = ofType(template, 'AWS::EC2::VPCGatewayAttachment').some(([, { Properties = {} }]) => targetOf(template, Properties.InternetGatewayId) === gateway);
      return attached ? 'internet' : 'none';
    }
    return 'other';
  }
  return 'none';
}

/** The route tables of a subnet. */
export function routeTablesOf(template: Template, subnetId: string): string[] {
  return ofType(template, 'AWS::EC2::SubnetRouteTableAssociation')
    .filter(([, { Properties = {} }]) => targetOf(template, Properties.SubnetId) === subnetId)
    .map(([, { Properties = {} }]) => targetOf(template, Properties.RouteTableId)!);
}

/** The endpoint of a service (its name's last part, such as `ecr.api`) in a VPC. */
export function endpointFor(template: Template, resolver: Resolver, vpcId: string | undefined, service: string): string | undefined {
  return ofType(template, 'AWS::EC2::VPCEndpoint')
    .filter(([, { Properties = {} }]) => targetOf(template, Properties.VpcId) === vpcId)
    .find(([, { Properties = {} }]) => String(resolver.resolve(Properties.ServiceName)).endsWith(`.${resolver.deployment.region}.${service}`))?.[0];
}

/** Whether any text in a value matches. */
export function mentions(value: unknown, pattern: RegExp): boolean {
  let found = false;
  eachString(value, (text) => found ||= pattern.test(text));
  return found;
}
