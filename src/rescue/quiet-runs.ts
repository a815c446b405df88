import type { ReconcilerConfiguration } from './configuration';
import { decide, Rules } from './decide';
import type { FoundRun } from './found-run';
import type { TaskOutcome } from './task-outcome';

/** For how long, in seconds, it is said of a run that waits that it does: for some looks, should one fail. */
export const ANNOUNCED_SECONDS = 180;

/** How long, in seconds, before a run is due it is looked at again. */
const BEFORE_DUE_SECONDS = 180;

/** For how long, in seconds, a run is remembered, which can have gone unseen to another state and back; each for another time, lest all are asked for at once. */
const REMEMBERED_SECONDS = [300, 600];

/** Of more, the others are asked for at each look: databases have a limit of values in a statement. */
const MOST_REMEMBERED = 5000;

/** For how long, in seconds, a pool is taken for one whose runs a page doesn't show. */
const MANY_RUNS_SECONDS = 600;

/** How long ago, in seconds, the last look may have been: where another instance of the function has looked since, this one doesn't know what that saw. */
const TRUSTED_SECONDS = 100;

const memories = new Map<string, QuietRuns>();

/**
 * Remembers from look to look which runs of a pool need nothing for now, so that Prefect isn't asked for them again where there are
 * many: hundreds that execute in tasks that ECS says to run, thousands that are suspended.
 */
export class QuietRuns {
  public static of({ workPool, workQueues, cluster }: ReconcilerConfiguration): QuietRuns {
    const key = JSON.stringify([cluster, workPool, workQueues]);
    if (!memories.has(key)) memories.set(key, new QuietRuns());
    return memories.get(key)!;
  }

  /** Running runs whose task isn't known, and that have sent no heartbeat until now. */
  public readonly withoutHeartbeat = new Set<string>();

  private runs = new Map<string, { readonly run: FoundRun; readonly until: number }>();
  private lastLook = 0;
  private manyRunsUntil = 0;
  private withoutSubflows: ReadonlySet<string> = new Set();

  public hasManyRuns(now: Date): boolean {
    return now.getTime() < this.manyRunsUntil;
  }

  public noteManyRuns(now: Date): void {
    this.manyRunsUntil = now.getTime() + MANY_RUNS_SECONDS * 1000;
  }

  public recall(now: Date): FoundRun[] {
    if (now.getTime() - this.lastLook > TRUSTED_SECONDS * 1000) return [];
    return [...this.runs.values()].filter(({ until }) => until > now.getTime()).map(({ run }) => run);
  }

  public remember(runs: readonly FoundRun[], now: Date): void {
    this.lastLook = now.getTime();
    const [least, most] = REMEMBERED_SECONDS;
    this.runs = new Map(runs.slice(0, MOST_REMEMBERED).map(run => {
      const before = this.runs.get(run.id);
      const until = before?.run === run ? before.until : now.getTime() + (least + Math.random() * (most - least)) * 1000;
      return [run.id, { run, until }];
    }));
  }

  /** Whether the subflows of a run that came to its state in a process that is gone have been ended. */
  public hasNoSubflows({ stateId }: FoundRun): boolean {
    return this.withoutSubflows.has(stateId);
  }

  public haveNoSubflows(runs: readonly FoundRun[]): void {
    this.withoutSubflows = new Set(runs.map(({ stateId }) => stateId));
  }
}

/**
 * Whether a run needs nothing as long as it stays in its state: it executes in a task that runs or elsewhere, or it waits for someone, or until later.
 *
 * @param outcome what ECS says of its task, where that matters; 'elsewhere' where others look after the run
 */
export function needsNothing(run: FoundRun, outcome: TaskOutcome | 'elsewhere' | undefined, rules: Rules, now: Date): boolean {
  const nothingToDo = () => outcome === undefined || outcome === 'elsewhere' || decide(run, outcome, rules, now).then === 'nothing';
  switch (run.state) {
    case 'RUNNING':
      return outcome === 'elsewhere' || outcome?.task === 'running' && nothingToDo();
    case 'PAUSED':
      return seconds(run.since, now) > ANNOUNCED_SECONDS;
    case 'SCHEDULED':
      return seconds(run.since, now) > ANNOUNCED_SECONDS && run.due !== undefined && seconds(now, run.due) > BEFORE_DUE_SECONDS && nothingToDo();
    default:
      return false;
  }
}

function seconds(from: Date, to: Date): number {
  return (to.getTime() - from.getTime()) / 1000;
}
