import { aws_applicationautoscaling as appscaling, Duration, TimeZone } from 'aws-cdk-lib';
import { StandbyOptions } from './standby-options';

/** How many workers run, and when. */
export interface ScalingOptions {
  /**
   * The least number of workers. With 0, workers of both types start before a flow run is due, and end when nothing is left to do.
   * Throws when it is above `maxWorkers`, or above 0 for a standby.
   *
   * @default - ECS: 2, in two zones; PROCESS and standby: 0, so that nothing runs while nothing is due
   */
  readonly minWorkers?: number;

  /**
   * The largest number of workers. Nothing adds to two ECS workers by itself: each only starts the tasks of flow runs, a hundred
   * and more a minute, and a third would not make that faster.
   *
   * @default - PROCESS: 10, or minWorkers where that is more; ECS: minWorkers, or 2 where that is 0
   */
  readonly maxWorkers?: number;

  /**
   * How long before its scheduled time a flow run counts as demand. Make it as long as it takes until a worker is ready:
   * a shorter one lets runs start late, a longer one pays for workers that wait. Where each of a deployment's last three runs created
   * others in the pool (`run_deployment`), its next run counts together with as many.
   *
   * @default - `pollInterval` and 150 seconds: the poll, Amazon ECS, and the start of a Fargate task
   */
  readonly leadTime?: Duration;

  /**
   * How often the Prefect API is asked for its demand: 10, 15, 20, 30 or 60 seconds. Below a minute the function
   * that polls runs all the time, which costs some nine dollars a month, and unscheduled runs get workers sooner.
   *
   * @default Duration.minutes(1)
   */
  readonly pollInterval?: Duration;

  /**
   * Times with other bounds, for peaks that the Prefect schedule doesn't show early enough.
   * Throws when two of them overlap or touch, because the end of one then undoes the other.
   *
   * @default - the same bounds at all times
   */
  readonly schedules?: ScalingSchedule[];

  /**
   * How many flow runs beyond the demand the workers keep room for, so that unscheduled runs (of a webhook, a button, an automation)
   * start at once. Demand is the runs that run, wait, or are due within the lead time; with 1, one idle worker is up at
   * all times. Slots that a limit of the pool or of its queues keeps empty are not held, nor any while the pool is paused.
   * Runs beyond that wait for a worker to start, as without it.
   *
   * It costs the workers that hold the slots, in whole ones: 24 task-hours a day for up to `flowRunLimit` of them, less what runs there.
   * Simulated with five runs an hour at random: 95 minutes late a day at 10 task-hours without, none at 24 with 1. Where such runs come
   * in bursts, `warmTaskHours` costs less.
   *
   * PROCESS only. Throws for ECS workers, because a single one takes any number of flow runs (`minWorkers`), and for more than the largest
   * number of workers can hold.
   *
   * @default 0
   */
  readonly spareFlowRuns?: number;

  /**
   * For how many task-hours a day workers may wait for unscheduled runs, which then start at once: 12 are two workers for six hours, or one
   * for twelve.
   *
   * A run is unscheduled when it is created later than the lead time before it is due, and not by another run. From when such runs needed
   * how many workers within the last day follows how long each worker stays after they last needed it: as long as lets the most runs find one
   * for these hours. A pool that has only scheduled runs, or none, pays nothing. No worker is started to wait, none waits
   * behind a full limit of the pool or of its queues or while the pool is paused, and no more than these hours are used within any 24.
   * On the first day they grow with the time that is known.
   *
   * Simulated with five runs an hour at random: 95 minutes late a day at 10 task-hours without, 70 at 13 with 4, 23 at 20 with 12. With
   * ten runs at once, again after two to eight minutes, for hours: 1,310 minutes late a day at 20 task-hours without, 700 at 22
   * with 4, 375 at 28 with 12. For crowds that come a few times a day, hours apart, it does little: each worker would have to wait for
   * most of the day.
   *
   * It publishes `UnscheduledWorkers` and `WarmWorkers`, two more metrics to pay for.
   *
   * PROCESS only. Throws for ECS workers, because a single one takes any number of flow runs (`minWorkers`), for a standby, and for more
   * hours than the largest number of workers has in a day.
   *
   * @default 0
   */
  readonly warmTaskHours?: number;

  /**
   * How long there have to be more workers than the demand needs before the surplus is stopped, in whole minutes from one minute to a
   * day. Runs that arrive within that time find the workers up; waiting workers cost money. Workers that hold flow
   * runs stay in any case. Simulated with ten runs at once, again after two to eight minutes, for hours: 1,310 minutes late a day at
   * 20 task-hours with two minutes, 370 at 28 with ten.
   *
   * Throws for ECS workers whose number is fixed.
   *
   * @default Duration.minutes(2)
   */
  readonly scaleInAfter?: Duration;

  /**
   * Makes this worker a standby, which serves the pool only while no other does.
   *
   * @default - it serves the pool
   */
  readonly standby?: StandbyOptions;
}

/**
 * A time with other bounds for the number of workers.
 *
 * @see https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-scheduled-scaling.html
 */
export interface ScalingSchedule {
  /**
   * When the bounds begin to hold: `Schedule.cron()` or `Schedule.at()`. A deployment within the time waits for the next start.
   */
  readonly start: appscaling.Schedule;

  /** When the usual bounds come back: `Schedule.cron()` or `Schedule.at()`. */
  readonly end: appscaling.Schedule;

  /** The least number of workers at that time. Throws when it is above the largest. */
  readonly minWorkers: number;

  /**
   * The largest number of workers at that time.
   *
   * @default - `scaling.maxWorkers`
   */
  readonly maxWorkers?: number;

  /**
   * Time zone of `start` and `end`.
   *
   * @default - UTC
   */
  readonly timeZone?: TimeZone;
}
