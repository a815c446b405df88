import { setTimeout as sleep } from 'node:timers/promises';
import { Arena } from './arena';
import { story } from './story';
import { WorkerType } from '../../../src';
import { FlowRun } from '../support/prefect';

export interface Fault {
  readonly name: string;
  readonly workerType: WorkerType;
  /** What is done, and why that stands for what happens in production. */
  readonly what: string;
  /** How long after the fault all is to be in order again. @default 150 */
  readonly patienceSeconds?: number;
  /** States, by type, that runs may end in. @default COMPLETED */
  readonly ends?: readonly string[];
  /** Whether no run may be started again. */
  readonly untouched?: boolean;
  /** For flows of tasks: whether those that have finished may be executed again. */
  readonly finishedTasks?: 'kept' | 'repeated';
  /** Brings `count` runs in flight, does its worst, and gives the ids of the runs. */
  readonly happen: (arena: Arena, count: number) => Promise<string[]>;
}

/** Lets something happen to runs that are in flight. */
export function toRuns(begin: Fault['happen'], happen: (arena: Arena, ids: string[]) => unknown): Fault['happen'] {
  return async (arena, count) => {
    const ids = await begin(arena, count);
    await happen(arena, ids);
    return ids;
  };
}

export interface Outcome {
  readonly fault: string;
  readonly workerType: string;
  readonly measures: boolean;
  readonly runs: number;
  /** Number of runs by the name of their state. */
  readonly states: Record<string, number>;
  /** Runs whose code was started more than once, in order to finish it. */
  readonly startedAgain: number;
  /** Runs that could clean up when they were interrupted. */
  readonly cleanedUp: number;
  /** Running or Pending with no process behind it. */
  readonly stuck: number;
  /** Neither finished nor executing nor waiting for someone: nobody will ever take it. */
  readonly lost: number;
  /** Finished, and started again all the same. */
  readonly finishedStartedAgain: number;
  /** Executed by two processes at a time. */
  readonly doubled: number;
  /** Ended in another way than the fault allows. */
  readonly endedWrongly: number;
  /** Tasks that had finished, and were executed again, where the flow has tasks. */
  readonly tasksRepeated?: number;
  readonly seconds: number;
  /** Whether AWS's own times passed at their own pace. */
  readonly realtime?: boolean;
}

/** How many times as fast AWS's own times pass. */
export const TIME_SCALE = 4;
/** In which the reconciler looks twice, with its times as fast as AWS's. */
const LOOKS_SECONDS = 60;
export const FINAL = ['COMPLETED', 'FAILED', 'CRASHED', 'CANCELLED'];

type Failures = Pick<Outcome, 'stuck' | 'lost' | 'finishedStartedAgain' | 'doubled' | 'endedWrongly'>;

const failures = (of: Failures) => of.stuck + of.lost + of.finishedStartedAgain + of.doubled + of.endedWrongly;

export function passed(outcome: Outcome): boolean {
  return failures(outcome) === 0;
}

/** Lets a fault happen, waits until its runs are settled, and counts what became of them. */
export async function measure(arena: Arena, fault: Fault, count = arena.options.runs): Promise<Outcome> {
  await arena.clean();
  const start = Date.now();
  const ids = await fault.happen(arena, count);
  // Starting many runs again takes the machine's cores a while, and times at AWS's own pace are longer.
  const patience = (fault.patienceSeconds ?? 150) * Math.max(1, count / 40) * (arena.options.realtime ? TIME_SCALE : 1);
  const runs = await settled(arena, ids, patience, fault.ends);
  const busy = await arena.withProcess(ids);

  const states: Record<string, number> = {};
  let tasksRepeated = 0;
  const sum = { startedAgain: 0, cleanedUp: 0, stuck: 0, lost: 0, finishedStartedAgain: 0, doubled: 0, endedWrongly: 0 };
  for (const { id, state } of runs) {
    states[state.name] = (states[state.name] ?? 0) + 1;
    const before = failures(sum);
    const executions = await arena.evidence(id);
    const firstEnd = Math.min(...executions.map(({ ended }) => ended ?? Infinity));
    if (executions.length > 1) {
      sum.startedAgain++;
      if (fault.untouched) sum.endedWrongly++;
    }
    if (executions.some(({ cleanedUp }) => cleanedUp !== undefined)) sum.cleanedUp++;
    if (executions.some(({ started }) => started > firstEnd)) sum.finishedStartedAgain++;
    if (executions.some(({ ended, cleanedUp }, index) => executions[index + 1]?.started < (ended ?? cleanedUp ?? 0))) sum.doubled++;
    const tasks = executions.flatMap(execution => execution.tasks);
    const repeated = tasks.length - new Set(tasks).size;
    tasksRepeated += repeated;
    if (fault.finishedTasks === 'kept' && repeated > 0) sum.endedWrongly++;
    if (FINAL.includes(state.type)) {
      if (!(fault.ends ?? ['COMPLETED']).includes(state.type)) sum.endedWrongly++;
    } else if (!busy.has(id)) {
      if (['RUNNING', 'PENDING', 'CANCELLING'].includes(state.type)) sum.stuck++;
      else sum.lost++;
    }
    if (arena.options.measures && failures(sum) > before) console.error(await story(arena, id));
  }
  // A run that the API no longer knows is lost as well.
  sum.lost += ids.length - runs.length;
  return {
    fault: fault.name,
    workerType: fault.workerType,
    measures: arena.options.measures,
    runs: ids.length,
    states,
    ...sum,
    ...(fault.finishedTasks && { tasksRepeated }),
    seconds: Math.round((Date.now() - start) / 1000),
    realtime: arena.options.realtime,
  };
}

/** The runs once all are final, or nothing has moved for so long that nothing will. */
async function settled(arena: Arena, ids: readonly string[], patienceSeconds: number, ends: Fault['ends'] = ['COMPLETED']): Promise<FlowRun[]> {
  // Without measures there is nothing to wait for, once no process is left and no worker takes a run for a while.
  const quietSeconds = arena.options.measures ? patienceSeconds : 30;
  let moved = Date.now();
  let before = '';
  for (const end = Date.now() + patienceSeconds * 1000; ;) {
    const runs = await arena.flowRuns(ids);
    const busy = (await arena.withProcess(ids)).size;
    const now = runs.map(({ id, state }) => `${id} ${state.name}`).sort().join();
    if (now !== before || busy > 0) moved = Date.now();
    before = now;
    const final = busy === 0 && runs.every(({ state }) => FINAL.includes(state.type));
    // A run that is to go on can be Crashed until the reconciler has looked at it.
    const mayGoOn = arena.options.measures && Date.now() < moved + LOOKS_SECONDS * 1000 && runs.some(({ state }) => state.type === 'CRASHED' && !ends.includes('CRASHED'));
    if (final && !mayGoOn || Date.now() > end || Date.now() > moved + quietSeconds * 1000) return runs;
    await sleep(1000);
  }
}
