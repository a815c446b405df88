import { Resolver } from '../intrinsics';
import { callersOf, routeTablesOf, fix } from '../network-model';
import { asArray, dependenciesOf, ofType, props, targetOf, targets } from '../template';
import type { Remark, Rule, Template } from '../types';

/** Each subnet leaves by the gateway that is meant for it, and what works together is in one VPC. */
export const routes: Rule = (template, { named }) => {
  const resolver = new Resolver(template, { imports: named.imports });
  return [
    ...natGateways(template),
    ...defaultRoutes(template, resolver),
    ...internetRoutes(template),
    ...associations(template),
    ...endpoints(template, resolver),
    ...publicAddresses(template),
    ...oneVpc(template),
    ...dns(template),
    ...addresses(template, resolver),
  ];
};

const zoneOf = (resolver: Resolver, subnet: string | undefined): string | undefined =>
  subnet === undefined ? undefined : resolver.resolve(props(resolver.template, subnet).AvailabilityZone);

function natGateways(template: Template): Remark[] {
  const taken = new Map<string, string>();
  return ofType(template, 'AWS::EC2::NatGateway').flatMap(([logicalId, { Properties = {} }]): Remark[] => {
    const subnet = targetOf(template, Properties.SubnetId);
    const address = targetOf(template, Properties.AllocationId);
    const faults: string[] = [];
    if (subnet && fix(template, subnet) !== 'internet') faults.push(`Its subnet ${subnet} has no route to an internet gateway.`);
    if (!address || template.Resources[address].Type !== 'AWS::EC2::EIP') faults.push('It has no elastic address.');
    else if (taken.has(address)) faults.push(`${taken.get(address)} has the address ${address} already.`);
    else taken.set(address, logicalId);
    return faults.map((message) => ({ logicalId, message }));
  });
}

/** A route over another zone costs by the byte, and falls with that zone. */
function defaultRoutes(template: Template, resolver: Resolver): Remark[] {
  const gateways = ofType(template, 'AWS::EC2::NatGateway').map(([id, { Properties = {} }]) => ({
    id,
    zone: zoneOf(resolver, targetOf(template, Properties.SubnetId)),
  }));
  return ofType(template, 'AWS::EC2::Route')
    .filter(([, { Properties = {} }]) => Properties.NatGatewayId !== undefined)
    .flatMap(([logicalId, { Properties = {} }]): Remark[] => {
      const zones = subnetsOf(template, targetOf(template, Properties.RouteTableId)).map((subnet) => zoneOf(resolver, subnet));
      const gateway = gateways.find(({ id }) => id === targetOf(template, Properties.NatGatewayId));
      if (!gateway) return [{ logicalId, message: 'It leads to no NAT gateway of the template.' }];
      const elsewhere = zones.filter((zone) => zone !== gateway.zone && gateways.some((other) => other.zone === zone));
      return elsewhere.map((zone) => ({
        logicalId,
        message: `A subnet in ${zone} leaves by ${gateway.id} in ${gateway.zone}, though its own zone has a NAT gateway.`,
      }));
    });
}

function subnetsOf(template: Template, table: string | undefined): string[] {
  return ofType(template, 'AWS::EC2::Subnet')
    .map(([id]) => id)
    .filter((id) => table !== undefined && routeTablesOf(template, id).includes(table));
}

/** EC2 refuses a route to a gateway that is not attached yet. */
function internetRoutes(template: Template): Remark[] {
  return ofType(template, 'AWS::EC2::Route')
    .filter(([, { Properties = {} }]) => Properties.GatewayId !== undefined)
    .flatMap(([logicalId, { Properties = {} }]): Remark[] => {
      const gateway = targetOf(template, Properties.GatewayId);
      const vpc = targetOf(template, props(template, targetOf(template, Properties.RouteTableId) ?? '').VpcId);
      const attachment = ofType(template, 'AWS::EC2::VPCGatewayAttachment').find(
        ([, { Properties: attached = {} }]) =>
          targetOf(template, attached.InternetGatewayId) === gateway && targetOf(template, attached.VpcId) === vpc,
      )?.[0];
      if (!attachment) return [{ logicalId, message: `It leads to ${gateway}, which is no internet gateway of its VPC.` }];
      return dependenciesOf(template, logicalId).has(attachment)
        ? []
        : [{ logicalId, message: `It may be made before ${attachment}: add a DependsOn.` }];
    });
}

function associations(template: Template): Remark[] {
  return ofType(template, 'AWS::EC2::Subnet').flatMap(([logicalId, { Properties = {} }]): Remark[] => {
    const tables = routeTablesOf(template, logicalId);
    const shared = ofType(template, 'AWS::EC2::Subnet')
      .filter(([other]) => other !== logicalId && routeTablesOf(template, other).some((table) => tables.includes(table)))
      .filter(([other]) => fix(template, other) === 'internet');
    return [
      ...(tables.length === 1 ? [] : [{ logicalId, message: `It has ${tables.length} route tables of its own.` }]),
      ...tables
        .filter((table) => template.Resources[table]?.Type !== 'AWS::EC2::RouteTable')
        .map((table) => ({ logicalId, message: `${table} is no route table.` })),
      ...shared.map(([other]) => ({ logicalId, message: `It shares its routes with ${other}, which leads to the internet.` })),
      ...(Properties.MapPublicIpOnLaunch === true ? [{ logicalId, message: 'What starts in it gets a public address.' }] : []),
    ];
  });
}

/** A public address is of use only where the way out is an internet gateway. */
function publicAddresses(template: Template): Remark[] {
  return callersOf(template)
    .filter(({ publicIp, subnets }) => publicIp && subnets.some((subnet) => fix(template, subnet) !== 'internet'))
    .map(({ logicalId }) => ({ logicalId, message: 'It has a public address in a subnet that leads to no internet gateway.' }));
}

function endpoints(template: Template, resolver: Resolver): Remark[] {
  const callers = callersOf(template).flatMap(({ subnets }) => subnets);
  return ofType(template, 'AWS::EC2::VPCEndpoint').flatMap(([logicalId, { Properties = {} }]): Remark[] => {
    const vpc = targetOf(template, Properties.VpcId);
    const near = callers.filter((subnet) => targetOf(template, props(template, subnet).VpcId) === vpc);
    const tables = targets(template, Properties.RouteTableIds);
    const zones = targets(template, Properties.SubnetIds).map((subnet) => zoneOf(resolver, subnet));
    const doubled = <T>(items: T[]) => items.filter((item, index) => items.indexOf(item) !== index);
    return [
      ...doubled(tables).map((table) => `It names ${table} twice.`),
      ...doubled(zones).map((zone) => `It is twice in the zone ${zone}.`),
      ...(Properties.VpcEndpointType === 'Gateway'
        ? [...new Set(near.flatMap((subnet) => routeTablesOf(template, subnet)))]
          .filter((table) => !tables.includes(table))
          .map((table) => `No route of ${table} leads to it.`)
        : []),
      ...(Properties.VpcEndpointType === 'Interface'
        ? [...new Set(near.map((subnet) => zoneOf(resolver, subnet)))]
          .filter((zone) => !zones.includes(zone))
          .map((zone) => `It is not in the zone ${zone}.`)
        : []),
    ].map((message) => ({ logicalId, message }));
  });
}

/** Subnets, security groups, route tables and endpoints that one resource names are of one VPC. */
function oneVpc(template: Template): Remark[] {
  const vpcOf = (id: string) => targetOf(template, props(template, id).VpcId);
  const together: [string, any[]][] = [
    ...callersOf(template).map(({ logicalId, subnets, securityGroups }): [string, any[]] => [logicalId, [...subnets, ...securityGroups]]),
    ...ofType(template, 'AWS::EC2::VPCEndpoint').map(([id, { Properties = {} }]): [string, any[]] => [
      id,
      [id, ...targets(template, [...asArray(Properties.SubnetIds), ...asArray(Properties.SecurityGroupIds), ...asArray(Properties.RouteTableIds)])],
    ]),
    ...ofType(template, 'AWS::EC2::SubnetRouteTableAssociation').map(([id, { Properties = {} }]): [string, any[]] => [
      id,
      targets(template, [Properties.SubnetId, Properties.RouteTableId]),
    ]),
  ];
  return together.flatMap(([logicalId, members]) => {
    const vpcs = [...new Set(members.map(vpcOf))];
    const faults = vpcs.length > 1 ? [`What it names is in more than one VPC: ${vpcs.join(', ')}.`] : [];
    const none = members
      .filter((id) => vpcOf(id) !== undefined && template.Resources[vpcOf(id)!].Type !== 'AWS::EC2::VPC')
      .map((id) => `${id} is in ${vpcOf(id)}, which is no VPC.`);
    return [...faults, ...none].map((message) => ({ logicalId, message }));
  });
}

function dns(template: Template): Remark[] {
  const privateDns = ofType(template, 'AWS::EC2::VPCEndpoint')
    .filter(([, { Properties = {} }]) => Properties.PrivateDnsEnabled === true)
    .map(([, { Properties = {} }]) => targetOf(template, Properties.VpcId));
  return ofType(template, 'AWS::EC2::VPC')
    .filter(
      ([id, { Properties = {} }]) => privateDns.includes(id) && !(Properties.EnableDnsSupport === true && Properties.EnableDnsHostnames === true),
    )
    .map(([logicalId]) => ({ logicalId, message: 'The private names of its endpoints need both EnableDnsSupport and EnableDnsHostnames.' }));
}

function addresses(template: Template, resolver: Resolver): Remark[] {
  const subnets = ofType(template, 'AWS::EC2::Subnet').map(([id, { Properties = {} }]) => ({
    id,
    vpc: targetOf(template, Properties.VpcId),
    range: rangeOf(resolver.resolve(Properties.CidrBlock)),
  }));
  return subnets.flatMap(({ id, vpc, range }, index): Remark[] => {
    const whole = vpc && rangeOf(resolver.resolve(props(template, vpc).CidrBlock));
    if (!range || !whole) return [];
    const others = subnets
      .slice(index + 1)
      .filter((other) => other.vpc === vpc && other.range && other.range.from <= range.to && range.from <= other.range.to);
    return [
      ...(whole.from <= range.from && range.to <= whole.to ? [] : [{ logicalId: id, message: `Its addresses are none of ${vpc}.` }]),
      ...others.map((other) => ({ logicalId: id, message: `It has addresses of ${other.id}.` })),
    ];
  });
}

function rangeOf(cidr: unknown): { from: number; to: number } | undefined {
  const [, a, b, c, d, bits] = /^(\d+)\.(\d+)\.(\d+)\.(\d+)\/(\d+)$/.exec(String(cidr)) ?? [];
  if (bits === undefined) return undefined;
  const size = 2 ** (32 - Number(bits));
  const from = ((Number(a) * 256 + Number(b)) * 256 + Number(c)) * 256 + Number(d);
  return { from, to: from + size - 1 };
}
