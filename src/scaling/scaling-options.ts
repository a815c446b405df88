/** How many workers run. */
export interface ScalingOptions {
  /**
   * The least number of workers.
   *
   * @default 2
   */
  readonly minWorkers?: number;

  /**
   * The largest number of workers that an ECS worker grows to under load.
   *
   * @default 10, or minWorkers where that is more
   */
  readonly maxWorkers?: number;
}
