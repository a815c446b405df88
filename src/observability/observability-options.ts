import { aws_logs as logs, aws_sns as sns } from 'aws-cdk-lib';
import { AlarmOptions } from './alarm-options';
import { LogArchiveOptions } from './log-archive-options';
import { Tracing } from '../tracing';

/** Alarms, dashboard, logs and traces of a worker, and how long logs are kept. */
export interface ObservabilityOptions {
  /**
   * Topic for alarms, failed deployments and failed tasks, where neither `pageTopic` nor `informTopic` is given for them.
   * CloudWatch and EventBridge are allowed to publish to it. The policy of an imported topic has to allow them itself, and a warning
   * says what to add; if the topic is encrypted with your own key, so has the key's policy.
   * Throws beside both `pageTopic` and `informTopic`.
   *
   * @see https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html#compatibility-with-aws-services
   * @default - a topic is created, encrypted with `encryptionKey`; subscribe to `alarmTopic` of the worker
   */
  readonly alarmTopic?: sns.ITopic;

  /**
   * Topic for what needs attention at once, because flow runs don't start: the critical alarms, and `WorkerUnhealthy`, which combines them.
   * Permissions as for `alarmTopic`.
   *
   * @default - `alarmTopic`
   */
  readonly pageTopic?: sns.ITopic;

  /**
   * Topic for what can wait: all other alarms, failed deployments and failed tasks. Permissions as for `alarmTopic`.
   *
   * @default - `alarmTopic`
   */
  readonly informTopic?: sns.ITopic;

  /**
   * The alarms one by one: whether each exists, its threshold, its topic; and a switch for all of them.
   *
   * @default - alarms are on
   */
  readonly alarms?: AlarmOptions;

  /**
   * Whether the worker is shown on a CloudWatch dashboard. The workers of a stack share one.
   *
   * @default true
   */
  readonly dashboard?: boolean;

  /**
   * How long the logs of the worker, its flow runs and its functions are kept.
   *
   * @default logs.RetentionDays.ONE_MONTH
   */
  readonly logRetention?: logs.RetentionDays;

  /**
   * Archive of the worker's and its flow runs' logs in Amazon S3, which Amazon Data Firehose writes.
   *
   * @default - no archive: CloudWatch Logs deletes logs after `logRetention`
   */
  readonly logArchive?: LogArchiveOptions;

  /**
   * ARN of a CloudWatch Logs destination that the worker's and its flow runs' logs are sent to as well, such as the one of a
   * central logging account. Its access policy has to let this account subscribe.
   *
   * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CrossAccountSubscriptions.html
   * @default - logs stay in this account
   */
  readonly logDestinationArn?: string;

  /**
   * What the worker's and its flow runs' tasks on AWS Fargate may cost in a month, in US dollars. The alarm `OverBudget` is raised when a month
   * of 730 hours, at the rate of the last seven days, would cost a share of that: 80%, or the threshold of `alarms.overBudget`.
   *
   * AWS's list prices of vCPUs, memory and storage are counted, as of the date in docs/costs.md, without your discounts, and without
   * traffic and logs. Nothing is stopped. In the first week after the first deployment, the rate is too low. Throws unless it is above 0.
   *
   * @see https://aws.amazon.com/fargate/pricing/
   * @default - none, and no such alarm
   */
  readonly monthlyBudget?: number;

  /**
   * Where traces of flow runs go: `Tracing.xray()` or `Tracing.otlp()`.
   *
   * @default - no traces
   */
  readonly tracing?: Tracing;
}
