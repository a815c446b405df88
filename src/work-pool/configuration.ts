import type { OwnTemplate } from './own-template';
import type { ApiLocation } from '../private/api-location';

/** What the construct tells the custom resource's function to make of a work pool. No secrets: only where they are. */
export interface WorkPoolConfiguration {
  readonly api: ApiLocation;
  readonly name: string;
  /** Type of the work pool, as Prefect names it. */
  readonly type: string;
  readonly concurrencyLimit?: number;
  readonly queues: { name: string; priority?: number; concurrencyLimit?: number }[];
  readonly template: TemplateValues;
  /** Seconds without a heartbeat after which a flow run counts as crashed. */
  readonly lostAfterSeconds: number;
  readonly deleteOnRemoval: boolean;
  /** Undefined where results are not kept. */
  readonly results?: ResultsBlock;
}

/** Where Prefect keeps the results of flow runs. */
export interface ResultsBlock {
  /** Name of the block in Prefect. */
  readonly block: string;
  readonly bucket: string;
  readonly folder: string;
}

/** Asks whether a work pool is still as the last deployment left it. */
export interface CheckEvent {
  readonly check: WorkPoolConfiguration;
  /** Whom the pool's automation names. */
  readonly owner: string;
  /** The construct's unique name, as metrics have it. */
  readonly worker: string;
  /** Whether to put everything back as well. */
  readonly repair?: boolean;
}

/** Begins the line of the log that says what is different. */
export const WORK_POOL_CHANGED = 'WorkPoolChanged';

/** Type of the custom resource that ends the flow runs' tasks when it is deleted. */
export const FLOW_RUN_TASKS = 'Custom::PrefectFlowRunTasks';

/** What its function is told. */
export interface FlowRunTasksConfiguration {
  readonly api: ApiLocation;
  readonly workPool: string;
  /** ARN of the cluster. */
  readonly cluster: string;
  /** How the families of the flow runs' task definitions begin. */
  readonly family: string;
}

/** What to fill into a base job template. */
export interface TemplateValues {
  /** A template of the user, or a part of one, under all that follows. */
  readonly baseJobTemplate?: OwnTemplate;
  /** Defaults of the template's variables. */
  readonly variables: { readonly [name: string]: unknown };
  /** Entries of the default of the variable `env`; null keeps the worker from passing its own value on. */
  readonly environment: { readonly [name: string]: string | null };
  /**
   * What the task definition in the job configuration has of this stack, in the ECS API's own words. The container that is called
   * `{{ container_name }}` is the flow run's, whatever the pool's template calls it.
   */
  readonly taskDefinition?: { readonly [field: string]: unknown };
  /** What the request to start a task has of this stack, beside the network. */
  readonly taskRunRequest?: { readonly [field: string]: unknown };
}
