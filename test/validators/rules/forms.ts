import { Identities, type Form } from '../identities';
import { Resolver } from '../intrinsics';
import type { Remark, Rule } from '../types';

/** What the name of a property says of its value. */
const BY_NAME: [RegExp, Form[]][] = [
  [/(Arn|ARN|Arns|ARNs)$/, ['arn']],
  [/^(LogGroupNames?|LogStreamName)$/, ['name']],
  [/^(Vpc|Subnet|RouteTable|InternetGateway|NatGateway|Gateway|SecurityGroup|Group|DestinationSecurityGroup|SourceSecurityGroup)Ids?$/, ['id']],
];
/** Types whose own words are others: a KMS key is taken by its ARN and id alike, a subscription's log group has to be a name. */
const POLICY = /^(PolicyDocument|AssumeRolePolicyDocument|KeyPolicy|ResourcePolicy)$/;

/** A reference is in the form that its property asks for, and a policy document is one. */
export const forms: Rule = (template, { named }) => {
  const resolver = new Resolver(template, { imports: named.imports });
  return Object.entries(template.Resources).flatMap(([logicalId, { Type, Properties = {} }]) =>
    [...inForm(resolver, resolver.resolve(Properties)), ...documents(Type, Properties)].map((message): Remark => ({ logicalId, message })),
  );
};

function inForm(resolver: Resolver, properties: unknown): string[] {
  const messages: string[] = [];
  const walk = (key: string, value: any): void => {
    if (Array.isArray(value)) {value.forEach((item) => walk(key, item));} else if (value !== null && typeof value === 'object') {Object.entries(value).forEach(([name, inner]) => POLICY.test(name) || walk(name, inner));} else {
      const allowed = BY_NAME.find(([pattern]) => pattern.test(key))?.[1];
      const found = Identities.of(resolver).of(value);
      if (allowed && found && !allowed.includes(found.form)) {messages.push(`${key} is the ${found.form} of ${found.logicalId}, and has to be its ${allowed}.`);}
    }
  };
  walk('', properties);
  return messages;
}

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html */
function documents(type: string, properties: any): string[] {
  const found: [string, any][] = [];
  const walk = (value: any): void => {
    if (value === null || typeof value !== 'object') return;
    Object.entries(value).forEach(([key, inner]) => {
      if (POLICY.test(key)) found.push([key, inner]);
      else walk(inner);
    });
  };
  walk(properties);
  const identity = (name: string) => name === 'PolicyDocument' && /^AWS::IAM::/.test(type);
  return found.flatMap(([name, document]) => [
    ...(document?.Version === '2012-10-17' ? [] : [`Its ${name} is not of the version 2012-10-17, and so is read by older rules.`]),
    ...[document?.Statement ?? []]
      .flat()
      .flatMap((statement: any) => [
        ...(['Allow', 'Deny'].includes(statement.Effect) ? [] : [`A statement of its ${name} has the effect ${statement.Effect}.`]),
        ...(statement.Action || statement.NotAction ? [] : [`A statement of its ${name} is about no action.`]),
        ...(statement.Resource || statement.NotResource || name === 'AssumeRolePolicyDocument'
          ? []
          : [`A statement of its ${name} is about no resource.`]),
        ...(identity(name) || principals(statement) ? [] : [`A statement of its ${name} is about nobody.`]),
      ]),
  ]);
}

function principals({ Principal }: any): boolean {
  return typeof Principal === 'string' || Object.values(Principal ?? {}).some((who) => [who].flat().length > 0);
}
