import { Caller, callersOf, egressOf, ingressOf, isNothing } from '../network-model';
import { asArray, eachString, ofType, targets } from '../template';
import type { Remark, Rule, Template } from '../types';

/**
 * What runs in the VPC takes no connections and opens them only to 443 and to the port of the Prefect API; to DNS where the VPC's own may not be Amazon's.
 * A service behind a load balancer takes them from another security group, never from addresses, and so does a server, on its containers' port:
 * that one opens them to the groups of its database and of Redis, too.
 */
export const noIngress: Rule = (template) => {
  const ports = allowedPorts(template);
  const callers = callersOf(template).flatMap((caller) => caller.securityGroups.flatMap((group): Remark[] => {
    const served = servedPorts(caller);
    const inbound = ingressOf(template, group)
      .filter((rule) => rule.group === undefined || !(caller.loadBalanced || rule.from === rule.to && served.has(rule.from)));
    const dns = isOfAnotherStack(template, group);
    const outbound = egressOf(template, group).filter((rule) => !isNothing(rule)
      && !(rule.protocol === 'tcp' && rule.from === rule.to && ports.has(rule.from))
      && !(served.size > 0 && rule.group !== undefined && rule.from === rule.to)
      && !(dns && ['tcp', 'udp'].includes(rule.protocol) && rule.from === 53 && rule.to === 53));
    return [
      ...inbound.map((rule) => ({ logicalId: group, message: `It admits ${rule.protocol} ${rule.from}-${rule.to} from ${rule.cidr ?? rule.group} to ${caller.logicalId}; nothing has to connect to it.` })),
      ...outbound.map((rule) => ({ logicalId: group, message: `It lets ${caller.logicalId} out on ${rule.protocol} ${rule.from}-${rule.to}; only TCP ${[...ports].join(' and ')} are needed.` })),
    ];
  }));
  return [...callers, ...openEndpoints(template)];
};

/** Ports on which containers of a service listen for others; all parts of a server have its group. */
function servedPorts({ containers }: Caller): Set<number> {
  const isServer = containers.some(({ Command }) => asArray(Command).includes('server'));
  const mapped = containers.flatMap(({ PortMappings }) => asArray<any>(PortMappings)).map(({ ContainerPort }) => Number(ContainerPort));
  return new Set(isServer ? [4200] : mapped);
}

/** Whether the group is in a VPC from elsewhere, whose DHCP options may name DNS servers that groups filter. */
function isOfAnotherStack(template: Template, group: string): boolean {
  return targets(template, [template.Resources[group]?.Properties?.VpcId]).length === 0;
}

/** Endpoints serve their VPC, so they admit addresses of the VPC or its groups, on 443 only. */
function openEndpoints(template: Template): Remark[] {
  return ofType(template, 'AWS::EC2::VPCEndpoint').flatMap(([id, { Properties = {} }]) => targets(template, Properties.SecurityGroupIds).flatMap((group) =>
    ingressOf(template, group).filter((rule) => rule.cidr === '0.0.0.0/0' || rule.cidr === '::/0' || rule.protocol !== 'tcp' || rule.from !== 443 || rule.to !== 443)
      .map((rule) => ({ logicalId: group, message: `It admits ${rule.protocol} ${rule.from}-${rule.to} from ${rule.cidr ?? rule.group} to the endpoint ${id}; only TCP 443 from the VPC is needed.` }))));
}

/** 443, and the port that a Prefect API of the template's environment variables names. */
function allowedPorts(template: Template): Set<number> {
  const ports = new Set([443]);
  eachString(template.Resources, (text, path) => {
    const url = /^(https?):\/\/[^/:]+(?::(\d+))?.*\/api$/.exec(text);
    if (url && path[path.length - 1] !== 'ServiceToken') {
      ports.add(Number(url[2] ?? (url[1] === 'http' ? 80 : 443)));
    }
  });
  return ports;
}
