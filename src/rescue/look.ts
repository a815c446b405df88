import { atATime } from './at-a-time';
import type { ReconcilerConfiguration } from './configuration';
import { Change, decide, Decision, hasEnded, mayNeedAction, needsItsClaim, Rules, startLater } from './decide';
import { stopForgottenTasks } from './ended-runs';
import type { FoundRun } from './found-run';
import { Listing } from './listing';
import { prepare } from './next-attempt';
import { needsNothing, QuietRuns, ANNOUNCED_SECONDS } from './quiet-runs';
import { Runs } from './runs';
import { SignsOfLife } from './signs-of-life';
import { endSubflows } from './subflows';
import type { TaskOutcome } from './task-outcome';
import { Tasks } from './tasks';
import { NO_HEARTBEAT } from '../private/no-heartbeat';
import type { PrefectClient } from '../private/prefect-client';

/** How long ago, in seconds, a run may have crashed for second thoughts: as long as ECS remembers what became of its task. */
const RECENT = 3600;
/** Seconds after which no more runs are helped: an API may be slow, and the next look is a minute away. */
const LOOK_SECONDS = 40;
/** How many runs are helped at a time: with an API that takes two seconds an answer, a hundred within a look. */
const AT_A_TIME = 20;

type Outcome = TaskOutcome | 'elsewhere';

/** One look at the flow runs of a pool and at their tasks. */
export class Look {
  private readonly now = new Date();
  private readonly runs: Runs;
  private readonly listing: Listing;
  private readonly signs: SignsOfLife;
  private readonly tasks: Tasks;
  private readonly quiet: QuietRuns;
  private readonly failures: unknown[] = [];
  /** Runs that have ended and have no process left. */
  private readonly withoutProcess: FoundRun[] = [];

  constructor(private readonly client: PrefectClient, private readonly configuration: ReconcilerConfiguration, private readonly rules: Rules) {
    const { workPool, workQueues, cluster } = configuration;
    this.runs = new Runs(client);
    this.listing = new Listing(client, workPool, workQueues);
    this.signs = new SignsOfLife(client);
    this.tasks = new Tasks(cluster);
    this.quiet = QuietRuns.of(configuration);
  }

  /** Finds what needs help, and helps; throws the first failure once all have had their turn. */
  public async take(): Promise<void> {
    const { rules: { ownTask, limits }, now } = this;
    // A worker may have failed to write down which task it started, and a task may live longer than its run.
    const living = ownTask ? await this.tasks.living() : new Map<string, TaskOutcome>();
    const { found, known } = await this.find(living);
    const active = found.filter(({ state }) => state === 'PENDING' || state === 'RUNNING' || state === 'CANCELLING');
    const waiting = found.filter(({ state }) => state === 'SCHEDULED' || state === 'PAUSED');
    const outcomes = await this.outcomesOf([...active, ...waiting.filter(mayNeedAction), ...found.filter(({ state }) => state === 'CRASHED')], living);
    this.quiet.remember([...known, ...found.filter(run => needsNothing(run, outcomes.get(run.id), this.rules, now))], now);

    await this.attempt('Runs that wait', () => this.runs.announceWaiting(waiting.filter(({ begun, since }) => begun && since > this.ago(ANNOUNCED_SECONDS)), now));
    // In another order each time, so that all have their turn.
    const suspects = found.filter(({ id }) => outcomes.has(id) && outcomes.get(id) !== 'elsewhere').sort(() => Math.random() - 0.5);
    const taskOf = (run: FoundRun) => outcomes.get(run.id) as TaskOutcome;
    await this.help(suspects.filter(run => taskOf(run).task !== 'unknown'), async run => {
      const decision = await this.decideOn(run, taskOf(run));
      if (decision.then !== 'nothing') await this.execute(run, decision);
      else if (hasEnded(run, taskOf(run), ownTask)) this.withoutProcess.push(run);
    });
    await this.attempt('Runs whose task is unknown', () => this.endSilent(suspects.filter(run => taskOf(run).task === 'unknown')));
    await this.attempt('Subflows', () => this.endSubflows());
    await this.attempt('Tasks whose runs have ended', async () => {
      for (const { id } of [...active, ...known]) living.delete(id);
      const ended = living.size === 0 ? [] : await this.listing.ended([...living.keys()]);
      await stopForgottenTasks(ended, living, this.runs, this.signs, this.tasks, limits, now, AT_A_TIME);
    });
    if (this.failures.length > 0) throw this.failures[0];
  }

  /** All that may need help; and, where a page doesn't show it all, those of which it is known that they need none, which Prefect isn't asked for again. */
  private async find(living: ReadonlyMap<string, TaskOutcome>): Promise<{ found: FoundRun[]; known: FoundRun[] }> {
    if (!this.quiet.hasManyRuns(this.now)) {
      const page = await this.listing.onOnePage(this.ago(RECENT));
      if (page) return { found: page, known: [] };
      this.quiet.noteManyRuns(this.now);
    }
    const remembered = this.quiet.recall(this.now);
    const outcomes = await this.outcomesOf(remembered.filter(run => run.state === 'RUNNING' || mayNeedAction(run)), living);
    const known = remembered.filter(run => needsNothing(run, outcomes.get(run.id), this.rules, this.now));
    return { found: await this.listing.without(known, this.ago(RECENT)), known };
  }

  /** What has become of the task of each run: of the one that it names, or of one that lives and is tagged with it. */
  private async outcomesOf(runs: readonly FoundRun[], living: ReadonlyMap<string, TaskOutcome>): Promise<Map<string, Outcome>> {
    const { tasks, rules: { ownTask } } = this;
    const named = new Map(runs.map(run => [run.id, tasks.taskArnOf(run, ownTask)]));
    const byArn = new Map([...living.values()].map(outcome => ['arn' in outcome ? outcome.arn : '', outcome]));
    const others = [...new Set(named.values())].filter(arn => arn !== undefined && arn !== 'elsewhere' && !byArn.has(arn)) as string[];
    for (const [arn, outcome] of await tasks.outcomes(others)) byArn.set(arn, outcome);
    return new Map(runs.map((run): [string, Outcome] => {
      const arn = named.get(run.id);
      if (arn === 'elsewhere') return [run.id, arn];
      const outcome: TaskOutcome = arn === undefined ? { task: ownTask || run.infrastructure === null ? 'none' : 'unknown' } : byArn.get(arn) ?? { task: 'unknown' };
      const found = outcome.task === 'none' || outcome.task === 'stopped' ? living.get(run.id) ?? outcome : outcome;
      // A run that runs has a task somewhere: its worker could not say where.
      return [run.id, found.task === 'none' && run.state === 'RUNNING' ? { task: 'unknown' } : found];
    }));
  }

  private async decideOn(run: FoundRun, outcome: TaskOutcome): Promise<Exclude<Decision, { then: 'startLater' }>> {
    const { rules, now } = this;
    const judged = needsItsClaim(run, outcome, rules.ownTask) ? { ...run, claimed: await this.runs.claimed(run.id) } : run;
    const decision = decide(judged, outcome, rules, now);
    return decision.then === 'startLater' ? startLater(decision.why, await this.runs.failedStarts(run.id), rules.limits) : decision;
  }

  private async execute(run: FoundRun, decision: Change): Promise<void> {
    const { runs, client, configuration: { workPool }, now } = this;
    if (!await runs.unchanged(run)) return;
    const stop = async () => decision.stop && this.tasks.stop(decision.stop, decision.why);
    // Told to stop while its run is not TimedOut, the task hands the run back.
    if (decision.then !== 'timeOut') await stop();
    const accepted = decision.then === 'release' || decision.then === 'prepare' || await runs.set(run, decision, now);
    if (accepted && (decision.then === 'release' || decision.then === 'reschedule')) await runs.release(run, decision.isRetry);
    if (accepted && decision.next) await prepare(client, run, decision.next, workPool);
    if (accepted && decision.then === 'timeOut') await stop();
    if (accepted && (decision.then === 'crash' || decision.then === 'cancel' || decision.then === 'timeOut')) this.withoutProcess.push(run);
    console.log(JSON.stringify({ flowRun: run.id, was: run.state, ...decision, accepted }));
  }

  /** A running run whose task isn't known counts as crashed when its heartbeats have stopped; where it lives on, its end still counts. */
  private async endSilent(unknown: readonly FoundRun[]): Promise<void> {
    const before = this.ago(this.rules.limits.silent);
    const old = unknown.filter(({ state, since }) => state === 'RUNNING' && since <= before);
    const silent = await this.signs.silentSince(before, old.map(({ id }) => id), this.quiet.withoutHeartbeat);
    await this.help(old.filter(({ id }) => silent.has(id)), run => this.execute(run, { then: 'crash', why: `${NO_HEARTBEAT} since ${silent.get(run.id)!.toISOString()}.` }));
  }

  private async endSubflows(): Promise<void> {
    const parents = this.withoutProcess.filter(run => !this.quiet.hasNoSubflows(run));
    await endSubflows(this.client, parents.map(({ id }) => id), AT_A_TIME);
    this.quiet.haveNoSubflows(this.withoutProcess);
  }

  /** Some at a time, until the look has taken long enough. */
  private help(runs: readonly FoundRun[], act: (run: FoundRun) => Promise<void>): Promise<void> {
    return atATime(AT_A_TIME, runs, async run => {
      if (Date.now() < this.now.getTime() + LOOK_SECONDS * 1000) await this.attempt(`Flow run ${run.id}`, () => act(run));
    });
  }

  /** The others are helped all the same; what has failed has its turn again. */
  private attempt(what: string, act: () => Promise<void>): Promise<void> {
    return act().catch(error => {
      this.failures.push(error);
      console.error(`${what}:`, error);
    });
  }

  private ago(seconds: number): Date {
    return new Date(this.now.getTime() - seconds * 1000);
  }
}
