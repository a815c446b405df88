/**
 * How long the parts between a fact and a new task take. AWS documents the periods, not these; they are chosen so that
 * what AWS did measure comes out. What differs between the settings is in conditions.ts.
 */
export const DELAYS = {
  /**
   * From the end of a minute until its CPU and memory of AWS/ECS are to be seen. With it the simulated time from load to
   * scale-out by target tracking is six minutes, as AWS measured: 363 s.
   *
   * @see https://dev.classmethod.jp/en/articles/ecs-high-resolution-metrics-faster-autoscaling/
   */
  serviceMetric: 120,

  /** From the alarm's action to the service's new desired count. */
  scalingActivity: 3,

  /** From the new desired count, or the end of a protection, to the launch of a task or the stop of one. */
  serviceScheduler: 5,

  /** From a task's last process to the end of what is billed for it. */
  endOfTask: 5,
};
