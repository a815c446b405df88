import type { Turn } from '../private/pool-log';

/** What the construct tells the function that looks after flow runs of a worker, as the input of each event. */
export interface ReconcilerConfiguration {
  readonly workPool: string;
  /** The construct's unique name, as metrics have it. */
  readonly worker: string;
  /** Names of the pool's work queues that the workers serve; all where nothing is said. */
  readonly workQueues?: readonly string[];
  /** How the pool's flow runs run: `ecs`, each in a task of its own, or `process`, in the workers' tasks. */
  readonly type: string;
  /** What becomes of runs that are interrupted while they execute, where no tag says otherwise. */
  readonly interruptedRuns: 'restart' | 'crash';
  /** What becomes of runs that run out of memory, where that is more than of others. */
  readonly outOfMemory?: OutOfMemory;
  /** ARN of the cluster whose tasks the function can see. Runs elsewhere are none of its business. */
  readonly cluster: string;
  /** Name of the workers' service in it. */
  readonly service: string;
}

/** A pool whose flow runs' tasks have a price. */
export interface PricedPool extends Turn {
  readonly cluster: string;
  /** How the families of their task definitions begin. */
  readonly family: string;
}

/** What the construct has the function told of a task that has ended: it, as the event has it, and whose it may be. */
export interface TaskEnd<Task> {
  readonly pools: readonly PricedPool[];
  readonly task: Task;
}

/** Runs that run out of memory start again with more, up to a limit in MiB; `remember`: later runs of their deployments begin with it. */
export interface OutOfMemory {
  readonly maxMemoryMiB: number;
  readonly remember: boolean;
}

/** The variable in which the function is told, in JSON, what the workers have of the API's secrets: each as the `valueFrom` of ECS. */
export const WORKER_SECRETS_VARIABLE = 'WORKER_SECRETS';

/** How long, in seconds, flow runs and tasks have before they count as lost. */
export interface ReconcilerLimits {
  /** After a change of state or the end of a task: what the worker and the run itself have to say comes first. */
  readonly settle: number;
  /** Until a claimed run has a task. */
  readonly claimed: number;
  /** Until a task has been placed and its containers have started. */
  readonly starting: number;
  /** Until a cancelled run has ended its task. Prefect's own limit is 300. */
  readonly cancelling: number;
  /** Without a sign of life of a running run whose task is unknown. */
  readonly silent: number;
  /** Until a run is due whose next attempt has other job variables: longer than until the next look, which writes its job variables where this one was cut off. */
  readonly preparing: number;
  /** Until the next attempt where Amazon ECS could not start a task for now; it doubles where that goes on. */
  readonly later: number;
  /** Until the task of a run that has ended counts as forgotten. */
  readonly forgotten: number;
  /** The same where the run counts as crashed for its silence, and may only be cut off from the API. */
  readonly cutOff: number;
}

export const LIMITS: ReconcilerLimits = {
  settle: 60, claimed: 300, starting: 600, cancelling: 600, silent: 900, preparing: 90, later: 60, forgotten: 600, cutOff: 3600,
};
