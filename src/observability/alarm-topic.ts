import { aws_iam as iam, aws_kms as kms, aws_sns as sns, Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';

/** The topic of the alarms: given, or made and encrypted; alarms and rules may publish to it. */
export function alarmTopic(scope: Construct, given: sns.ITopic | undefined, encryptionKey: kms.IKey): sns.ITopic {
  const topic = given ?? new sns.Topic(scope, 'Topic', { masterKey: encryptionKey, enforceSSL: true });
  const { partition, region, account } = Stack.of(scope);
  // A topic's own policy takes the place of the default one, by which its account may publish.
  topic.addToResourcePolicy(new iam.PolicyStatement({
    sid: 'Alarms',
    principals: [new iam.ServicePrincipal('cloudwatch.amazonaws.com')],
    actions: ['sns:Publish'],
    resources: [topic.topicArn],
    conditions: { StringEquals: { 'aws:SourceAccount': account } },
  }));
  // EventBridge allows no condition here. https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html
  topic.addToResourcePolicy(new iam.PolicyStatement({
    sid: 'Rules',
    principals: [new iam.ServicePrincipal('events.amazonaws.com')],
    actions: ['sns:Publish'],
    resources: [topic.topicArn],
  }));
  if (!given) {
    // Not by source: EventBridge gives none of it to the keys of topics. By topic, because what is encrypted names it.
    // https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html#compatibility-with-aws-services
    encryptionKey.addToResourcePolicy(new iam.PolicyStatement({
      sid: 'AlarmTopic',
      principals: ['cloudwatch', 'events'].map(service => new iam.ServicePrincipal(`${service}.amazonaws.com`)),
      actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
      resources: ['*'],
      conditions: { ArnLike: { 'kms:EncryptionContext:aws:sns:topicArn': `arn:${partition}:sns:${region}:${account}:*` } },
    }));
  }
  return topic;
}
