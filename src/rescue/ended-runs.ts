import type { ReconcilerLimits } from './configuration';
import type { Runs } from './runs';
import type { TaskOutcome } from './task-outcome';
import type { Tasks } from './tasks';
import { isSilence } from '../private/no-heartbeat';

/** Has the task of a run go on although the run has ended, for as long as it likes. */
const KEEP_TASK = 'when-ended:keep-task';

/**
 * Stops tasks that live on although their flow runs have ended: nobody looks at them any more, and they cost money. A run that
 * counts as crashed for its silence may only be cut off from the API, and it is heard of again when that is over.
 *
 * @param living the living tasks of the cluster, by their flow run
 */
export async function stopForgottenTasks(
  living: ReadonlyMap<string, TaskOutcome>, runs: Runs, tasks: Tasks, { forgotten, cutOff }: ReconcilerLimits, now: Date,
): Promise<void> {
  if (living.size === 0) return;
  for (const run of await runs.ended([...living.keys()])) {
    const task = living.get(run.id)!;
    const silent = run.state === 'CRASHED' && isSilence(run.message);
    if (!('arn' in task) || run.tags.includes(KEEP_TASK) || now.getTime() - run.since.getTime() < 1000 * (silent ? cutOff : forgotten)) continue;
    if (silent && await runs.heardOf(run) || !await runs.unchanged(run)) continue;
    const why = `Its flow run has been ${run.stateName} since ${run.since.toISOString()}.`;
    await tasks.stop(task.arn, why);
    console.log(JSON.stringify({ flowRun: run.id, was: run.state, then: 'stopTask', task: task.arn, why }));
  }
}
