import { invalid, isResolved, requireWholeNumber } from '../private/validation';
import { WorkerType } from '../worker-type';
import { requireFargateSize, smallestMemory } from './fargate-size';

/** CPU units and memory of a worker, and how many flow runs a PROCESS worker holds at a time. */
export interface WorkerSize {
  readonly cpu: number;
  readonly memoryLimitMiB: number;
  readonly flowRunLimit?: number;
}

/** An idle ECS worker holds 140 MiB, a PROCESS worker with its flow runs what is measured below. */
const DEFAULTS = {
  [WorkerType.ECS]: { cpu: 512, memoryLimitMiB: 1024 },
  [WorkerType.PROCESS]: { cpu: 1024, memoryLimitMiB: 2048 },
};

/** Measured with Prefect 3.9.1: an idle PROCESS worker holds 142 MiB with its supervisor, an empty flow run 93 MiB. */
const WORKER_MIB = 256;
const FLOW_RUN_MIB = 256;
const EMPTY_FLOW_RUN_MIB = 96;

/** The worker's size with its defaults; throws for a pair that Fargate doesn't offer, and for a limit that the memory can't hold or that would be none. */
export function workerSize(type: WorkerType, cpuGiven?: number, memoryGiven?: number, limitGiven?: number): WorkerSize {
  if (type === WorkerType.ECS && limitGiven !== undefined) {
    throw invalid('flowRunLimit', limitGiven,
      'an ECS worker only starts the tasks of flow runs, and its limit would not be one of the runs; '
      + 'limit the pool with WorkPool.managed(name, { concurrencyLimit }), or an existing pool in Prefect.');
  }
  requireWholeNumber('flowRunLimit', limitGiven, 1);
  const cpu = cpuGiven ?? DEFAULTS[type].cpu;
  const memoryLimitMiB = memoryGiven ?? smallestMemory(cpu, DEFAULTS[type].memoryLimitMiB);
  requireFargateSize('cpu', cpu, 'memoryLimitMiB', memoryLimitMiB);

  if (type === WorkerType.ECS) return { cpu, memoryLimitMiB };

  const memory = isResolved(memoryLimitMiB) ? memoryLimitMiB : DEFAULTS[type].memoryLimitMiB;
  const most = Math.floor((memory - WORKER_MIB) / EMPTY_FLOW_RUN_MIB);
  if (isResolved(limitGiven) && isResolved(memoryLimitMiB) && limitGiven > most) {
    throw invalid('flowRunLimit', limitGiven,
      `${memoryLimitMiB} MiB hold at most ${most} flow runs, even empty ones; give a lower limit or more memoryLimitMiB.`);
  }
  return { cpu, memoryLimitMiB, flowRunLimit: limitGiven ?? Math.max(1, Math.floor((memory - WORKER_MIB) / FLOW_RUN_MIB)) };
}
