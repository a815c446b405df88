import { invalid, isResolved, requireWholeNumber } from './validation';
import type { OutOfMemoryOptions } from '../out-of-memory-options';

/** Throws for what can't heal a flow run of this memory. */
export function requireOutOfMemory(memoryLimitMiB: number, { maxMemoryMiB: most, retry = true, remember }: OutOfMemoryOptions): void {
  requireWholeNumber('flowRunDefaults.outOfMemory.maxMemoryMiB', most, 1);
  if (isResolved(most) && isResolved(memoryLimitMiB) && most <= memoryLimitMiB) {
    throw invalid('flowRunDefaults.outOfMemory.maxMemoryMiB', most, `flow runs have ${memoryLimitMiB} MiB from the start; give more than that.`);
  }
  if (remember && !retry) {
    throw invalid('flowRunDefaults.outOfMemory.remember', remember, 'without retry, no flow run finds out how much memory it needs; leave retry out, or remember.');
  }
}
