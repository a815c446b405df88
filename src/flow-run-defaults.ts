import { aws_ecs as ecs, Duration } from 'aws-cdk-lib';
import { OutOfMemoryOptions } from './out-of-memory-options';
import { CapacityOptions } from './service/capacity-options';

/**
 * What flow runs get unless their deployment says otherwise (the deployment's job variables take precedence).
 * Only for work pools of the type ECS, where each flow run is a Fargate task.
 *
 * @see https://docs.prefect.io/v3/how-to-guides/deployment_infra/manage-work-pools#base-job-template
 */
export interface FlowRunDefaults {
  /**
   * CPU units of the flow run's task, where 1024 are one vCPU.
   *
   * @default 512
   */
  readonly cpu?: number;

  /**
   * Memory of the flow run's task in MiB. Fargate offers a range of memory for each `cpu`.
   *
   * @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html#fargate-tasks-size
   * @default - 1024, or the least that `cpu` allows above that
   */
  readonly memoryLimitMiB?: number;

  /**
   * Image with your flows' dependencies. The execution role is allowed to pull it.
   *
   * @default - the official Prefect image of the version that this library was tested with
   */
  readonly image?: ecs.ContainerImage;

  /**
   * How flow runs are spread over Fargate on demand and Fargate Spot: `{ spotWeight: 1, onDemandWeight: 0 }` for Spot alone, whose
   * default a deployment overrides with the job variable `launch_type`, and a share such as `{ spotWeight: 3 }` otherwise, which
   * it overrides with `capacity_provider_strategy`. AWS doesn't document how Amazon ECS spreads requests for one task by their
   * weights, and each flow run is one. A cluster of your own needs both capacity providers.
   *
   * @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-capacity-providers.html
   * @default - all on demand
   */
  readonly capacity?: CapacityOptions;

  /**
   * How long a flow run's task may run. After that, the reconciler stops the task, and the flow run becomes `TimedOut`, with the reason and without
   * another retry. The limit is checked once a minute. A whole number of seconds, at least 60; throws for others. A deployment overrides
   * it with the job variable `max_run_time`, in seconds.
   *
   * `@flow(timeout_seconds=...)` is Prefect's own limit, which the flow's process watches itself, and retries follow; this one also
   * ends a process that hangs.
   *
   * @default - no limit
   */
  readonly maxRunTime?: Duration;

  /**
   * What becomes of flow runs that run out of memory.
   *
   * @default - they crash, or are tried again with the same memory where their flow has retries
   */
  readonly outOfMemory?: OutOfMemoryOptions;

  /**
   * Environment variables of flow runs. Not for secrets: their values are readable in the Prefect UI.
   * The worker throws for the API's variables, and for a value that looks like a key.
   *
   * @default - only those that Prefect sets
   */
  readonly environment?: { readonly [name: string]: string };

  /**
   * Environment variables of flow runs whose values come from AWS Secrets Manager or SSM. Only the execution role of the flow runs is
   * allowed to read them. Throws for a name that is in `environment` too.
   *
   * @default - only those of the API
   */
  readonly secrets?: { readonly [name: string]: ecs.Secret };

  /**
   * Ephemeral storage of the flow run's task in GiB, a whole number from 21 to 200. Throws for others. A deployment overrides it with
   * the job variable `ephemeral_storage_gib`, which the pool has where this is given.
   *
   * @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-task-storage.html
   * @default - the 20 GiB that every Fargate task has
   */
  readonly ephemeralStorageGiB?: number;

  /**
   * Defaults of any other job variables, by their names in Prefect. Throws for one that another property or this construct sets.
   *
   * @see https://docs.prefect.io/integrations/prefect-aws/ecs-worker
   * @default - none
   */
  readonly jobVariables?: { readonly [name: string]: any };

  /**
   * Command that starts the flow run, as a list of arguments, at least one.
   *
   * @default - Prefect's, `prefect flow-run execute`, with a program around it that gives an interrupted flow run back to Prefect once
   * it has stopped, in images with Prefect 3.8.1 or newer
   */
  readonly command?: string[];
}
