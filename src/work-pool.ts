import { Duration } from 'aws-cdk-lib';
import { BaseJobTemplate } from './base-job-template';
import { FlowRunDefaults } from './flow-run-defaults';
import { InterruptedRuns } from './interrupted-runs';
import { requireOutOfMemory } from './private/out-of-memory-validation';
import { requireDuration, requireList, requireMember, requireObject } from './private/type-validation';
import { invalid, isResolved, requireDistinct, requirePrefectName, requireWholeNumber } from './private/validation';
import { capacityProviderStrategies } from './service/capacity';
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
