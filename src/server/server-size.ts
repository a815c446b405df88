import { invalid, isResolved, requireWholeNumber } from '../private/validation';
import { requireFargateSize } from '../task/fargate-size';

/** Size of one task of the server. */
export interface ServerTaskSize {
  /**
   * CPU units of the task; 1024 are one vCPU. A process of the server uses at most one.
   *
   * @default 512
   */
  readonly cpu?: number;

  /**
   * Memory of the task in MiB.
   *
   * @default 1024
   */
  readonly memoryLimitMiB?: number;
}

/** Options of `ServerSize.highlyAvailable()`. */
export interface HighlyAvailableServerOptions {
  /**
   * The fewest tasks of the API, at least 2.
   *
   * @default 2
   */
  readonly minApiTasks?: number;

  /**
   * The most tasks of the API, at least `minApiTasks`. One of the default size serves about 2,800 flow runs an hour of 20 task runs and
   * 50 log lines each.
   *
   * @default 6
   */
  readonly maxApiTasks?: number;

  /**
   * How many tasks run the background services: scheduler, late runs, automations, the recording of events. At least 1; one of the default
   * size keeps up with about 900 such flow runs an hour.
   *
   * @default 2
   */
  readonly servicesTasks?: number;

  /**
   * Size of an API task.
   *
   * @default - 512 CPU units, 1024 MiB
   */
  readonly apiTaskSize?: ServerTaskSize;

  /**
   * Size of a task of the background services.
   *
   * @default - 512 CPU units, 1024 MiB
   */
  readonly servicesTaskSize?: ServerTaskSize;
}

/** Size of one task, complete. */
interface TaskSize {
  readonly cpu: number;
  readonly memoryLimitMiB: number;
}

/**
 * How large a server is, and how much of it may fail.
 *
 * @see https://docs.prefect.io/v3/advanced/self-hosted
 */
export class ServerSize {
  /**
   * One task with everything in it, and messages in its memory: a deployment, or the loss of the task, is a minute without a server, which
   * clients wait out. For some hundred flow runs an hour.
   *
   * Throws for a size that Fargate doesn't offer.
   *
   * @param size of the task
   */
  public static small(size: ServerTaskSize = {}): ServerSize {
    return new ServerSize(1, 1, 0, complete('size', size), undefined);
  }

  /**
   * Two or more tasks of the API, which scale with its CPU, and the background services in tasks of their own. Redis carries messages
   * between them.
   *
   * Throws for fewer than two API tasks, for a maximum below the minimum, and for sizes that Fargate doesn't offer.
   *
   * @param options how many tasks, and of what size
   */
  public static highlyAvailable(options: HighlyAvailableServerOptions = {}): ServerSize {
    const { minApiTasks = 2, maxApiTasks = Math.max(6, isResolved(minApiTasks) ? minApiTasks : 0), servicesTasks = 2 } = options;
    requireWholeNumber('minApiTasks', minApiTasks, 2);
    requireWholeNumber('maxApiTasks', maxApiTasks, 2);
    requireWholeNumber('servicesTasks', servicesTasks, 1);
    if (isResolved(minApiTasks) && isResolved(maxApiTasks) && maxApiTasks < minApiTasks) {
      throw invalid('maxApiTasks', maxApiTasks, `it is below minApiTasks, which is ${minApiTasks}; raise it, or lower that.`);
    }
    return new ServerSize(minApiTasks, maxApiTasks, servicesTasks, complete('apiTaskSize', options.apiTaskSize), complete('servicesTaskSize', options.servicesTaskSize));
  }

  private constructor(
    /** @internal */
    public readonly _minApiTasks: number,
    /** @internal */
    public readonly _maxApiTasks: number,
    /**
     * Zero where the services are in the API's task.
     *
     * @internal
     */
    public readonly _servicesTasks: number,
    /** @internal */
    public readonly _apiTask: TaskSize,
    /**
     * Undefined where the services are in the API's task.
     *
     * @internal
     */
    public readonly _servicesTask: TaskSize | undefined,
  ) {}
}

function complete(prop: string, { cpu = 512, memoryLimitMiB = 1024 }: ServerTaskSize = {}): TaskSize {
  requireFargateSize(`${prop}.cpu`, cpu, `${prop}.memoryLimitMiB`, memoryLimitMiB);
  return { cpu, memoryLimitMiB };
}
