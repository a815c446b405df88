import { aws_kms as kms, aws_logs as logs } from 'aws-cdk-lib';
import { Tracing } from '../tracing';

/** What a worker shows of itself, and how long it is kept. */
export interface ObservabilityOptions {
  /**
   * How long the logs of the worker, its flow runs and its functions are kept.
   *
   * @default logs.RetentionDays.ONE_MONTH
   */
  readonly logRetention?: logs.RetentionDays;

  /**
   * Key that encrypts logs and queues. CloudWatch Logs, and for ECS workers EventBridge, are given the right to use it;
   * where the key is imported, its own policy has to let them.
   *
   * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
   * @default - a key is made, with yearly rotation
   */
  readonly encryptionKey?: kms.IKey;

  /**
   * Where traces of flow runs go: `Tracing.xray()`.
   *
   * @default - no traces
   */
  readonly tracing?: Tracing;
}
