/** What the construct tells the demand publisher of a worker, as the input of each event. */
export interface PublisherConfiguration {
  /** The metrics' dimensions: name of the work pool, and the construct's unique name. */
  readonly workPool: string;
  readonly worker: string;
  /** The queues that the worker serves, where these are not all of the pool. */
  readonly workQueues?: readonly string[];
  /** How many flow runs one worker holds at a time. */
  readonly flowRunLimit?: number;
  /** For how many flow runs beyond the demand there is room, where for any. */
  readonly spareFlowRuns?: number;
  /** For how many hours a day workers may wait for runs that nobody scheduled, where for any. */
  readonly warmTaskHours?: number;
  /** How many workers serve any number of flow runs. Without both the number of workers doesn't follow demand. */
  readonly workers?: number;
  /** How long before a run is due it counts as demand. */
  readonly leadTimeSeconds: number;
  readonly pollSeconds: number;
  /** For how many minutes fewer workers have to be needed before some are taken away. */
  readonly scaleInMinutes: number;
  /** Whether the worker only takes over when another doesn't serve the pool. */
  readonly standby?: Standby;
  /** A worker's task, where its price is to be published. */
  readonly pricedTask?: PricedTask;
  /** The ECS service: the ARN or name of its cluster, and its name. */
  readonly cluster: string;
  readonly service: string;
}

/** As a task definition has it, as text: also what is known only at deployment. */
export interface PricedTask {
  readonly cpu?: string;
  readonly memoryMiB?: string;
  readonly ephemeralStorageGiB?: number | string;
  readonly cpuArchitecture?: string;
}

export interface Standby {
  /** How long runs have to be late before the worker takes over. */
  readonly afterSeconds: number;
}
