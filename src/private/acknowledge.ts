import { AspectPriority, Aspects, aws_iam as iam, CfnResource, IAspect, Reference, Stack, Tokenization } from 'aws-cdk-lib';
import { IConstruct } from 'constructs';
import { FINDINGS, Finding, WILDCARDS } from './acknowledged-findings';

/** Where `Validations.acknowledge` of newer versions of aws-cdk-lib, which the lowest supported one lacks, keeps what was acknowledged. */
const ACKNOWLEDGED = 'aws:cdk:acknowledged-rules';

/** A finding by its full id, `AwsSolutions-IAM5[Resource::*]`, and why it is right as it is. */
type Reasons = { [id: string]: string };

interface Statement {
  readonly Effect: string;
  readonly Action: string | string[];
  readonly Resource: unknown;
}

/**
 * Acknowledges what cdk-nag finds in what this library creates below a construct, with the reasons, so that the checks of a user's app
 * report only what is the user's own: what users grant to the library's roles is not acknowledged.
 *
 * cdk-nag 3 reads the construct's metadata. cdk-nag 2 reads the template's, which gets them only where such a check is among the aspects.
 *
 * @see https://github.com/cdklabs/cdk-nag#suppressing-a-rule
 */
export function acknowledgeFindings(construct: IConstruct, more: readonly Finding[] = []): void {
  const reasonsOf = (resource: CfnResource): Reasons => ({ ...ofType(resource, [...FINDINGS, ...more]), ...ofWildcards(resource) });
  let nag2 = false;
  const aspect: IAspect = {
    visit: node => {
      // The first that is visited.
      if (node === construct) nag2 = hasNag2(construct);
      if (nag2 && CfnResource.isCfnResource(node)) suppress(node, reasonsOf(node));
    },
  };
  // The checks of cdk-nag 2 look at each resource after this.
  Aspects.of(construct).add(aspect, { priority: AspectPriority.MUTATING });
  // Those of cdk-nag 3 look when references to other stacks have become imports, which are in the ids of findings.
  construct.node.addValidation({
    validate: () => {
      construct.node.findAll().filter(CfnResource.isCfnResource).forEach(resource => acknowledge(resource, reasonsOf(resource)));
      return [];
    },
  });
}

function acknowledge(resource: CfnResource, reasons: Reasons): void {
  if (Object.keys(reasons).length === 0) return;
  resource.node.addMetadata(ACKNOWLEDGED, Object.fromEntries(Object.entries(reasons).map(([id, reason]) => [`Annotation::${id}`, reason])));
}

function suppress(resource: CfnResource, reasons: Reasons): void {
  if (Object.keys(reasons).length === 0) return;
  const suppressed = resource.getMetadata('cdk_nag')?.rules_to_suppress ?? [];
  resource.addMetadata('cdk_nag', { rules_to_suppress: [...suppressed, ...Object.entries(reasons).map(([id, reason]) => asSuppression(id, reason))] });
}

/** As cdk-nag 2 writes it: a rule, and what of it where it has several findings. */
function asSuppression(id: string, reason: string) {
  const [, rule, finding] = /^([^[]+)(?:\[(.+)\])?$/s.exec(id)!;
  return { id: rule, reason, ...(finding ? { applies_to: [finding] } : {}) };
}

/** Checks of cdk-nag 3 are plugins of the app; those of cdk-nag 2 are aspects, each with the name of its pack. */
function hasNag2(construct: IConstruct): boolean {
  return construct.node.scopes.some(scope => Aspects.of(scope).all.some(aspect => 'readPackName' in aspect));
}

function ofType(resource: CfnResource, findings: readonly Finding[]): Reasons {
  const of = findings.filter(({ type, path }) => type === resource.cfnResourceType && (!path || path.test(resource.node.path)));
  return Object.fromEntries(of.flatMap(({ rules, reason }) => rules.map(rule => [rule, reason])));
}

/** A resource with a wildcard is acknowledged where every statement that has it is one of the library's own. */
function ofWildcards(resource: CfnResource): Reasons {
  if (!(resource instanceof iam.CfnPolicy || resource instanceof iam.CfnManagedPolicy)) return {};
  const reasons = new Map<string, (string | undefined)[]>();
  for (const { Action, Resource } of statementsOf(resource).filter(({ Effect }) => Effect === 'Allow')) {
    const wildcards = listOf(Resource).filter(mayHaveWildcard);
    for (const one of listOf(Stack.of(resource).resolve(wildcards)).map(flat).filter(text => text.includes('*'))) {
      const known = WILDCARDS.find(wildcard => wildcard.resource.test(one) && listOf(Action).every(action => wildcard.actions.includes(action)));
      reasons.set(one, [...reasons.get(one) ?? [], known?.reason]);
    }
  }
  const whole = [...reasons].filter(([, all]) => all.every(reason => reason !== undefined));
  return Object.fromEntries(whole.map(([one, all]) => [`AwsSolutions-IAM5[Resource::${one}]`, [...new Set(all)].join(' ')]));
}

/** Not resolved, where that can be: most of it has no wildcard. */
function statementsOf({ policyDocument, stack }: iam.CfnPolicy | iam.CfnManagedPolicy): Statement[] {
  const document = policyDocument instanceof iam.PolicyDocument ? policyDocument.toJSON() : stack.resolve(policyDocument);
  return document?.Statement ?? [];
}

/** A reference alone has none. */
function mayHaveWildcard(resource: unknown): boolean {
  if (typeof resource !== 'string' || resource.includes('*')) return true;
  return Tokenization.reverseString(resource).tokens.some(token => !Reference.isReference(token));
}

function listOf<T>(value: T | T[]): T[] {
  return Array.isArray(value) ? value : [value];
}

/** A resource as cdk-nag names it: references in angle brackets. */
function flat(value: unknown): string {
  if (typeof value === 'string') return value.replace(/\$\{/g, '<').replace(/\}/g, '>');
  const { 'Fn::Join': join, 'Fn::Sub': sub, 'Fn::ImportValue': imported, 'Fn::GetAtt': attribute, 'Ref': ref } = value as
    { 'Fn::Join'?: [string, unknown[]]; 'Fn::Sub'?: string; 'Fn::ImportValue'?: unknown; 'Fn::GetAtt'?: string[]; 'Ref'?: string };
  if (join) return join[1].map(flat).join(join[0]);
  if (sub) return flat(sub);
  if (imported) return flat(imported);
  if (attribute) return `<${attribute.join('.')}>`;
  return ref ? `<${ref}>` : JSON.stringify(value);
}
