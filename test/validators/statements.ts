import type { Resolver } from './intrinsics';
import { asArray, ofType, targetOf, targets } from './template';
import type { Template } from './types';

/** A policy statement with its intrinsic functions resolved and its lists made lists. */
export interface Statement {
  readonly effect: 'Allow' | 'Deny';
  readonly actions: string[];
  readonly notActions: string[];
  readonly resources: string[];
  readonly notResources: string[];
  readonly principals: Record<string, string[]>;
  readonly conditions: Record<string, Record<string, string[]>>;
}

/** The statements of a policy document. */
export function statementsOf(resolver: Resolver, document: any): Statement[] {
  const resolved = resolver.resolve(document) ?? {};
  return asArray<any>(resolved.Statement).map((statement) => ({
    effect: statement.Effect,
    actions: asArray<string>(statement.Action),
    notActions: asArray<string>(statement.NotAction),
    resources: asArray<any>(statement.Resource).map(String),
    notResources: asArray<any>(statement.NotResource).map(String),
    principals: principalsOf(statement.Principal),
    conditions: Object.fromEntries(Object.entries<any>(statement.Condition ?? {}).map(([operator, keys]) =>
      [operator, Object.fromEntries(Object.entries<any>(keys).map(([key, values]) => [key, asArray<any>(values).map(String)]))])),
  }));
}

function principalsOf(principal: any): Record<string, string[]> {
  if (principal === undefined) {
    return {};
  }
  if (typeof principal === 'string') {
    return { AWS: [principal] };
  }
  return Object.fromEntries(Object.entries<any>(principal).map(([kind, who]) => [kind, asArray<string>(who)]));
}

/** The policy documents of a role that are in the template, with the resource that holds each. */
export function policiesOfRole(template: Template, roleId: string): { holder: string; document: any }[] {
  const role = template.Resources[roleId]?.Properties ?? {};
  const isForRole = (roles: any) => asArray(roles).some((item) => targetOf(template, item) === roleId);
  const managed = targets(template, role.ManagedPolicyArns);
  const attached = ofType(template, /^AWS::IAM::(Policy|RolePolicy|ManagedPolicy)$/).filter(([id, { Properties = {} }]) =>
    isForRole(Properties.Roles) || isForRole(Properties.RoleName) || managed.includes(id));
  return [
    ...asArray<any>(role.Policies).map((policy) => ({ holder: roleId, document: policy.PolicyDocument })),
    ...attached.map(([holder, { Properties = {} }]) => ({ holder, document: Properties.PolicyDocument })),
  ];
}

/** The AWS managed policies of a role, by name without the ARN's head. */
export function managedPoliciesOfRole(resolver: Resolver, roleId: string): string[] {
  const arns = asArray<any>(resolver.template.Resources[roleId]?.Properties?.ManagedPolicyArns).map((arn) => String(resolver.resolve(arn)));
  return arns.filter((arn) => arn.includes(':iam::aws:policy/')).map((arn) => arn.slice(arn.indexOf(':policy/') + ':policy/'.length));
}

/** Whether a pattern with `*` and `?`, as in a policy, covers a text. */
export function covers(pattern: string, text: string, ignoreCase = false): boolean {
  const expression = pattern.replace(/[.+^${}()|[\]\\]/g, '\\$&').replace(/\*/g, '.*').replace(/\?/g, '.');
  return new RegExp(`^${expression}$`, ignoreCase ? 'is' : 's').test(text);
}

/** Whether a statement names an action, by itself or by a pattern. */
export function names(statement: Statement, action: string): boolean {
  return statement.actions.some((pattern) => covers(pattern, action, true));
}

/** The values that a statement demands for a condition key, whatever the operator. */
export function demanded(statement: Statement, key: string): string[] {
  return Object.values(statement.conditions).flatMap((keys) => Object.entries(keys))
    .filter(([name]) => name.toLowerCase() === key.toLowerCase())
    .flatMap(([, values]) => values);
}
