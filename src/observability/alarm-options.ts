import { Duration, aws_sns as sns } from 'aws-cdk-lib';

/** Settings of one alarm, or of one kind of message. */
export interface AlarmSettings {
  /**
   * Whether the alarm is created.
   *
   * @default - as `observability.alarms.enabled` says for all of them
   */
  readonly enabled?: boolean;

  /**
   * Topic that the alarm notifies.
   *
   * @default - `observability.pageTopic` or `observability.informTopic`, by how severe it is
   */
  readonly topic?: sns.ITopic;
}

/** Settings of an alarm whose threshold is a number. */
export interface ThresholdAlarmSettings extends AlarmSettings {
  /**
   * The alarm is raised at this value and above. Unit and default are in the description of the alarm.
   *
   * @default - in the description of the alarm
   */
  readonly threshold?: number;
}

/** Settings of an alarm whose threshold is a duration. */
export interface DurationAlarmSettings extends AlarmSettings {
  /**
   * The alarm is raised at this age and above, at least a minute. The default is in the description of the alarm.
   *
   * @default - in the description of the alarm
   */
  readonly threshold?: Duration;
}

/**
 * The alarms one by one. What each means, and the first step: docs/operations.md.
 *
 * A worker has only the alarms for which it has something to measure. Settings of others have no effect, so that workers of both
 * types may share an object with settings; but `enabled: true` of such an alarm throws.
 */
export interface AlarmOptions {
  /**
   * Default of `enabled` for every alarm and message. With `false` no topic is created either, unless you enable one of them.
   *
   * @default true
   */
  readonly enabled?: boolean;

  /**
   * One of the alarms that page is in ALARM. Pages.
   *
   * @default - on, while one of those alarms is
   */
  readonly workerUnhealthy?: AlarmSettings;

  /**
   * Prefect has heard from no worker of the work pool, although one is wanted. Pages.
   *
   * @default - on
   */
  readonly noWorkerOnline?: AlarmSettings;

  /**
   * For ten minutes fewer tasks have been running than the service wants; the threshold is how many are missing, 1 by default. Pages.
   * Only where the cluster has Container Insights.
   *
   * @default - on
   */
  readonly fewerTasksThanWanted?: ThresholdAlarmSettings;

  /**
   * The demand publisher can't read the Prefect API, can't set how many workers the service keeps, or can't write to CloudWatch. Pages.
   *
   * @default - on
   */
  readonly publisherFailing?: AlarmSettings;

  /**
   * The demand publisher has stopped publishing. Pages.
   *
   * @default - on
   */
  readonly publisherSilent?: AlarmSettings;

  /**
   * The reconciler, the function that looks after flow runs, fails. Pages.
   *
   * @default - on
   */
  readonly rescueFailing?: AlarmSettings;

  /**
   * At least this many flow runs are late for five minutes; 10 by default.
   *
   * @default - on
   */
  readonly lateRuns?: ThresholdAlarmSettings;

  /**
   * The oldest late flow run is at least this late; 15 minutes by default.
   *
   * @default - on
   */
  readonly oldestLateRun?: DurationAlarmSettings;

  /**
   * At least this many flow runs crashed within five minutes; 1 by default.
   *
   * @default - on
   */
  readonly crashedRuns?: ThresholdAlarmSettings;

  /**
   * CPU utilization of the workers for 15 minutes, in percent, 90 by default.
   *
   * @default - on
   */
  readonly highCpu?: ThresholdAlarmSettings;

  /**
   * Memory utilization of the fullest worker for five minutes, in percent, 90 by default.
   *
   * @default - on
   */
  readonly highMemory?: ThresholdAlarmSettings;

  /**
   * The oldest event of a flow run's task has been waiting for a worker for this long, 15 minutes by default. Only for ECS workers.
   *
   * @default - on
   */
  readonly eventsUnread?: DurationAlarmSettings;

  /**
   * At least this many events of flow runs' tasks could not be handled; 1 by default. Only for ECS workers.
   *
   * @default - on
   */
  readonly deadLetters?: ThresholdAlarmSettings;

  /**
   * The work pool, one of its queues or its automation differs from what the stack has set. Only for a managed work pool.
   *
   * @default - on
   */
  readonly workPoolChanged?: AlarmSettings;

  /**
   * The NAT gateways had no port left for at least this many connections in a minute; 1 by default. Only for the gateways of a VPC that is created for the worker.
   *
   * @default - on
   */
  readonly natPortsExhausted?: ThresholdAlarmSettings;

  /**
   * The standby serves the work pool. Only for a standby.
   *
   * @default - on
   */
  readonly standbyTookOver?: AlarmSettings;

  /**
   * At the rate of the last seven days, the worker and its flow runs cost so much of `monthlyBudget` in a month, in percent, 80 by default. Only with
   * `observability.monthlyBudget`.
   *
   * @default - on
   */
  readonly overBudget?: ThresholdAlarmSettings;

  /**
   * A deployment of the service failed; a message by Amazon EventBridge, with the reason.
   *
   * @default - on
   */
  readonly deploymentFailed?: AlarmSettings;

  /**
   * A task of the service stopped for an error; a message by Amazon EventBridge, with the reason.
   *
   * @default - on
   */
  readonly taskFailed?: AlarmSettings;
}
