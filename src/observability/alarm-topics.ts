import { Annotations, aws_iam as iam, aws_kms as kms, aws_sns as sns, Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { ObservabilityOptions } from './observability-options';
import { invalid, known } from '../private/validation';

type Given = Pick<ObservabilityOptions, 'alarmTopic' | 'pageTopic' | 'informTopic'>;

/** Who publishes to a topic. */
type Publisher = 'cloudwatch' | 'events';

/** Where alarms and messages go by their severity: to the topics that are given, or to one that is created and encrypted. */
export class AlarmTopics {
  /** The one for all that has no other. */
  public readonly all?: sns.ITopic;
  /** For what needs somebody at once. */
  public readonly page: sns.ITopic;
  /** For what can wait. */
  public readonly inform: sns.ITopic;
  private readonly allowed = new Map<sns.ITopic, Set<Publisher>>();

  constructor(private readonly scope: Construct, { alarmTopic, pageTopic, informTopic }: Given, encryptionKey: kms.IKey) {
    if (alarmTopic && pageTopic && informTopic) {
      throw invalid('observability.alarmTopic', alarmTopic.node.path, 'with pageTopic and informTopic, nothing is left for it; remove one of the three.');
    }
    this.all = alarmTopic ?? (pageTopic && informTopic ? undefined : this.created(encryptionKey));
    this.page = pageTopic ?? this.all!;
    this.inform = informTopic ?? this.all!;
  }

  /** Lets a service publish to a topic: the policy of a topic takes the place of the default one, by which its account may publish. */
  public letPublish(topic: sns.ITopic, publisher: Publisher): void {
    const allowed = this.allowed.get(topic) ?? new Set();
    if (allowed.has(publisher)) return;
    this.allowed.set(topic, allowed.add(publisher));
    const statement = new iam.PolicyStatement({
      sid: publisher === 'cloudwatch' ? 'Alarms' : 'Rules',
      principals: [new iam.ServicePrincipal(`${publisher}.amazonaws.com`)],
      actions: ['sns:Publish'],
      resources: [topic.topicArn],
      // EventBridge allows no condition here. https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html
      conditions: publisher === 'cloudwatch' ? { StringEquals: { 'aws:SourceAccount': Stack.of(this.scope).account } } : undefined,
    });
    if (!topic.addToResourcePolicy(statement).statementAdded) this.warnOfImported(topic, publisher);
  }

  private created(encryptionKey: kms.IKey): sns.Topic {
    const { partition, region, account } = Stack.of(this.scope);
    // Not by source: EventBridge gives none of it to the keys of topics. By topic, because what is encrypted names it.
    // https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html#compatibility-with-aws-services
    encryptionKey.addToResourcePolicy(new iam.PolicyStatement({
      sid: 'AlarmTopic',
      principals: ['cloudwatch', 'events'].map(service => new iam.ServicePrincipal(`${service}.amazonaws.com`)),
      actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
      resources: ['*'],
      conditions: { ArnLike: { 'kms:EncryptionContext:aws:sns:topicArn': `arn:${partition}:sns:${region}:${account}:*` } },
    }));
    return new sns.Topic(this.scope, 'Topic', { masterKey: encryptionKey, enforceSSL: true });
  }

  /** A topic without the statement takes no message, and no deployment says so. */
  private warnOfImported(topic: sns.ITopic, publisher: Publisher): void {
    const statement = {
      Effect: 'Allow',
      Principal: { Service: `${publisher}.amazonaws.com` },
      Action: 'sns:Publish',
      Resource: known(topic.topicArn) ? topic.topicArn : '<ARN of the topic>',
    };
    Annotations.of(this.scope.node.scope!).addWarningV2(`cdk-prefect-fargate-worker:importedTopic.${publisher}`,
      `The topic ${topic.node.path} is imported, so its policy is not changed here. Unless it lets ${publisher === 'cloudwatch' ? 'CloudWatch alarms' : 'Amazon EventBridge'} publish, `
      + `nothing arrives. Add to it: ${JSON.stringify(statement)}; where the topic is encrypted, the policy of its key has to allow kms:Decrypt and kms:GenerateDataKey to the same service.`);
  }
}
