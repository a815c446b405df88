import { LIMITS, RescueConfiguration, RescueLimits } from './configuration';
import { followSecrets } from './rotation';
import { FoundRun, Runs } from './runs';
import { Tasks } from './tasks';
import { Change, Fate, judge, Verdict } from './verdict';
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
  const configuration: RescueConfiguration = JSON.parse(process.env.CONFIGURATION!);
  await followSecrets(configuration);
  const limits: RescueLimits = { ...LIMITS, ...JSON.parse(process.env.LIMITS ?? '{}') };
  const runs = new Runs(await connect(configuration.api), configuration.workPool);
  const tasks = new Tasks(configuration.cluster);
  const ownTask = configuration.type === 'ecs';
  const now = new Date();

  const ago = (seconds: number) => new Date(now.getTime() - seconds * 1000);
  const onTheirWay = await runs.onTheirWay();
  const waiting = await runs.waiting();
  const suspects = [...onTheirWay, ...waiting.filter(({ waitsInProcess }) => waitsInProcess), ...await runs.crashedSince(ago(RECENT))];
  const fates = await fatesOf(suspects, tasks, ownTask);
  // Those of which ECS can say nothing come last, and in another order each time, so that all have their turn.
  const isKnown = ({ id }: FoundRun) => fates.get(id)!.task !== 'unknown';
  const inTurn = [...suspects.filter(isKnown), ...suspects.filter(run => !isKnown(run)).sort(() => Math.random() - 0.5)];

  const failures: unknown[] = [];
  await runs.vouchFor(waiting.filter(({ since }) => since > ago(VOUCHED_FOR)), now).catch(error => failures.push(error));
  for (const run of inTurn) {
    try {
      const fate = fates.get(run.id)!;
      if (fate.task === 'unknown' && Date.now() > now.getTime() + LOOK * 1000) break;
      const verdict = fate.task === 'unknown' ? await silence(run, runs, limits, now) : judge(run, fate, ownTask, limits, now);
      if (verdict.then !== 'nothing') await execute(run, verdict, runs, tasks, now);
    } catch (error) {
      // The others are helped all the same; this one's turn comes again.
      failures.push(error);
      console.error(`Flow run ${run.id}:`, error);
    }
  }
  if (failures.length > 0) throw failures[0];
}

/** What has become of the task of each run. */
async function fatesOf(suspects: readonly FoundRun[], tasks: Tasks, ownTask: boolean): Promise<Map<string, Fate>> {
  const named = new Map(suspects.map(run => [run.id, tasks.named(run.infrastructure, run.worker)]));
  const fates = await tasks.fates([...new Set([...named.values()].filter(arn => arn !== undefined))]);
  const known = suspects.map(run => {
    const arn = named.get(run.id);
    if (arn === undefined) return { run, fate: { task: run.infrastructure === null ? 'none' : 'unknown' } as Fate };
    return { run, fate: fates.get(arn) ?? { task: 'unknown' } as Fate };
  });
  // A worker may have failed to write down which task it started: before a run counts as lost, ECS is asked by its tag.
  const lost = ({ fate }: { fate: Fate }) => fate.task === 'none' || fate.task === 'stopped';
  const tagged = ownTask && known.some(lost) ? await tasks.alive() : new Map<string, Fate>();
  return new Map(known.map(entry => {
    const { run } = entry;
    const fate = lost(entry) ? tagged.get(run.id) ?? entry.fate : entry.fate;
    // A run that runs has a task somewhere: its worker could not say where.
    return [run.id, fate.task === 'none' && run.state === 'RUNNING' ? { task: 'unknown' } : fate];
  }));
}

/** A running run whose task isn't known counts as crashed when its heartbeats have stopped; where it lives on, its end still counts. */
async function silence(run: FoundRun, runs: Runs, limits: RescueLimits, now: Date): Promise<Verdict> {
  const before = now.getTime() - limits.silent * 1000;
  if (run.state !== 'RUNNING' || run.since.getTime() > before) return { then: 'nothing' };
  const heard = await runs.lastSignOfLife(run.id);
  return heard && heard.getTime() < before ? { then: 'crash', why: `${NO_HEARTBEAT} since ${heard.toISOString()}.` } : { then: 'nothing' };
}

async function execute(run: FoundRun, verdict: Change, runs: Runs, tasks: Tasks, now: Date): Promise<void> {
  if (!await runs.unchanged(run)) return;
  if (verdict.stop) await tasks.stop(verdict.stop, verdict.why);
  if (verdict.then === 'release' || verdict.then === 'reschedule') await runs.release(run, verdict.onDemand);
  const accepted = verdict.then === 'release' || await runs.set(run, verdict, now);
  console.log(JSON.stringify({ flowRun: run.id, was: run.state, ...verdict, accepted }));
}
