import { Resolver } from '../intrinsics';
import { covers, demanded, names, statementsOf, type Statement } from '../statements';
import { asArray, ofType, props, targetOf } from '../template';
import type { Remark, Rule, Template } from '../types';

/** A key lets the AWS services use it that write to what it encrypts. CDK adds most of these rights to no key. */
export const keyPolicies: Rule = (template, { named }) => {
  const resolver = new Resolver(template, { imports: named.imports });
  return [...administered(template, resolver), ...logGroups(template, resolver), ...queues(template, resolver), ...topics(template, resolver)];
};

/** A key whose policy leaves its account out can't be changed any more, and no role may use it by its own policy. */
function administered(template: Template, resolver: Resolver): Remark[] {
  const root = resolver.formatArn('iam', 'root', { region: '' });
  return ofType(template, 'AWS::KMS::Key').flatMap(([logicalId, { Properties = {} }]): Remark[] => {
    const statements = statementsOf(resolver, Properties.KeyPolicy);
    const whole = statements.some(({ effect, principals, actions, resources, conditions }) =>
      effect === 'Allow' && principals.AWS?.includes(root) && actions.includes('kms:*') && resources.includes('*') && Object.keys(conditions).length === 0);
    const open = statements.filter(({ effect, principals, conditions }) =>
      effect === 'Allow' && principals.AWS?.includes('*') && Object.keys(conditions).length === 0);
    return [
      ...whole ? [] : [{ logicalId, message: `Its policy doesn't give kms:* to its account (${root}).` }],
      ...open.map(() => ({ logicalId, message: 'Everybody may use it.' })),
      ...Properties.EnableKeyRotation === true ? [] : [{ logicalId, message: 'It is not rotated.' }],
    ];
  });
}

function logGroups(template: Template, resolver: Resolver): Remark[] {
  return ofType(template, 'AWS::Logs::LogGroup').flatMap(([id, { Properties = {} }]) => {
    const key = Properties.KmsKeyId === undefined ? undefined : targetOf(template, Properties.KmsKeyId);
    if (!key || template.Resources[key].Type !== 'AWS::KMS::Key') {
      return [];
    }
    const { region, urlSuffix } = resolver.deployment;
    const service = `logs.${region}.${urlSuffix}`;
    const statements = allowing(template, resolver, key, service);
    const needed = ['kms:Encrypt', 'kms:Decrypt', 'kms:ReEncryptTo', 'kms:GenerateDataKey', 'kms:DescribeKey'];
    const missing = needed.filter((action) => !statements.some((statement) => names(statement, action)));
    if (missing.length > 0) {
      return [{ logicalId: key, message: `It encrypts the log group ${id}, but its policy doesn't allow ${service} ${missing.join(', ')}: creating the group fails.` }];
    }
    const group = resolver.arn(id).replace(/:\*$/, '');
    const patterns = statements.flatMap((statement) => Object.values(statement.conditions).flatMap((keys) => keys['kms:EncryptionContext:aws:logs:arn'] ?? []));
    if (patterns.length === 0) {
      return [{ logicalId: key, message: `Its policy lets CloudWatch Logs use it for any log group: add a condition on kms:EncryptionContext:aws:logs:arn (it encrypts ${id}).` }];
    }
    return patterns.some((pattern) => covers(pattern, group)) ? [] : [{ logicalId: key, message: `It encrypts the log group ${id}, but the condition on kms:EncryptionContext:aws:logs:arn doesn't match ${group}.` }];
  });
}

function queues(template: Template, resolver: Resolver): Remark[] {
  const fed = new Map<string, string>();
  for (const [, { Properties = {} }] of ofType(template, 'AWS::Events::Rule')) {
    for (const target of asArray<any>(Properties.Targets)) {
      const queue = targetOf(template, target.Arn);
      const dead = target.DeadLetterConfig && targetOf(template, target.DeadLetterConfig.Arn);
      [queue, dead].filter((id) => id && template.Resources[id].Type === 'AWS::SQS::Queue').forEach((id) => fed.set(id!, 'events.amazonaws.com'));
    }
  }
  for (const [, { Properties = {} }] of ofType(template, 'AWS::SNS::Subscription')) {
    const queue = targetOf(template, Properties.Endpoint);
    if (queue && template.Resources[queue].Type === 'AWS::SQS::Queue') {
      fed.set(queue, 'sns.amazonaws.com');
    }
  }
  return [...fed].flatMap(([queue, service]) => usableBy(template, resolver, queue, props(template, queue).KmsMasterKeyId, service));
}

function topics(template: Template, resolver: Resolver): Remark[] {
  const publishers: [string, string][] = [];
  for (const [, { Properties = {} }] of ofType(template, 'AWS::Events::Rule')) {
    for (const target of asArray<any>(Properties.Targets)) {
      const topic = targetOf(template, target.Arn);
      if (topic && template.Resources[topic].Type === 'AWS::SNS::Topic') {
        publishers.push([topic, 'events.amazonaws.com']);
      }
    }
  }
  for (const [, { Properties = {} }] of ofType(template, /^AWS::CloudWatch::(Composite)?Alarm$/)) {
    for (const action of [Properties.AlarmActions, Properties.OKActions, Properties.InsufficientDataActions].flatMap((list) => asArray<any>(list))) {
      const topic = targetOf(template, action);
      if (topic && template.Resources[topic].Type === 'AWS::SNS::Topic') {
        publishers.push([topic, 'cloudwatch.amazonaws.com']);
      }
    }
  }
  return [...new Map(publishers.map(([topic, service]) => [`${topic} ${service}`, [topic, service]])).values()].flatMap(([topic, service]) => usableBy(template, resolver, topic, props(template, topic).KmsMasterKeyId, service));
}

function usableBy(template: Template, resolver: Resolver, id: string, encryption: any, service: string): Remark[] {
  if (encryption === undefined) {
    return [];
  }
  if (typeof encryption === 'string' && encryption.startsWith('alias/aws/')) {
    return [{ logicalId: id, message: `It is encrypted with ${encryption}, whose policy can't be changed, so nothing that ${service} sends arrives.` }];
  }
  const key = targetOf(template, encryption);
  if (!key || template.Resources[key].Type !== 'AWS::KMS::Key') {
    return [];
  }
  // https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html: EventBridge gives the keys of topics no source.
  const sourceless = service === 'events.amazonaws.com' && template.Resources[id].Type === 'AWS::SNS::Topic';
  const statements = allowing(template, resolver, key, service)
    .filter((statement) => !sourceless || ['aws:SourceAccount', 'aws:SourceArn'].every((name) => demanded(statement, name).length === 0));
  const missing = ['kms:GenerateDataKey', 'kms:Decrypt'].filter((action) => !statements.some((statement) => names(statement, action)));
  return missing.length === 0 ? [] : [{ logicalId: key, message: `It encrypts ${id}, but its policy doesn't allow ${service} ${missing.join(', ')}: what the service sends is lost silently.` }];
}

function allowing(template: Template, resolver: Resolver, key: string, service: string): Statement[] {
  return statementsOf(resolver, props(template, key).KeyPolicy).filter((statement) => statement.effect === 'Allow' && (statement.principals.Service ?? []).includes(service));
}
