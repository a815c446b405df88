/**
 * What AWS and the API are like while a trace is played. Every number that AWS does not promise stands here with its source;
 * the ones of the usual setting that favour the library are taken away one by one in the table of sensitivities.
 */
export interface Conditions {
  readonly name: string;
  /** Seconds from the launch of a task to a worker that polls: a lognormal distribution. */
  readonly startUp: { readonly median: number; readonly p99: number };
  /** The share of starts whose image can't be pulled, and that ECS tries again. */
  readonly failedPulls: number;
  /** Seconds from PutMetricData until an alarm sees the value. */
  readonly metricDelay: { readonly least: number; readonly most: number };
  /**
   * Further periods that an alarm fetches beyond its evaluation periods. AWS says that there are some, and in its example they are two; for
   * periods of ten seconds it says nothing, so that the sensitivities have none and many.
   *
   * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
   */
  readonly furtherPeriods: number;
  /** The share of requests of publishers and workers that the API doesn't answer. */
  readonly failedPolls: number;
  /** CPU seconds of a flow run's process before it runs: the imports of Prefect and of the flow. Processes of one worker share its vCPU. */
  readonly processStart: number;
}

/**
 * Start-up: a start without an image to speak of took 23 s (AWS's benchmark of June 2026: 386 s from load to running task, 363 s
 * of them until scale-out), an image of 413 MB took 57 s (ten starts, 53 to 62 s). In between lies Prefect's image with 272 MiB
 * compressed: 47 s, and a PROCESS worker then needs 8 s until its first poll on one vCPU. The ten starts spread by 5 %; it is 20 % here,
 * because they were of one place and one hour. Nobody publishes a p99.
 *
 * A flow run's process takes about 4 CPU seconds to import Prefect: seven at once on one vCPU took 18 to 33 s from their claim to
 * Running (measured with Prefect 3.9.1).
 *
 * @see https://dev.classmethod.jp/en/articles/ecs-high-resolution-metrics-faster-autoscaling/
 * @see https://elasticscale.com/blog/reduce-aws-fargate-pull-times-with-soci
 * @see https://github.com/PrefectHQ/prefect/issues/20154
 */
export const USUAL: Conditions = {
  name: 'usual',
  startUp: { median: 55, p99: 88 },
  failedPulls: 0,
  metricDelay: { least: 5, most: 5 },
  furtherPeriods: 2,
  failedPolls: 0,
  processStart: 4,
};

/** A busy region, a large image and an API that is slow: starts of 60 to 90 s are reported, and about 70 s PENDING at 900 MB. */
export const PESSIMISTIC: Conditions = {
  name: 'pessimistic',
  startUp: { median: 90, p99: 180 },
  failedPulls: 0.01,
  metricDelay: { least: 30, most: 60 },
  furtherPeriods: 2,
  failedPolls: 0.05,
  processStart: 5,
};

/** The usual setting with one assumption at a time as the pessimistic one has it. */
export const SENSITIVITIES: readonly Conditions[] = [
  { ...USUAL, startUp: PESSIMISTIC.startUp, failedPulls: PESSIMISTIC.failedPulls, name: 'starts of 90 s, p99 180 s, 1 % of pulls failing' },
  { ...USUAL, metricDelay: PESSIMISTIC.metricDelay, name: 'metrics visible after 30 to 60 s' },
  { ...USUAL, metricDelay: PESSIMISTIC.metricDelay, furtherPeriods: 30, name: 'the same, and alarms that fetch thirty periods more' },
  { ...USUAL, furtherPeriods: 0, name: 'alarms that fetch no further periods' },
  { ...USUAL, failedPolls: PESSIMISTIC.failedPolls, name: '5 % of polls failing' },
  { ...USUAL, processStart: 2, name: 'processes that take 2 CPU seconds to start' },
  { ...USUAL, processStart: 8, name: 'processes that take 8 CPU seconds to start' },
];
