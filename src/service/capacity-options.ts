/**
 * How tasks are spread over Fargate on demand and Fargate Spot, which costs up to 70% less and can be taken back at any time,
 * with two minutes' notice. A worker that is taken back hands its flow runs to the others, and a flow run is started again.
 *
 * Amazon ECS doesn't start on demand what Spot has no room for; it tries Spot again until there is room. `onDemandBase`
 * and the on-demand share of the rest are the workers that are there whatever Spot has. A flow run whose task Spot has no room
 * for is started on demand after ten minutes.
 *
 * @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-capacity-providers.html
 */
export interface CapacityOptions {
  /**
   * How many tasks run on Spot for each `onDemandWeight` on demand, beyond `onDemandBase`: with 3, three of four do. A whole
   * number from 0 to 1000; throws for others.
   *
   * @default 0 - no task runs on Spot
   */
  readonly spotWeight?: number;

  /**
   * How many tasks run on demand for each `spotWeight` on Spot, beyond `onDemandBase`. With 0, all of these run on Spot. A whole
   * number from 0 to 1000; throws for others, and where `spotWeight` is 0, because all tasks are on demand then.
   *
   * @default 1
   */
  readonly onDemandWeight?: number;

  /**
   * How many tasks run on demand before any runs on Spot. A whole number from 0 to 100000; throws for others, and where
   * `spotWeight` is 0, because all tasks are on demand then.
   *
   * Only for workers: Amazon ECS counts it within one request, and each flow run is a request of its own. With a base, all flow
   * runs would be on demand; a warning says so.
   *
   * @default - workers: 1, flow runs: 0
   */
  readonly onDemandBase?: number;
}
