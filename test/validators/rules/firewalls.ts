import { RULES } from '../../server/web-acl';
import { Resolver } from '../intrinsics';
import { asArray, ofType, targetOf } from '../template';
import type { Remark, Rule, Template } from '../types';

/** What says who somebody is. */
const CREDENTIALS = ['authorization', 'cookie'];

/** A web ACL stands before the load balancer, its rules are in an order and have exceptions that exist, and its logs hold no credentials. */
export const firewalls: Rule = (template, { named }) => {
  const resolver = new Resolver(template, { imports: named.imports });
  return [...open(template), ...ofType(template, 'AWS::WAFv2::WebACL').flatMap(([logicalId, { Properties = {} }]) =>
    [...faults(template, logicalId), ...rules(asArray(resolver.resolve(Properties.Rules)))].map((message): Remark => ({ logicalId, message })))];
};

const BALANCER = 'AWS::ElasticLoadBalancingV2::LoadBalancer';

/** A load balancer that the internet reaches has one. */
function open(template: Template): Remark[] {
  const guarded = ofType(template, 'AWS::WAFv2::WebACLAssociation').map(([, { Properties = {} }]) => targetOf(template, Properties.ResourceArn));
  return ofType(template, BALANCER).filter(([id, { Properties = {} }]) => Properties.Scheme === 'internet-facing' && !guarded.includes(id))
    .map(([logicalId]) => ({ logicalId, message: 'The internet reaches it, and no web ACL stands before it.' }));
}

function faults(template: Template, logicalId: string): string[] {
  const of = (type: string, property: string) => ofType(template, type).map(([, { Properties = {} }]) => Properties)
    .filter((properties) => targetOf(template, properties[property]) === logicalId);
  const before = of('AWS::WAFv2::WebACLAssociation', 'WebACLArn').map(({ ResourceArn }) => targetOf(template, ResourceArn));
  const redacted = of('AWS::WAFv2::LoggingConfiguration', 'ResourceArn').flatMap(({ RedactedFields }) => asArray<any>(RedactedFields)).map(({ SingleHeader }) => SingleHeader?.Name);
  return [
    ...(before.length === 0 ? ['It stands before nothing.'] : []),
    ...before.filter((id) => id && template.Resources[id].Type !== BALANCER).map((id) => `AWS WAF can't stand before ${id}.`),
    ...(before.some((id) => id && template.Resources[id].Type === BALANCER) && template.Resources[logicalId].Properties!.Scope !== 'REGIONAL' ? ['Before a load balancer its scope has to be REGIONAL.'] : []),
    ...CREDENTIALS.filter((name) => !redacted.includes(name)).map((name) => `Its logs hold the header ${name}.`),
  ];
}

function rules(all: any[]): string[] {
  const priorities = all.map(({ Priority }) => Priority);
  return [
    ...priorities.filter((priority, index) => priorities.indexOf(priority) !== index).map((priority) => `Two of its rules have the priority ${priority}.`),
    ...all.filter(({ Action, OverrideAction }) => OverrideAction ? OverrideAction.Count : Action?.Count).map(({ Name }) => `Its rule ${Name} only counts.`),
    ...all.flatMap(({ Statement: { ManagedRuleGroupStatement: group } }) => {
      const known: readonly string[] | undefined = RULES[group?.Name];
      if (!known) return [];
      const counted = asArray<any>(group.RuleActionOverrides).filter(({ ActionToUse }) => ActionToUse.Count).map(({ Name }) => Name);
      return [
        ...asArray<any>(group.RuleActionOverrides).filter(({ Name }) => !known.includes(Name)).map(({ Name }) => `${group.Name} has no rule ${Name}.`),
        ...known.filter((name) => /_BODY$/.test(name) && !counted.includes(name)).map((name) => `${group.Name}/${name} blocks what flows write: bodies have to be counted.`),
      ];
    }),
  ];
}
