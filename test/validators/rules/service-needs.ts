import { asks, assumed, logging, type Need } from './need';
import { type IamRequest } from '../../policy/simulate';
import type { Resolver } from '../intrinsics';
import { asArray, ofType, props, targetOf } from '../template';
import type { Template } from '../types';

/** Flow logs, archives and events, which AWS services write. */
export function serviceNeeds(resolver: Resolver): Need[] {
  const { template } = resolver;
  const roleOf = (value: unknown) => targetOf(template, value);
  return [
    ...ofType(template, 'AWS::EC2::FlowLog').flatMap(([id, { Properties = {} }]) => [
      ...assumed(resolver, id, roleOf(Properties.DeliverLogsPermissionArn), 'vpc-flow-logs.amazonaws.com'),
      ...logging(resolver, id, roleOf(Properties.DeliverLogsPermissionArn), resolver.resolve(Properties.LogGroupName)),
    ]),
    ...ofType(template, 'AWS::KinesisFirehose::DeliveryStream').flatMap(([id, { Properties = {} }]) => {
      const { BucketARN, RoleARN, CloudWatchLoggingOptions } = Properties.ExtendedS3DestinationConfiguration ?? {};
      const role = roleOf(RoleARN);
      return [
        ...assumed(resolver, id, role, 'firehose.amazonaws.com'),
        ...asks(id, role, `${resolver.resolve(BucketARN)}/any`, ['s3:PutObject', 's3:AbortMultipartUpload']),
        ...asks(id, role, String(resolver.resolve(BucketARN)), ['s3:ListBucket', 's3:GetBucketLocation', 's3:ListBucketMultipartUploads']),
        ...logging(resolver, id, role, resolver.resolve(CloudWatchLoggingOptions?.LogGroupName), ['logs:PutLogEvents']),
        ...keysOf(template, roleOf(BucketARN)).flatMap((key) => asks(id, role, resolver.arn(key), ['kms:GenerateDataKey', 'kms:Decrypt'])),
      ];
    }),
    ...ofType(template, 'AWS::Logs::SubscriptionFilter')
      .filter(([, { Properties = {} }]) => Properties.RoleArn !== undefined)
      .flatMap(([id, { Properties = {} }]) => [
        ...assumed(resolver, id, roleOf(Properties.RoleArn), 'logs.amazonaws.com'),
        ...asks(id, roleOf(Properties.RoleArn), String(resolver.resolve(Properties.DestinationArn)), [
          'firehose:PutRecord',
          'firehose:PutRecordBatch',
        ]),
      ]),
    ...ofType(template, 'AWS::KMS::Key').map(([id]): Need => ({
      logicalId: id,
      service: resolver.formatArn('iam', 'root', { region: '' }),
      // AWS services hand the use of a key on to themselves: Lambda to a function, Firehose to a stream.
      request: {
        action: 'kms:CreateGrant',
        resource: resolver.arn(id),
        context: { 'kms:GrantIsForAWSResource': 'true', 'aws:PrincipalIsAWSService': 'false' },
      },
    })),
    ...ofType(template, 'AWS::Events::Rule').flatMap(([id, { Properties = {} }]) =>
      asArray<any>(Properties.Targets).flatMap(({ Arn }) => sending(resolver, id, 'events.amazonaws.com', Arn)),
    ),
    ...ofType(template, /^AWS::CloudWatch::(Composite)?Alarm$/).flatMap(([id, { Properties = {} }]) =>
      [Properties.AlarmActions, Properties.OKActions]
        .flatMap((list) => asArray<any>(list))
        .flatMap((action) => sending(resolver, id, 'cloudwatch.amazonaws.com', action)),
    ),
  ];
}

function keysOf(template: Template, id: string | undefined): string[] {
  const text = JSON.stringify(id === undefined ? {} : props(template, id));
  return ofType(template, 'AWS::KMS::Key')
    .map(([key]) => key)
    .filter((key) => text.includes(`"${key}"`));
}

/** An event to a queue or a topic, which its policy and its key's have to let in. */
function sending(resolver: Resolver, logicalId: string, service: string, to: unknown): Need[] {
  const {
    template,
    deployment: { account },
  } = resolver;
  const id = targetOf(template, to);
  const type = id && template.Resources[id].Type;
  if (type !== 'AWS::SQS::Queue' && type !== 'AWS::SNS::Topic') return [];
  // EventBridge gives topics and their keys no source.
  const source: IamRequest['context'] =
    service === 'events.amazonaws.com' && type === 'AWS::SNS::Topic'
      ? {}
      : { 'aws:SourceAccount': account, 'aws:SourceArn': resolver.arn(logicalId) };
  const topic: IamRequest['context'] = type === 'AWS::SNS::Topic' ? { 'kms:EncryptionContext:aws:sns:topicArn': resolver.arn(id!) } : {};
  return [
    {
      logicalId,
      service,
      request: { action: type === 'AWS::SQS::Queue' ? 'sqs:SendMessage' : 'sns:Publish', resource: resolver.arn(id!), context: source },
    },
    ...keysOf(template, id).flatMap((key) =>
      ['kms:GenerateDataKey', 'kms:Decrypt'].map((action): Need => ({
        logicalId,
        service,
        request: { action, resource: resolver.arn(key), context: { ...source, ...topic } },
      })),
    ),
  ];
}
