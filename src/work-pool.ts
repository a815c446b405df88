import { aws_ecs as ecs, Duration } from 'aws-cdk-lib';
import { BaseJobTemplate } from './base-job-template';
import { InterruptedRuns } from './interrupted-runs';
import { OutOfMemoryOptions } from './out-of-memory-options';
import { requireOutOfMemory } from './private/out-of-memory-validation';
import { requireDuration, requireList, requireMember, requireObject } from './private/type-validation';
import { invalid, isResolved, requireDistinct, requirePrefectName, requireWholeNumber } from './private/validation';
import { capacityProviderStrategies } from './service/capacity';
import { CapacityOptions } from './service/capacity-options';
import { flowRunSize, requireFargateSize } from './task/fargate-size';

/** A work queue of a managed work pool. */
export interface WorkQueue {
  /** Name of the work queue. */
  readonly name: string;

  /**
   * Priority: a whole number from 1, where 1 is served first.
   *
   * @default - Prefect's: behind the queues of the pool
   */
  readonly priority?: number;

  /**
   * How many flow runs of this queue may run at a time.
   *
   * @default - no limit, or the one that was set in the Prefect UI
   */
  readonly concurrencyLimit?: number;
}

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

/** Options of `WorkPool.managed()`. */
export interface ManagedWorkPoolOptions {
  /**
   * How many flow runs of the work pool may run at a time.
   *
   * @default - no limit, or the one that was set in the Prefect UI
   */
  readonly concurrencyLimit?: number;

  /**
   * Work queues to create or update. Other queues of the pool stay as they are.
   *
   * In Python write `WorkQueue(name=..., concurrency_limit=...)` and not a dict: of a dict in a list, jsii drops keys in snake case without an error.
   *
   * @default - the queue `default`, which Prefect creates
   */
  readonly workQueues?: WorkQueue[];

  /**
   * Defaults for flow runs, written into the work pool's base job template. Only for `WorkerType.ECS`.
   *
   * @default - half a vCPU, 1 GiB, on demand, the official Prefect image
   */
  readonly flowRunDefaults?: FlowRunDefaults;

  /**
   * A base job template of your own, or a part of one, for what no other prop offers: further variables with their titles and types, other
   * fields of the job configuration. The stack's own values, `flowRunDefaults` among them, take precedence, and when you remove it,
   * the deployment removes its values from the pool.
   *
   * @default - the template that Prefect's server offers for the type
   */
  readonly baseJobTemplate?: BaseJobTemplate;

  /**
   * What becomes of flow runs that are interrupted while they execute, as by a Spot interruption.
   *
   * If somebody stops the task of an ECS worker's flow run by hand, in the console or with `StopTask`, the flow run crashes with their reason.
   *
   * @default InterruptedRuns.RESTART
   */
  readonly interruptedRuns?: InterruptedRuns;

  /**
   * Whether the work pool is deleted when the construct is removed from the stack. Its scheduled flow runs are deleted with it.
   *
   * @default false
   */
  readonly deleteOnRemoval?: boolean;
}

/**
 * The work pool that a worker serves: one that this construct creates and keeps up to date, or one that exists.
 *
 * @see https://docs.prefect.io/v3/concepts/work-pools
 */
export class WorkPool {
  /**
   * A work pool that the deployment creates, or takes over where one of this name and type exists.
   * Its base job template is filled with this stack's cluster, subnets, security group, roles and log group;
   * what you change in its other fields stays, as do containers, volumes, mounts and secrets that you add to its task definition.
   *
   * Throws when `name` is empty or has characters that Prefect refuses, for limits below 1, for a size that Fargate
   * doesn't offer, and for an empty command.
   *
   * @param name name of the work pool, which deployments of flows name too
   * @param options limits, queues and defaults of the work pool
   */
  public static managed(name: string, options: ManagedWorkPoolOptions = {}): WorkPool {
    requirePoolName(name);
    requireWholeNumber('concurrencyLimit', options.concurrencyLimit, 1);
    requireList('workQueues', options.workQueues, 'a list of queues, such as [{ name: \'urgent\' }]');
    for (const queue of options.workQueues ?? []) {
      requireQueue(queue);
      requirePrefectName('workQueues.name', queue.name);
      requireWholeNumber('workQueues.priority', queue.priority, 1);
      requireWholeNumber('workQueues.concurrencyLimit', queue.concurrencyLimit, 1);
    }
    requireDistinct('workQueues', (options.workQueues ?? []).map(queue => queue.name));
    const { command, capacity, maxRunTime, outOfMemory, jobVariables = {} } = options.flowRunDefaults ?? {};
    capacityProviderStrategies(capacity, 0, 'flowRunDefaults.capacity');
    requireObject('flowRunDefaults.image', options.flowRunDefaults?.image);
    requireDuration('flowRunDefaults.maxRunTime', maxRunTime);
    requireMember('interruptedRuns', options.interruptedRuns, 'InterruptedRuns', InterruptedRuns);
    requireRunTime(maxRunTime);
    for (const [variable, value] of Object.entries(jobVariables)) {
      if (variable in SET_BY) throw invalid(`flowRunDefaults.jobVariables.${variable}`, value, `it is set by ${SET_BY[variable]}; give it there.`);
    }
    const { cpu, memoryLimitMiB: memory } = flowRunSize(options.flowRunDefaults);
    requireFargateSize('flowRunDefaults.cpu', cpu, 'flowRunDefaults.memoryLimitMiB', memory);
    if (outOfMemory) requireOutOfMemory(memory, outOfMemory);
    if (command?.length === 0) {
      throw invalid('flowRunDefaults.command', command, 'name the program and its arguments, or leave it out for Prefect\'s own command.');
    }
    return new WorkPool(name, options);
  }

  /**
   * An existing work pool, which the stack never changes. The worker must be of the pool's type.
   *
   * Flow runs of an ECS pool get their cluster, network and roles from the pool's own base job template. The cluster has to be
   * the worker's (`cluster`), and the worker has to be allowed to pass the roles on: `worker.allowFlowRunRole(role)` for
   * the template's task role and execution role. The families of its task definitions have to begin with `prefect`, as those do that
   * Prefect names itself.
   *
   * The template needs a place for the credential as well: `"prefect_api_key_secret_arn": "<ARN of the secret>"` in
   * `job_configuration` (`prefect_api_auth_string_secret_arn` for a server with an authentication string). Prefect's own template
   * has none, and without it the worker passes the credential on to each flow run in clear text. A warning reminds you of it.
   *
   * Throws when `name` is empty or has characters that Prefect refuses.
   *
   * @param name name of the work pool
   */
  public static existing(name: string): WorkPool {
    requirePoolName(name);
    return new WorkPool(name);
  }

  /** Name of the work pool. */
  public readonly name: string;

  /**
   * What to manage; absent for an existing pool.
   *
   * @internal
   */
  public readonly _managed?: ManagedWorkPoolOptions;

  private constructor(name: string, managed?: ManagedWorkPoolOptions) {
    this.name = name;
    this._managed = managed;
  }
}

const QUEUE_PROPERTIES = ['name', 'priority', 'concurrencyLimit'];

/** Keys in snake case, as from JavaScript. From a dict in a list of Python they don't get here: jsii drops them before. */
function requireQueue(queue: WorkQueue): void {
  if (typeof queue !== 'object' || queue === null) throw invalid('workQueues', queue, 'give { name } for each queue (in Python WorkQueue(name=...)).');
  const lost = Object.keys(queue).filter(name => !QUEUE_PROPERTIES.includes(name));
  if (lost.length > 0) throw invalid(`workQueues.${lost[0]}`, (queue as any)[lost[0]], `a queue has ${QUEUE_PROPERTIES.join(', ')}; in Python write WorkQueue(...), not a dict.`);
}

function requireRunTime(maxRunTime?: Duration): void {
  if (maxRunTime === undefined || maxRunTime.isUnresolved()) return;
  const seconds = maxRunTime.toSeconds({ integral: false });
  if (Number.isInteger(seconds) && seconds >= 60) return;
  throw invalid('flowRunDefaults.maxRunTime', maxRunTime.toString(), 'give a whole number of seconds, at least 60; a task needs about a minute to start, and the limit is looked at once a minute.');
}

function requirePoolName(name: string): void {
  requirePrefectName('workPool name', name);
  if (isResolved(name) && name.toLowerCase().startsWith('prefect')) {
    throw invalid('workPool name', name, 'Prefect keeps names that begin with "prefect" for itself; choose another.');
  }
}

/** What sets the job variables that are not for `jobVariables`. */
const SET_BY: { readonly [name: string]: string } = {
  cpu: 'flowRunDefaults.cpu',
  memory: 'flowRunDefaults.memoryLimitMiB',
  image: 'flowRunDefaults.image',
  command: 'flowRunDefaults.command',
  env: 'flowRunDefaults.environment and worker.flowRunContainer.addEnvironment()',
  launch_type: 'flowRunDefaults.capacity',
  capacity_provider_strategy: 'flowRunDefaults.capacity',
  max_run_time: 'flowRunDefaults.maxRunTime',
  ephemeral_storage_gib: 'flowRunDefaults.ephemeralStorageGiB',
  cluster: 'cluster of the worker',
  network_configuration: 'vpc, vpcSubnets and securityGroups of the worker',
  task_role_arn: 'worker.flowRunRole',
  execution_role_arn: 'worker.flowRunExecutionRole',
  prefect_api_key_secret_arn: 'api',
  prefect_api_auth_string_secret_arn: 'api',
};
