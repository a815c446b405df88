import { aws_ecs as ecs, aws_events as events, aws_iam as iam, aws_kms as kms, aws_sqs as sqs, Duration, Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { addToPolicy } from '../private/resource-policy';

/** How a task ends by its own doing, by ECS' `stopCode`. */
const OWN_ENDS = ['EssentialContainerExited', 'TaskFailedToStart'];

export interface EventQueueProps {
  readonly cluster: ecs.ICluster;
  readonly encryptionKey: kms.IKey;
  /** Start of the family names of the flow runs' task definitions; tasks of other families are not of interest. */
  readonly familyPrefix: string;
}

/**
 * Tells the worker what becomes of the flow runs' tasks: ECS task state changes go to a queue that the
 * worker's observer reads, so that a task that dies without a word becomes a crashed flow run.
 *
 * @see https://docs.prefect.io/integrations/prefect-aws/ecs-worker
 */
export class EventQueue extends Construct {
  public readonly queue: sqs.Queue;
  public readonly deadLetterQueue: sqs.Queue;

  constructor(scope: Construct, id: string, props: EventQueueProps) {
    super(scope, id);

    const encryption = { encryption: sqs.QueueEncryption.KMS, encryptionMasterKey: props.encryptionKey, enforceSSL: true };
    this.deadLetterQueue = new sqs.Queue(this, 'DeadLetterQueue', { ...encryption, retentionPeriod: Duration.days(14) });
    this.queue = new sqs.Queue(this, 'Queue', {
      ...encryption,
      // The observer takes messages for 300 seconds at a time.
      visibilityTimeout: Duration.seconds(300),
      // For the same reason, no older ones; what the observer misses for lack of a worker, the reconciler sees.
      retentionPeriod: Duration.hours(1),
      deadLetterQueue: { queue: this.deadLetterQueue, maxReceiveCount: 3 },
    });

    const rule = new events.Rule(this, 'Rule', {
      description: `State changes of the flow runs' tasks, for the Prefect worker ${scope.node.path}`,
      eventPattern: {
        source: ['aws.ecs'],
        detailType: ['ECS Task State Change'],
        detail: {
          clusterArn: [props.cluster.clusterArn],
          taskDefinitionArn: events.Match.prefix(
            Stack.of(this).formatArn({ service: 'ecs', resource: 'task-definition', resourceName: props.familyPrefix })),
          // A run whose task ECS or a user has stopped is started again, and the observer doesn't look which of its
          // tasks a message is about: it would mark the next attempt as crashed.
          stopCode: [{ exists: false }, ...OWN_ENDS],
        },
      },
      targets: [{ bind: () => ({ arn: this.queue.queueArn, targetResource: this.queue }) }],
    });
    this.letRuleSend(rule, props.encryptionKey);
  }

  /** The L2 target, targets.SqsQueue, lets any rule of any account send to an encrypted queue; this rule is enough. */
  private letRuleSend(rule: events.Rule, encryptionKey: kms.IKey): void {
    const eventBridge = new iam.ServicePrincipal('events.amazonaws.com');
    this.queue.addToResourcePolicy(new iam.PolicyStatement({
      sid: 'TaskStateChanges',
      principals: [eventBridge],
      actions: ['sqs:SendMessage'],
      resources: [this.queue.queueArn],
      conditions: { ArnEquals: { 'aws:SourceArn': rule.ruleArn } },
    }));
    // By account, because the rule's ARN in the key's policy would make a circle: rule, queue, key.
    addToPolicy(this.node.scope!.node.scope!, 'key', encryptionKey, new iam.PolicyStatement({
      sid: 'TaskStateChanges',
      principals: [eventBridge],
      actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
      resources: ['*'],
      conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
    }), 'workers are not told of tasks that have ended');
  }
}
