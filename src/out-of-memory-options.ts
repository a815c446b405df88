/**
 * What becomes of a flow run whose task ran out of memory: it starts again with the next larger memory size that Fargate offers, up to a
 * maximum, and its state's message says so. The vCPUs stay as they are where Fargate offers that memory with them.
 *
 * It counts as an interruption: all of the flow's own retries are left, and where `interruptedRuns`, or a tag of the run,
 * says that interrupted runs crash, it crashes.
 */
export interface OutOfMemoryOptions {
  /**
   * The most memory in MiB with which a flow run starts again. A whole number, and more than the flow runs' own memory; throws for
   * others. A flow run that runs out of memory with this size stays crashed.
   *
   * @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html#fargate-tasks-size
   */
  readonly maxMemoryMiB: number;

  /**
   * Whether flow runs start again; `false` switches all of this off.
   *
   * @default true
   */
  readonly retry?: boolean;

  /**
   * Whether later flow runs of the same deployment begin with the size that one of them needed: it is written to the deployment's job
   * variables `cpu` and `memory`, and the flow run's state says so. The next `prefect deploy` writes its own again.
   * Throws where `retry` is off.
   *
   * @default false
   */
  readonly remember?: boolean;
}
