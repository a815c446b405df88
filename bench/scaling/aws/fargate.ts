import { Conditions } from '../conditions';
import { Random } from '../random';

/** The normal distribution's quantile of 99 %. */
const Z99 = 2.326;

/** Seconds from the launch of a task to a worker that polls. A start whose image can't be pulled is a start in vain, and another one follows. */
export function startUpSeconds(random: Random, { startUp: { median, p99 }, failedPulls }: Pick<Conditions, 'startUp' | 'failedPulls'>): number {
  const once = () => Math.max(median / 2, Math.min(2 * p99, random.lognormal(median, Math.log(p99 / median) / Z99)));
  let seconds = once();
  while (failedPulls > 0 && random.next() < failedPulls) seconds += once();
  return seconds;
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
