import { Random } from '../random';

/** The default of PREFECT_WORKER_QUERY_SECONDS. */
const QUERY_SECONDS = 10;

/** Polls are at most 1.3 intervals apart, and at least as much that the median stays the distribution's. */
const LONGEST = 1.3;
const SHORTEST = Math.log2(Math.pow(2, LONGEST) / (Math.pow(2, LONGEST) - 1));

/**
 * The time between two polls of a worker: 7.5 to 13 s, from an exponential distribution that is cut off on both sides.
 *
 * @see prefect/utilities/math.py, clamped_poisson_interval() and prefect/workers/base.py, start()
 */
export function pollInterval(random: Random): number {
  const chance = (multiple: number) => 1 - Math.exp(-multiple);
  return -Math.log(1 - random.uniform(chance(SHORTEST), chance(LONGEST))) * QUERY_SECONDS;
}
