import type { Task } from '@aws-sdk/client-ecs';

/** Why a task has stopped, with those of its containers: an end for lack of memory is only in the latter. */
export function reasonOf({ stoppedReason, containers = [] }: Task): string {
  const ends = containers
    .filter(({ reason, exitCode }) => reason || exitCode)
    .map(({ name, reason, exitCode }) => `${name}: ${[reason, exitCode === undefined ? undefined : `exit code ${exitCode}`].filter(Boolean).join(', ')}`);
  return [stoppedReason ?? 'no reason given', ...ends].join('; ');
}
