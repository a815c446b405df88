import type { OutOfMemory } from './configuration';
import type { FlowRun } from './flow-run';
import type { StoppedTask } from './task-outcome';
import { FargateSize, withMoreMemory } from '../private/fargate-sizes';

/** What ECS says where memory ran out; or that a container's first process was killed, which nobody but the kernel does while the task is to run. */
const KILLED_TASK = /OutOfMemory|exit code 137/;

/** Prefect's own words where the kernel has killed the flow's process, and the one above it lives. */
const KILLED_PROCESS = /^Process exited with status code: (-9|137)\b/;

/** Whether the flow's process was killed, and Prefect itself has had the run crash for it. */
export function wasKilled({ message }: FlowRun): boolean {
  return KILLED_PROCESS.test(message);
}

/** The size with which a run that ran out of memory starts again; undefined where it didn't, and where it had the most that it may. */
export function moreMemory(run: FlowRun, { stopCode, reason, size }: StoppedTask, options?: OutOfMemory): FargateSize | undefined {
  if (!options || !size || stopCode !== 'EssentialContainerExited') return undefined;
  const next = KILLED_TASK.test(reason) || wasKilled(run) ? withMoreMemory(size) : undefined;
  return next && next.memory <= options.maxMemoryMiB ? next : undefined;
}
