import { Resolver } from '../intrinsics';
import { callersOf, egressOf, endpointFor, ingressOf, mentions, opens, routeTablesOf, fix, type Caller } from '../network-model';
import { policiesOfRole, statementsOf } from '../statements';
import { asArray, eachString, ofType, props, targetOf } from '../template';
import type { Remark, Rule, Template } from '../types';

/** What a caller opens connections to: AWS services by endpoint name, and whether it needs the internet. */
interface Needs {
  readonly services: Set<string>;
  readonly internet: string[];
  readonly apiPort: number;
}

/** Endpoint names of the services that functions call, by the prefix of their actions. */
const ENDPOINTS: Record<string, string> = { cloudwatch: 'monitoring', ecs: 'ecs', logs: 'logs', secretsmanager: 'secretsmanager', sqs: 'sqs' };

/** Every task and function can reach TCP 443 of all that it needs, through its groups, routes and endpoints. */
export const networkPath: Rule = (template, { named }) => {
  const resolver = new Resolver(template, { imports: named.imports });
  return callersOf(template).filter((caller) => caller.subnets.length > 0).flatMap((caller) => {
    const needs = needsOf(template, resolver, caller);
    return [
      ...caller.subnets.flatMap((subnet) => [
        ...internetPath(template, caller, subnet, needs),
        ...[...needs.services].flatMap((service) => servicePath(template, resolver, caller, subnet, service)),
        ...blockedByAcl(template, caller, subnet),
      ]),
      ...apiPort(template, caller, needs),
    ];
  });
};

function needsOf(template: Template, resolver: Resolver, caller: Caller): Needs {
  const services = new Set<string>();
  const internet: string[] = [];
  let port = 443;
  for (const container of caller.containers) {
    const image = String(resolver.resolve(container.Image));
    if (/\.dkr\.ecr\./.test(image)) {
      ['ecr.api', 'ecr.dkr', 's3'].forEach((service) => services.add(service));
    } else {
      internet.push(`the registry of the image ${image}`);
    }
    if (container.LogConfiguration?.LogDriver === 'awslogs') {
      services.add('logs');
    }
    if (asArray(container.Secrets).length > 0) {
      services.add('secretsmanager');
    }
    if (mentions(container.Environment, /awsxray/)) {
      services.add('xray');
    }
    if (mentions(container.Environment, /OBSERVER_SQS_QUEUE_NAME/)) {
      services.add('sqs').add('ecs');
    }
  }
  eachString(resolver.resolve(caller.containers.map(({ Environment }) => Environment)), (text) => {
    const url = /^https?:\/\/([^/:]+)(?::(\d+))?.*\/api(\/|$)/.exec(text);
    if (url) {
      port = Number(url[2] ?? (text.startsWith('http:') ? 80 : 443));
      if (/(^|\.)prefect\.cloud$/.test(url[1])) {
        internet.push(`the Prefect API at ${url[1]}`);
      }
    }
  });
  // A function in the VPC calls the API of Prefect with a key from Secrets Manager.
  if (caller.kind === 'function') {
    services.add('secretsmanager');
    calledServices(template, resolver, caller.role).forEach((service) => services.add(service));
  }
  return { services, internet, apiPort: port };
}

/** The services that a function's role lets it call; its log lines reach CloudWatch Logs through Lambda. */
function calledServices(template: Template, resolver: Resolver, role: string | undefined): string[] {
  const documents = role ? policiesOfRole(template, role) : [];
  const actions = documents.flatMap(({ document }) => statementsOf(resolver, document)).flatMap((statement) => statement.actions);
  const called = actions.filter((action) => !/^(logs:(CreateLogStream|PutLogEvents)|xray:.*)$/.test(action)).map((action) => action.split(':')[0]);
  return [...new Set(called)].flatMap((prefix) => ENDPOINTS[prefix] ?? []);
}

function internetPath(template: Template, caller: Caller, subnet: string, needs: Needs): Remark[] {
  if (needs.internet.length === 0) {
    return [];
  }
  const way = fix(template, subnet);
  const open = way === 'nat' || way === 'other' || (way === 'internet' && caller.publicIp);
  const what = [...new Set(needs.internet)].join(' and ');
  return [
    ...(open ? [] : [{ logicalId: caller.logicalId, message: `It can't reach ${what} from the subnet ${subnet}: the subnet has no NAT gateway and no public address with an internet gateway.` }]),
    ...(leaves(template, caller, 443, undefined) ? [] : [{ logicalId: caller.logicalId, message: `It can't reach ${what}: its security groups have no egress rule for port 443 to the internet.` }]),
  ];
}

function servicePath(template: Template, resolver: Resolver, caller: Caller, subnet: string, service: string): Remark[] {
  const remark = (message: string): Remark[] => [{ logicalId: caller.logicalId, message: `It can't reach ${service} from the subnet ${subnet}: ${message}` }];
  const vpc = targetOf(template, props(template, subnet).VpcId);
  const endpoint = endpointFor(template, resolver, vpc, service);
  const through = endpoint && props(template, endpoint);
  if (through && through.VpcEndpointType === 'Gateway') {
    const tables = asArray<any>(through.RouteTableIds).map((id) => targetOf(template, id));
    if (routeTablesOf(template, subnet).some((table) => tables.includes(table))) {
      return [
        ...(through.PolicyDocument ? [] : remark(`the endpoint ${endpoint} has no policy of its own, so it lets everybody through.`)),
        ...(leaves(template, caller, 443, undefined) ? [] : remark('its security groups have no egress rule for port 443.')),
      ];
    }
  } else if (through && through.PrivateDnsEnabled === true) {
    // Private DNS sends every call from the VPC to the endpoint, NAT gateway or not.
    const groups = asArray<any>(through.SecurityGroupIds).map((id) => targetOf(template, id)!);
    return [
      ...(groups.some((group) => leaves(template, caller, 443, group)) ? [] : remark('its security groups have no egress rule for port 443.')),
      ...(groups.some((group) => admits(template, group, caller, vpc)) ? [] : remark(`the security groups of the endpoint ${endpoint} don't admit it on port 443.`)),
      ...(through.PolicyDocument ? [] : remark(`the endpoint ${endpoint} has no policy of its own, so it lets everybody through.`)),
    ];
  }
  const way = fix(template, subnet);
  if (way === 'none' || (way === 'internet' && !caller.publicIp)) {
    return remark(endpoint ? `the endpoint ${endpoint} has no private DNS, or no route leads to it, and there is no NAT gateway.` : 'there is neither an endpoint nor a NAT gateway.');
  }
  return leaves(template, caller, 443, undefined) ? [] : remark('its security groups have no egress rule for port 443.');
}

/** Whether one of the caller's groups lets a port out to the internet, or to an endpoint's group. */
function leaves(template: Template, caller: Caller, port: number, endpointGroup: string | undefined): boolean {
  return caller.securityGroups.length === 0 || caller.securityGroups.some((group) => egressOf(template, group).some((rule) =>
    opens(rule, port) && (rule.cidr === '0.0.0.0/0' || (endpointGroup !== undefined && (rule.group === endpointGroup || rule.cidr?.startsWith('reference:'))))));
}

/** Whether an endpoint's group lets the caller in: by its group, or by the address range of its VPC. */
function admits(template: Template, group: string, caller: Caller, vpc: string | undefined): boolean {
  return ingressOf(template, group).some((rule) => opens(rule, 443)
    && (rule.cidr === '0.0.0.0/0' || rule.cidr === `reference:${vpc}` || rule.cidr === (vpc && props(template, vpc).CidrBlock) || (rule.group !== undefined && caller.securityGroups.includes(rule.group))));
}

function apiPort(template: Template, caller: Caller, needs: Needs): Remark[] {
  const groups = caller.securityGroups;
  const open = groups.length === 0 || groups.some((group) => egressOf(template, group).some((rule) => opens(rule, needs.apiPort)));
  return open ? [] : [{ logicalId: caller.logicalId, message: `It can't reach the Prefect API: its security groups have no egress rule for port ${needs.apiPort}.` }];
}

/** A network ACL of the template that refuses what the caller sends, or the answers. The default ACL lets all through. */
function blockedByAcl(template: Template, caller: Caller, subnet: string): Remark[] {
  const acl = ofType(template, 'AWS::EC2::SubnetNetworkAclAssociation')
    .filter(([, { Properties = {} }]) => targetOf(template, Properties.SubnetId) === subnet)
    .map(([, { Properties = {} }]) => targetOf(template, Properties.NetworkAclId)).pop();
  if (!acl) {
    return [];
  }
  const allows = (egress: boolean, from: number, to: number) => {
    const entries = ofType(template, 'AWS::EC2::NetworkAclEntry').map(([, { Properties = {} }]) => Properties)
      .filter((entry) => targetOf(template, entry.NetworkAclId) === acl && Boolean(entry.Egress) === egress && entry.CidrBlock === '0.0.0.0/0')
      .filter((entry) => entry.Protocol === -1 || (entry.Protocol === 6 && entry.PortRange?.From <= from && to <= entry.PortRange?.To))
      .sort((a, b) => a.RuleNumber - b.RuleNumber);
    return entries[0]?.RuleAction === 'allow';
  };
  return allows(true, 443, 443) && allows(false, 1024, 65535) ? [] : [{ logicalId: caller.logicalId, message: `The network ACL ${acl} of the subnet ${subnet} refuses port 443, or the answers to it.` }];
}
