import { Duration } from 'aws-cdk-lib';

/** When alarms go off. Each alarm's meaning and first step: docs/operations.md. */
export interface AlarmOptions {
  /**
   * Whether there are alarms, and the topic and the rules that tell of failed deployments and tasks.
   *
   * @default true
   */
  readonly enabled?: boolean;

  /**
   * Number of late flow runs that is too many when it lasts for five minutes.
   *
   * @default 10
   */
  readonly lateRuns?: number;

  /**
   * How late the oldest late flow run may be, at least a minute.
   *
   * @default Duration.minutes(15)
   */
  readonly oldestLateRun?: Duration;

  /**
   * Number of flow runs crashed within five minutes that is too many.
   *
   * @default 1
   */
  readonly crashedRuns?: number;

  /**
   * CPU utilization of the workers, in percent, that is too much when it lasts for 15 minutes.
   *
   * @default 90
   */
  readonly cpuPercent?: number;

  /**
   * Memory utilization of the workers, in percent, that is too much when it lasts for five minutes.
   *
   * @default 90
   */
  readonly memoryPercent?: number;

  /**
   * How long news of a flow run's task may wait for a worker, at least a minute. Only for ECS workers.
   *
   * @default Duration.minutes(15)
   */
  readonly eventAge?: Duration;
}
