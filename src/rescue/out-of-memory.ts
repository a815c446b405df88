import type { OutOfMemory } from './configuration';
import type { FlowRun } from './flow-run';
import type { StoppedTask } from './task-outcome';
import { FargateSize, withMoreMemory } from '../private/fargate-sizes';

/** What ECS says of a container whose first process the kernel has killed for memory: "OutOfMemoryError: Container killed due to memory usage". */
const KILLED_CONTAINER = /OutOfMemory/;

/** Prefect's own words where the kernel has killed the flow's process, and the one above it lives. */
const KILLED_PROCESS = /^Process exited with status code: (-9|137)\b/;

/** Whether the flow's process was killed, and Prefect itself has had the run crash for it. */
export function wasKilled({ message }: FlowRun): boolean {
  return KILLED_PROCESS.test(message);
}

/** The size with which a run that ran out of memory starts again; undefined where it didn't, and where it had the most that it may. */
export function moreMemory(run: FlowRun, { stopCode, reason, size }: StoppedTask, options?: OutOfMemory): FargateSize | undefined {
  if (!options || !size || stopCode !== 'EssentialContainerExited') return undefined;
  const next = KILLED_CONTAINER.test(reason) || wasKilled(run) ? withMoreMemory(size) : undefined;
  return next && next.memory <= options.maxMemoryMiB ? next : undefined;
}
