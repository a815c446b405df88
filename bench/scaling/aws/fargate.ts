import { Random } from '../random';

/**
 * Seconds from the launch of a task to a worker that polls, drawn from a lognormal distribution: median 55, one in
 * twenty over 76, one in a hundred over 88.
 *
 * Where the median comes from: a start without an image to speak of took 23 s (AWS's benchmark of June 2026: 386 s from
 * load to running task, 363 s of them until scale-out), an image of 413 MB took 57 s (ten starts, 53 to 62 s). In between
 * lies Prefect's image with 272 MiB compressed: 47 s. A PROCESS worker then needs 8 s until its first poll on one vCPU.
 * The ten starts spread by 5 %; it is 20 % here, because they were of one place and one hour.
 *
 * @see https://dev.classmethod.jp/en/articles/ecs-high-resolution-metrics-faster-autoscaling/
 * @see https://elasticscale.com/blog/reduce-aws-fargate-pull-times-with-soci
 * @see https://github.com/PrefectHQ/prefect/issues/20154
 */
export function startUpSeconds(random: Random): number {
  return Math.max(30, Math.min(180, random.lognormal(55, 0.2)));
}

/**
 * Seconds until Fargate takes a Spot task away. AWS publishes no rate for Fargate, and for EC2 "less than 5 %" a month of
 * instances on average; here a task lives 48 hours on average, which is a bad week.
 *
 * @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-capacity-providers.html
 * @see https://aws.amazon.com/ec2/spot/instance-advisor/
 */
export function spotLifetimeSeconds(random: Random): number {
  return random.exponential(48 * 3600);
}

/** The warning before a Spot task is stopped. */
export const SPOT_WARNING_SECONDS = 120;

/** Fargate bills from the download of the image to the end of the task, a minute at least. */
export const LEAST_BILLED_SECONDS = 60;
