import { Resolver } from '../intrinsics';
import { ingressOf, opens } from '../network-model';
import { serversOf } from '../server-parts';
import { asArray, dependenciesOf, ofType, props, targetOf, targets } from '../template';
import type { Remark, Rule, Template } from '../types';

/** What a load balancer in front of a service is for, it does: it knows healthy tasks, and lets each in by the way that is theirs. */
export const loadBalancers: Rule = (template, { named }) => {
  const resolver = new Resolver(template, { imports: named.imports });
  return [...services(template), ...open(template), ...signIns(resolver), ...names(resolver)];
};

const LISTENERS = /^AWS::ElasticLoadBalancingV2::Listener(Rule)?$/;

function services(template: Template): Remark[] {
  const servers = new Set(serversOf(template).flat().flatMap((part) => part.services));
  return ofType(template, 'AWS::ECS::Service').flatMap(([logicalId, { Properties = {} }]) => asArray<any>(Properties.LoadBalancers).flatMap(({ ContainerName, ContainerPort, TargetGroupArn }) => {
    const group = targetOf(template, TargetGroupArn);
    const task = targetOf(template, Properties.TaskDefinition);
    const container = asArray<any>(task && props(template, task).ContainerDefinitions).find(({ Name }) => Name === ContainerName);
    const forwarding = ofType(template, LISTENERS).filter(([, listener]) => JSON.stringify(listener.Properties?.DefaultActions ?? listener.Properties?.Actions).includes(`"${group}"`)).map(([id]) => id);
    const before = dependenciesOf(template, logicalId);
    const faults: string[] = [];
    if (!asArray<any>(container?.PortMappings).some((mapping) => mapping.ContainerPort === ContainerPort)) faults.push(`Its task has no container ${ContainerName} with the port ${ContainerPort}.`);
    if (!forwarding.some((id) => before.has(id))) faults.push(`ECS refuses ${group} as long as no listener has it: add a DependsOn.`);
    const path = group && props(template, group).HealthCheckPath;
    if (servers.has(logicalId) && path !== '/api/health') {
      faults.push(`${group} asks ${path} for its health, and not /api/health: ${path === '/api/ready' ? 'without its database all tasks would be replaced at a time' : 'the server doesn\'t answer that with 200 without authentication'}.`);
    }
    return faults.map((message) => ({ logicalId, message }));
  }));
}

/** Where the internet is to reach a load balancer, its security groups admit it on the ports of its listeners. */
function open(template: Template): Remark[] {
  return ofType(template, 'AWS::ElasticLoadBalancingV2::Listener').flatMap(([logicalId, { Properties = {} }]) => {
    const balancer = targetOf(template, Properties.LoadBalancerArn);
    const { Scheme, SecurityGroups } = balancer ? props(template, balancer) : ({} as any);
    const groups = targets(template, SecurityGroups);
    const admitted = groups.flatMap((group) => ingressOf(template, group)).some((rule) => opens(rule, Properties.Port) && rule.cidr === '0.0.0.0/0');
    return Scheme !== 'internet-facing' || groups.length === 0 || admitted ? [] : [{ logicalId, message: `Nobody is admitted on its port ${Properties.Port}.` }];
  });
}

interface Caller {
  readonly who: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** What becomes of it: handed on, sent to sign in, or refused. */
  readonly wanted: 'forward' | 'authenticate' | 'deny';
}

const CALLERS: readonly Caller[] = [
  { who: 'a worker', path: '/api/work_pools/etl/get_scheduled_flow_runs', headers: { Authorization: 'Basic cHJlZmVjdDp4' }, wanted: 'forward' },
  { who: 'a client of events', path: '/api/events/in', headers: { 'Sec-WebSocket-Protocol': 'prefect' }, wanted: 'forward' },
  { who: 'a program without authentication', path: '/api/flows/filter', headers: {}, wanted: 'deny' },
  { who: 'a person', path: '/runs', headers: {}, wanted: 'authenticate' },
];

/** Where people sign in at the load balancer, programs get through and others don't. */
function signIns(resolver: Resolver): Remark[] {
  const { template } = resolver;
  return ofType(template, 'AWS::ElasticLoadBalancingV2::Listener').flatMap(([logicalId, { Properties = {} }]) => {
    const rules = ofType(template, 'AWS::ElasticLoadBalancingV2::ListenerRule').map(([, rule]) => resolver.resolve(rule.Properties))
      .filter(({ ListenerArn }) => ListenerArn === resolver.arn(logicalId)).sort((one, other) => one.Priority - other.Priority);
    const all = [...rules, { Conditions: [], Actions: resolver.resolve(Properties.DefaultActions) }];
    if (!all.some(({ Actions }) => asArray<any>(Actions).some(({ Type }) => /^authenticate-/.test(Type)))) return [];
    return CALLERS.flatMap((caller) => {
      const found = outcome(all.find(({ Conditions }) => asArray<any>(Conditions).every((condition) => holds(condition, caller))).Actions);
      return found === caller.wanted ? [] : [{ logicalId, message: `What ${caller.who} asks (${caller.path}) ends in "${found}", not in "${caller.wanted}".` }];
    });
  });
}

function outcome(actions: any[]): string {
  const [first] = [...actions].sort((one, other) => (one.Order ?? 0) - (other.Order ?? 0));
  const { OnUnauthenticatedRequest = 'authenticate' } = first.AuthenticateOidcConfig ?? first.AuthenticateCognitoConfig ?? {};
  return /^authenticate-/.test(first.Type) ? OnUnauthenticatedRequest : first.Type;
}

function holds({ PathPatternConfig, HttpHeaderConfig }: any, { path, headers }: Caller): boolean {
  const matches = (patterns: string[], text: string | undefined) => text !== undefined && patterns.some((pattern) => new RegExp(`^${pattern.replace(/[.+^${}()|[\]\\]/g, '\\$&').replace(/\*/g, '.*').replace(/\?/g, '.')}$`).test(text));
  return PathPatternConfig ? matches(PathPatternConfig.Values, path) : matches(HttpHeaderConfig.Values, headers[HttpHeaderConfig.HttpHeaderName]);
}

/** A name that leads to a load balancer is in the certificate that it shows. */
function names(resolver: Resolver): Remark[] {
  const { template } = resolver;
  return ofType(template, 'AWS::Route53::RecordSet').flatMap(([logicalId, { Properties = {} }]) => {
    const balancer = targetOf(template, Properties.AliasTarget?.DNSName);
    const certificates = ofType(template, 'AWS::ElasticLoadBalancingV2::Listener')
      .filter(([, listener]) => targetOf(template, listener.Properties?.LoadBalancerArn) === balancer)
      .flatMap(([, listener]) => asArray<any>(listener.Properties?.Certificates)).flatMap(({ CertificateArn }) => targets(template, CertificateArn));
    const name = String(resolver.resolve(Properties.Name)).replace(/\.$/, '');
    const known = certificates.map((id) => props(template, id))
      .flatMap(({ DomainName, SubjectAlternativeNames }) => [DomainName, ...asArray(SubjectAlternativeNames)])
      .map((value) => resolver.resolve(value));
    return certificates.length === 0 || known.includes(name) ? [] : [{ logicalId, message: `${name} leads to ${balancer}, whose certificate is for ${known.join(', ')}.` }];
  });
}
