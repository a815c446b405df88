import { LIMITS, ReconcilerConfiguration, ReconcilerLimits } from './configuration';
import { Change, decide, Decision, hasEnded, mayNeedHelp, TaskOutcome } from './decide';
import { startOnDemand } from './on-demand';
import { followSecrets } from './rotation';
import { FoundRun, Runs } from './runs';
import { endSubflows } from './subflows';
import { Tasks } from './tasks';
import { NO_HEARTBEAT } from '../private/no-heartbeat';
import { connect } from '../private/prefect-connection';

/** How long ago, in seconds, a run may have crashed for second thoughts: as long as ECS remembers what became of its task. */
const RECENT = 3600;
/** For how long, in seconds, it is said of a run that waits that it does: for some looks, should one fail. */
const VOUCHED_FOR = 180;
/** Seconds after which no more silent runs are looked into: each is a request of its own, and the next look is a minute away. */
const LOOK = 40;

/**
 * Looks for flow runs that have no task any more, or never got one, and gives them a state from which they go on or end.
 * First of all for secrets that the workers don't have yet: without these, Prefect may refuse the workers and this function.
 */
export async function handler(): Promise<void> {
  const configuration: ReconcilerConfiguration = JSON.parse(process.env.CONFIGURATION!);
  await followSecrets(configuration);
  const limits: ReconcilerLimits = { ...LIMITS, ...JSON.parse(process.env.LIMITS ?? '{}') };
  const client = await connect(configuration.api);
  const runs = new Runs(client, configuration.workPool, configuration.workQueues);
  const tasks = new Tasks(configuration.cluster);
  const ownTask = configuration.type === 'ecs';
  const now = new Date();

  const ago = (seconds: number) => new Date(now.getTime() - seconds * 1000);
  const activeRuns = await runs.activeRuns();
  const waiting = await runs.waiting();
  const inNeed = [...waiting, ...await runs.refused()].filter(mayNeedHelp);
  const suspects = [...activeRuns, ...inNeed, ...await runs.crashedSince(ago(RECENT))].filter(run => tasks.whereabouts(run, ownTask) !== 'elsewhere');
  const outcomes = await outcomesOf(suspects, tasks, ownTask);
  // Those of which ECS can say nothing come last, and in another order each time, so that all have their turn.
  const isKnown = ({ id }: FoundRun) => outcomes.get(id)!.task !== 'unknown';
  const inTurn = [...suspects.filter(isKnown), ...suspects.filter(run => !isKnown(run)).sort(() => Math.random() - 0.5)];

  const withoutProcess: string[] = [];
  const execute = async (run: FoundRun, decision: Change) => {
    if (!await runs.unchanged(run)) return;
    if (decision.stop) await tasks.stop(decision.stop, decision.why);
    const accepted = decision.then === 'release' || decision.then === 'leaveSpot' || await runs.set(run, decision, now);
    if (accepted && (decision.then === 'release' || decision.then === 'reschedule')) await runs.release(run, decision.isRetry);
    if (accepted && (decision.then === 'leaveSpot' || decision.onDemand)) await startOnDemand(client, run, configuration.workPool);
    if (accepted && (decision.then === 'crash' || decision.then === 'cancel')) withoutProcess.push(run.id);
    console.log(JSON.stringify({ flowRun: run.id, was: run.state, ...decision, accepted }));
  };
  const failures: unknown[] = [];
  await runs.vouchFor(waiting.filter(({ since }) => since > ago(VOUCHED_FOR)), now).catch(error => failures.push(error));
  for (const run of inTurn) {
    try {
      const outcome = outcomes.get(run.id)!;
      if (outcome.task === 'unknown' && Date.now() > now.getTime() + LOOK * 1000) break;
      const decision = outcome.task === 'unknown' ? await silence(run, runs, limits, now) : decide(run, outcome, ownTask, limits, now);
      if (decision.then !== 'nothing') await execute(run, decision);
      else if (hasEnded(run, outcome, ownTask)) withoutProcess.push(run.id);
    } catch (error) {
      // The others are helped all the same; this one's turn comes again.
      failures.push(error);
      console.error(`Flow run ${run.id}:`, error);
    }
  }
  await endSubflows(client, withoutProcess).catch(error => failures.push(error));
  if (failures.length > 0) throw failures[0];
}

/** What has become of the task of each run. */
async function outcomesOf(suspects: readonly FoundRun[], tasks: Tasks, ownTask: boolean): Promise<Map<string, TaskOutcome>> {
  const named = new Map(suspects.map(run => [run.id, tasks.whereabouts(run, ownTask)]));
  const outcomes = await tasks.outcomes([...new Set([...named.values()].filter(arn => arn !== undefined))]);
  const known = suspects.map(run => {
    const arn = named.get(run.id);
    if (arn === undefined) return { run, outcome: { task: ownTask || run.infrastructure === null ? 'none' : 'unknown' } as TaskOutcome };
    return { run, outcome: outcomes.get(arn) ?? { task: 'unknown' } as TaskOutcome };
  });
  // A worker may have failed to write down which task it started: before a run counts as lost, ECS is asked by its tag.
  const lost = ({ outcome }: { outcome: TaskOutcome }) => outcome.task === 'none' || outcome.task === 'stopped';
  const tagged = ownTask && known.some(lost) ? await tasks.alive() : new Map<string, TaskOutcome>();
  return new Map(known.map(entry => {
    const { run } = entry;
    const outcome = lost(entry) ? tagged.get(run.id) ?? entry.outcome : entry.outcome;
    // A run that runs has a task somewhere: its worker could not say where.
    return [run.id, outcome.task === 'none' && run.state === 'RUNNING' ? { task: 'unknown' } : outcome];
  }));
}

/** A running run whose task isn't known counts as crashed when its heartbeats have stopped; where it lives on, its end still counts. */
async function silence(run: FoundRun, runs: Runs, limits: ReconcilerLimits, now: Date): Promise<Decision> {
  const before = now.getTime() - limits.silent * 1000;
  if (run.state !== 'RUNNING' || run.since.getTime() > before) return { then: 'nothing' };
  const heard = await runs.lastSignOfLife(run.id);
  return heard && heard.getTime() < before ? { then: 'crash', why: `${NO_HEARTBEAT} since ${heard.toISOString()}.` } : { then: 'nothing' };
}
