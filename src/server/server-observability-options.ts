import { aws_logs as logs, aws_sns as sns } from 'aws-cdk-lib';

/** What a server shows of itself, and how long it is kept. */
export interface ServerObservabilityOptions {
  /**
   * Topic that the alarms are published to. CloudWatch is allowed to publish to it; where it is imported, its policy has to let it.
   *
   * @default - a topic is created, encrypted with `encryptionKey`; subscribe to `alarmTopic` of the server
   */
  readonly alarmTopic?: sns.ITopic;

  /**
   * Whether there are alarms.
   *
   * @default true
   */
  readonly alarms?: boolean;

  /**
   * Whether the server is shown on a CloudWatch dashboard, which it shares with the workers of the stack.
   *
   * @default true
   */
  readonly dashboard?: boolean;

  /**
   * How long logs are kept: of the server, and of what the firewall has looked at.
   *
   * @default logs.RetentionDays.ONE_MONTH
   */
  readonly logRetention?: logs.RetentionDays;
}
