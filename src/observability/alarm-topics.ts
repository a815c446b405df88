import { aws_iam as iam, aws_kms as kms, aws_sns as sns, Stack } from 'aws-cdk-lib';
import { Construct, IConstruct } from 'constructs';
import { ObservabilityOptions } from './observability-options';
import { idByKey } from '../private/encryption';
import { addToPolicy } from '../private/resource-policy';
import { shared } from '../private/shared';
import { invalid } from '../private/validation';

type Given = Pick<ObservabilityOptions, 'alarmTopic' | 'pageTopic' | 'informTopic'>;

/** Who publishes to a topic. */
type Publisher = 'cloudwatch' | 'events';

/** Where alarms and messages go by their severity: to the topics that are given, or to the stack's own one, which is encrypted. */
export class AlarmTopics {
  /** The one for all that has no other. */
  public readonly all?: sns.ITopic;
  /** For what needs somebody at once. */
  public readonly page: sns.ITopic;
  /** For what can wait. */
  public readonly inform: sns.ITopic;
  private readonly allowed = new Map<sns.ITopic, Set<Publisher>>();
  private readonly keys = new Set<kms.IKey>();

  constructor(private readonly scope: Construct, { alarmTopic, pageTopic, informTopic }: Given, encryptionKey: kms.IKey) {
    if (alarmTopic && pageTopic && informTopic) {
      throw invalid('observability.alarmTopic', alarmTopic.node.path, 'with pageTopic and informTopic, nothing is left for it; remove one of the three.');
    }
    this.all = alarmTopic ?? (pageTopic && informTopic ? undefined : this.created(encryptionKey));
    this.page = pageTopic ?? this.all!;
    this.inform = informTopic ?? this.all!;
  }

  /**
   * Lets a service publish to a topic: the policy of a topic takes the place of the default one, by which its account may publish.
   * What it publishes is encrypted with the topic's key, where that has one.
   */
  public letPublish(topic: sns.ITopic, publisher: Publisher): void {
    const allowed = this.allowed.get(topic) ?? new Set();
    if (allowed.has(publisher)) return;
    this.allowed.set(topic, allowed.add(publisher));
    const otherwise = `nothing that ${publisher === 'cloudwatch' ? 'CloudWatch alarms' : 'Amazon EventBridge rules'} publish arrives`;
    addToPolicy(this.worker, 'topic', topic, new iam.PolicyStatement({
      sid: publisher === 'cloudwatch' ? 'Alarms' : 'Rules',
      principals: [new iam.ServicePrincipal(`${publisher}.amazonaws.com`)],
      actions: ['sns:Publish'],
      resources: [topic.topicArn],
      // EventBridge allows no condition here. https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html
      conditions: publisher === 'cloudwatch' ? { StringEquals: { 'aws:SourceAccount': Stack.of(this.scope).account } } : undefined,
    }), `${otherwise}; where it is encrypted, its key has to let them too`);
    // Newer versions of the CDK tell the key of a topic of the app.
    const { masterKey } = topic as { readonly masterKey?: kms.IKey };
    if (masterKey) this.letUse(masterKey, otherwise);
  }

  private created(encryptionKey: kms.IKey): sns.Topic {
    this.letUse(encryptionKey, 'no alarm arrives');
    return shared(this.scope, idByKey(this.scope, 'Topic', encryptionKey), (scope, id) => new sns.Topic(scope, id, { masterKey: encryptionKey, enforceSSL: true }));
  }

  private letUse(key: kms.IKey, otherwise: string): void {
    if (this.keys.has(key)) return;
    this.keys.add(key);
    const { partition, region, account } = Stack.of(this.scope);
    // Not by source: EventBridge gives none of it to the keys of topics. By topic, because what is encrypted names it.
    // https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html#compatibility-with-aws-services
    addToPolicy(this.worker, 'key', key, new iam.PolicyStatement({
      sid: 'AlarmTopic',
      principals: ['cloudwatch', 'events'].map(service => new iam.ServicePrincipal(`${service}.amazonaws.com`)),
      actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
      resources: ['*'],
      conditions: { ArnLike: { 'kms:EncryptionContext:aws:sns:topicArn': `arn:${partition}:sns:${region}:${account}:*` } },
    }), otherwise);
  }

  private get worker(): IConstruct {
    return this.scope.node.scope!;
  }
}
