import { LIMITS, ReconcilerConfiguration, ReconcilerLimits } from './configuration';
import { Change, decide, Decision, hasEnded, mayNeedHelp, needsItsClaim, Rules, startLater } from './decide';
import { stopForgottenTasks } from './ended-runs';
import { startOnDemand } from './on-demand';
import { followSecrets } from './rotation';
import { FoundRun, Runs } from './runs';
import { endSubflows } from './subflows';
import type { TaskOutcome } from './task-outcome';
import { Tasks } from './tasks';
import { NO_HEARTBEAT } from '../private/no-heartbeat';
import { connect, ownApi } from '../private/prefect-connection';

/** How long ago, in seconds, a run may have crashed for second thoughts: as long as ECS remembers what became of its task. */
const RECENT = 3600;
/** For how long, in seconds, it is said of a run that waits that it does: for some looks, should one fail. */
const VOUCHED_FOR = 180;
/** Seconds after which no more silent runs are looked into: each is a request of its own, and the next look is a minute away. */
const LOOK = 40;

/**
 * Looks for flow runs that have no task any more, or never got one, and gives them a state from which they go on or end; then
 * for tasks whose flow runs have ended. First of all for secrets that the workers don't have yet: without these, Prefect may
 * refuse the workers and this function.
 */
export async function handler(configuration: ReconcilerConfiguration): Promise<void> {
  await followSecrets(configuration);
  const limits: ReconcilerLimits = { ...LIMITS, ...JSON.parse(process.env.LIMITS ?? '{}') };
  const rules: Rules = { ownTask: configuration.type === 'ecs', interruptedRuns: configuration.interruptedRuns, limits };
  const client = await connect(ownApi());
  const runs = new Runs(client, configuration.workPool, configuration.workQueues);
  const tasks = new Tasks(configuration.cluster);
  const now = new Date();

  const ago = (seconds: number) => new Date(now.getTime() - seconds * 1000);
  const activeRuns = await runs.activeRuns();
  const waiting = await runs.waiting();
  const inNeed = [...waiting, ...await runs.refused()].filter(mayNeedHelp);
  const suspects = [...activeRuns, ...inNeed, ...await runs.crashedSince(ago(RECENT))]
    .filter(run => tasks.whereabouts(run, rules.ownTask) !== 'elsewhere');
  // A worker may have failed to write down which task it started, and a task may live longer than its run.
  const living = rules.ownTask ? await tasks.living() : new Map<string, TaskOutcome>();
  const outcomes = await outcomesOf(suspects, tasks, rules.ownTask, living);
  // Those of which ECS can say nothing come last, and in another order each time, so that all have their turn.
  const isKnown = ({ id }: FoundRun) => outcomes.get(id)!.task !== 'unknown';
  const inTurn = [...suspects.filter(isKnown), ...suspects.filter(run => !isKnown(run)).sort(() => Math.random() - 0.5)];

  const withoutProcess: string[] = [];
  const decideOn = async (run: FoundRun): Promise<Exclude<Decision, { then: 'startLater' }>> => {
    const outcome = outcomes.get(run.id)!;
    if (outcome.task === 'unknown') return silence(run, runs, limits, now);
    const judged = needsItsClaim(run, outcome, rules.ownTask) ? { ...run, claimed: await runs.claimed(run.id) } : run;
    const decision = decide(judged, outcome, rules, now);
    return decision.then === 'startLater' ? startLater(decision.why, await runs.failedStarts(run.id), limits) : decision;
  };
  const execute = async (run: FoundRun, decision: Change) => {
    if (!await runs.unchanged(run)) return;
    const stop = async () => decision.stop && tasks.stop(decision.stop, decision.why);
    // Told to stop while its run is not TimedOut, the task hands the run back.
    if (decision.then !== 'timeOut') await stop();
    const accepted = decision.then === 'release' || decision.then === 'leaveSpot' || await runs.set(run, decision, now);
    if (accepted && (decision.then === 'release' || decision.then === 'reschedule')) await runs.release(run, decision.isRetry);
    if (accepted && (decision.then === 'leaveSpot' || decision.onDemand)) await startOnDemand(client, run, configuration.workPool);
    if (accepted && decision.then === 'timeOut') await stop();
    if (accepted && (decision.then === 'crash' || decision.then === 'cancel' || decision.then === 'timeOut')) withoutProcess.push(run.id);
    console.log(JSON.stringify({ flowRun: run.id, was: run.state, ...decision, accepted }));
  };

  const failures: unknown[] = [];
  // The others are helped all the same; what has failed has its turn again.
  const attempt = async (what: string, act: () => Promise<void>) => act().catch(error => {
    failures.push(error);
    console.error(`${what}:`, error);
  });
  await attempt('Runs that wait', () => runs.vouchFor(waiting.filter(({ since }) => since > ago(VOUCHED_FOR)), now));
  for (const run of inTurn) {
    if (!isKnown(run) && Date.now() > now.getTime() + LOOK * 1000) break;
    await attempt(`Flow run ${run.id}`, async () => {
      const decision = await decideOn(run);
      if (decision.then !== 'nothing') await execute(run, decision);
      else if (hasEnded(run, outcomes.get(run.id)!, rules.ownTask)) withoutProcess.push(run.id);
    });
  }
  await attempt('Subflows', () => endSubflows(client, withoutProcess));
  const active = new Set(activeRuns.map(({ id }) => id));
  const idle = new Map([...living].filter(([id]) => !active.has(id)));
  await attempt('Tasks whose runs have ended', () => stopForgottenTasks(idle, runs, tasks, limits, now));
  if (failures.length > 0) throw failures[0];
}

/** What has become of the task of each run: of the one that it names, or of one that lives and is tagged with it. */
async function outcomesOf(
  suspects: readonly FoundRun[], tasks: Tasks, ownTask: boolean, living: ReadonlyMap<string, TaskOutcome>,
): Promise<Map<string, TaskOutcome>> {
  const named = new Map(suspects.map(run => [run.id, tasks.whereabouts(run, ownTask)]));
  const outcomes = await tasks.outcomes([...new Set([...named.values()].filter(arn => arn !== undefined))]);
  return new Map(suspects.map((run): [string, TaskOutcome] => {
    const arn = named.get(run.id);
    const outcome: TaskOutcome = arn === undefined ? { task: ownTask || run.infrastructure === null ? 'none' : 'unknown' } : outcomes.get(arn) ?? { task: 'unknown' };
    const found = outcome.task === 'none' || outcome.task === 'stopped' ? living.get(run.id) ?? outcome : outcome;
    // A run that runs has a task somewhere: its worker could not say where.
    return [run.id, found.task === 'none' && run.state === 'RUNNING' ? { task: 'unknown' } : found];
  }));
}

/** A running run whose task isn't known counts as crashed when its heartbeats have stopped; where it lives on, its end still counts. */
async function silence(run: FoundRun, runs: Runs, limits: ReconcilerLimits, now: Date): Promise<Exclude<Decision, { then: 'startLater' }>> {
  const before = now.getTime() - limits.silent * 1000;
  if (run.state !== 'RUNNING' || run.since.getTime() > before) return { then: 'nothing' };
  const heard = await runs.lastSignOfLife(run.id);
  return heard && heard.getTime() < before ? { then: 'crash', why: `${NO_HEARTBEAT} since ${heard.toISOString()}.` } : { then: 'nothing' };
}
