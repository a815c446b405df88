/**
 * How workers are spread over Fargate on demand and Fargate Spot, which costs less and can be taken back at any time, with
 * two minutes' notice. A worker that is taken back hands its flow runs to the others.
 *
 * Amazon ECS doesn't start on demand what Spot has no room for; it tries Spot again until there is room. `onDemandBase`
 * and the on-demand share of the rest are the workers that are there whatever Spot has.
 *
 * @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-capacity-providers.html
 */
export interface CapacityOptions {
  /**
   * How many workers run on Spot for each one on demand, beyond `onDemandBase`: with 3, three of four do. A whole number
   * from 0 to 1000; throws for others.
   *
   * @default 0 - no worker runs on Spot
   */
  readonly spotWeight?: number;

  /**
   * How many workers run on demand before any runs on Spot. A whole number from 0 to 100000; throws for others, and where
   * `spotWeight` is 0, because all workers are on demand then.
   *
   * @default 1
   */
  readonly onDemandBase?: number;
}
