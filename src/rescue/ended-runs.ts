import { atATime } from './at-a-time';
import type { ReconcilerLimits } from './configuration';
import type { FoundRun } from './found-run';
import type { Runs } from './runs';
import type { SignsOfLife } from './signs-of-life';
import type { TaskOutcome } from './task-outcome';
import type { Tasks } from './tasks';
import { isSilence } from '../private/no-heartbeat';

/** Has the task of a run go on although the run has ended, for as long as it likes. */
const KEEP_TASK = 'when-ended:keep-task';

/**
 * Stops tasks that live on although their flow runs have ended: nobody looks at them any more, and they cost money. A run that
 * counts as crashed for its silence may only be cut off from the API, and it is heard of again when that is over.
 *
 * @param ended runs that have ended
 * @param living the living tasks of the cluster, by their flow run
 * @param most on how many to act at a time
 */
export async function stopForgottenTasks(
  ended: readonly FoundRun[], living: ReadonlyMap<string, TaskOutcome>, runs: Runs, signs: SignsOfLife, tasks: Tasks,
  { forgotten, cutOff }: ReconcilerLimits, now: Date, most: number,
): Promise<void> {
  const isSilent = (run: FoundRun) => run.state === 'CRASHED' && isSilence(run.message);
  const isOverdue = (run: FoundRun) => now.getTime() - run.since.getTime() >= 1000 * (isSilent(run) ? cutOff : forgotten);
  const overdue = ended.filter(run => !run.tags.includes(KEEP_TASK) && isOverdue(run));
  const heard = await signs.heardOf(overdue.filter(isSilent));
  await atATime(most, overdue.filter(({ id }) => !heard.has(id)), async run => {
    const task = living.get(run.id)!;
    if (!('arn' in task) || !await runs.unchanged(run)) return;
    const why = `Its flow run has been ${run.stateName} since ${run.since.toISOString()}.`;
    await tasks.stop(task.arn, why);
    console.log(JSON.stringify({ flowRun: run.id, was: run.state, then: 'stopTask', task: task.arn, why }));
  });
}
