import type { OutOfMemory, ReconcilerLimits } from './configuration';
import type { FlowRun } from './flow-run';
import { announce, NextAttempt, unprepared } from './next-attempt';
import { moreMemory, wasKilled } from './out-of-memory';
import { startFailure } from './start-failure';
import { LivingTask, stoppedByPerson, StoppedTask, TaskOutcome } from './task-outcome';
import { isSilence } from '../private/no-heartbeat';

/** What holds for all flow runs of the pool. */
export interface Rules {
  /** Whether a run's task is its own, or the worker's with others in it. */
  readonly ownTask: boolean;
  readonly interruptedRuns: 'restart' | 'crash';
  readonly outOfMemory?: OutOfMemory;
  readonly limits: ReconcilerLimits;
}

export type Decision =
  | { readonly then: 'nothing' }
  | {
    readonly then: 'reschedule';
    readonly why: string;
    readonly delay?: number;
    readonly stop?: string;
    readonly next?: NextAttempt;
    /** One of the flow's own retries: the attempt that ended was no interruption. */
    readonly isRetry?: boolean;
  }
  | { readonly then: 'crash' | 'cancel' | 'timeOut'; readonly why: string; readonly stop?: string; readonly next?: undefined }
  /** As `startLater` says, which needs to know how often that was so before. */
  | { readonly then: 'startLater'; readonly why: string }
  /** Its state stays, with the time at which it is due. */
  | (StateStays & { readonly then: 'release'; readonly next?: undefined })
  /** Its job variables are to be written: it is announced already. */
  | (StateStays & { readonly then: 'prepare'; readonly next: NextAttempt });

interface StateStays { readonly why: string; readonly stop?: undefined; readonly isRetry?: undefined }

export type Change = Exclude<Decision, { then: 'nothing' } | { then: 'startLater' }>;
export type StateChange = Exclude<Change, { then: 'release' | 'prepare' }>;

const NOTHING: Decision = { then: 'nothing' };

/** Reasons that lie outside the flow run and its container. */
const INTERRUPTION_STOP_CODES = ['SpotInterruption', 'ServiceSchedulerInitiated', 'TerminationNotice', 'UserInitiated'];

/** How the state's message begins where Prefect's worker could not start a task. */
const NOT_SUBMITTED = 'Failed to submit flow run to infrastructure: ';
/** What ECS says when it has no capacity or no quota for one more task right now, as Prefect's worker passes it on. */
const NO_CAPACITY_NOW = /throttl|rate exceeded|request limit exceeded|too many concurrent attempts|reached the limit|capacity is unavailable/i;

/** What is said of a run whose task is to be started later, by which it is known how often that was so. */
const NOT_STARTED = 'Its task could not be started: ';
/** What is said of it in the end. */
const GIVEN_UP = 'Given up';
/** How often that may be: with the delays below, seven hours. Docker Hub's limit is for six. */
const MOST_STARTS = 12;
const LONGEST_DELAY = 3600;

/** The message with which `flow_run.py` gives an interrupted run back. */
const HANDED_BACK = 'Its task was interrupted before it was finished.';

/** How often the flow runs of a worker that broke are started: one of them may be what breaks it. */
const STARTS_WITH_A_BROKEN_WORKER = 3;

/** Whether the order of states alone can't say of which attempt a task is: the observer's messages come in any order. */
export function needsItsClaim({ state, since }: FlowRun, outcome: TaskOutcome, ownTask: boolean): boolean {
  return ownTask && state === 'PENDING' && outcome.task === 'stopped' && outcome.created !== undefined && (outcome.at ?? since) <= since;
}

/** Whether there may be something to do for a run that waits. */
export function mayNeedAction(run: FlowRun): boolean {
  return run.waitsInProcess || unprepared(run) !== undefined || run.message === HANDED_BACK;
}

/** What to do about a flow run. A run whose task runs is left alone until its time is over, and so is one of which ECS can't speak. */
export function decide(run: FlowRun, outcome: TaskOutcome, rules: Rules, now: Date): Decision {
  const { ownTask, limits } = rules;
  const age = seconds(run.since, now);
  const next = unprepared(run);
  if (next) return { then: 'prepare', why: run.message, next };
  // Before its task hands the run back, or a worker takes it again.
  const person = ownTask && isOfThisAttempt(run, outcome) ? stoppedByPerson(outcome) : undefined;
  if (person !== undefined) return { then: 'crash', why: `Its task was stopped: ${person}` };
  if (outcome.task === 'unknown' || age < limits.settle) return NOTHING;
  if (run.state === 'CRASHED') return reconsider(run, outcome, rules);
  if (run.state === 'SCHEDULED') return run.waitsInProcess && outcome.task === 'stopped' ? { then: 'release', why: `Its task has ended: ${outcome.reason}` } : NOTHING;
  if (run.state === 'CANCELLING') return cancelling(outcome, age, rules);

  switch (outcome.task) {
    case 'none':
      return claimed(run, age, limits);
    case 'starting':
      return ownTask && age > limits.starting ? notPlaced(outcome, limits) : NOTHING;
    case 'running':
      return timedOut(outcome, now) ?? NOTHING;
    case 'stopped':
      if (outcome.at && seconds(outcome.at, now) < limits.settle) return NOTHING;
      if (run.state === 'PENDING') return isOfEarlierAttempt(outcome, run, ownTask) ? claimed(run, age, limits) : afterTaskEnd(run, outcome, rules);
      // What began after this task's end runs elsewhere.
      return outcome.at && outcome.at < run.since ? NOTHING : afterTaskEnd(run, outcome, rules);
  }
}

/** Whether a task that is told to stop is the one in which a run is, or that has just handed it back. */
function isOfThisAttempt(run: FlowRun, outcome: TaskOutcome): boolean {
  switch (run.state) {
    case 'RUNNING':
      return outcome.task !== 'stopped' || outcome.at === undefined || outcome.at > run.since;
    case 'PENDING':
      return 'arn' in outcome ? run.stateName === 'InfrastructurePending' || outcome.created! > run.since
        : outcome.task === 'stopped' && !isOfEarlierAttempt(outcome, run, true);
    default:
      return run.state === 'SCHEDULED' && (run.waitsInProcess || run.message === HANDED_BACK);
  }
}

/**
 * Whether a Pending run names the task that it had before: the worker that claimed it has not started another one yet. An
 * interrupted run can be claimed before its old task has ended, as Prefect hands it back while that still cleans up.
 */
function isOfEarlierAttempt({ created, at }: StoppedTask, run: FlowRun, ownTask: boolean): boolean {
  if (ownTask && created && run.claimed) return created < run.claimed;
  if (!at || at <= run.since) return true;
  // Prefect's observer has not seen a task of the attempt that is Pending.
  return ownTask && run.stateName !== 'InfrastructurePending' && created !== undefined && created < run.since;
}

function claimed(run: FlowRun, age: number, limits: ReconcilerLimits): Decision {
  return run.state === 'PENDING' && age > limits.claimed ? { then: 'reschedule', why: 'A worker claimed it, and started no task.' } : NOTHING;
}

function notPlaced({ arn, spot }: LivingTask, limits: ReconcilerLimits): Decision {
  const why = `Its task did not start within ${limits.starting} seconds.`;
  return { ...spot ? onDemand(why, limits) : { then: 'reschedule', why }, stop: arn };
}

function timedOut({ arn, started, maxRunTime }: LivingTask, now: Date): Decision | undefined {
  if (!started || !maxRunTime || seconds(started, now) <= maxRunTime) return undefined;
  return { then: 'timeOut', why: `Its task ran for longer than max_run_time, ${maxRunTime} seconds, and was stopped.`, stop: arn };
}

function onDemand(why: string, limits: ReconcilerLimits): Extract<Decision, { then: 'reschedule' }> {
  return differently({ onDemand: true }, why, limits);
}

function differently(next: NextAttempt, why: string, limits: ReconcilerLimits): Extract<Decision, { then: 'reschedule' }> {
  return { then: 'reschedule', why: `${why} ${announce(next)}`, delay: limits.preparing, next };
}

function cancelling(outcome: TaskOutcome, age: number, { ownTask, limits }: Rules): Decision {
  if (outcome.task === 'stopped') return { then: 'cancel', why: 'Its task has ended.' };
  if (age < limits.cancelling || !ownTask) return NOTHING;
  if (outcome.task === 'none') return { then: 'cancel', why: 'It had no task.' };
  return outcome.task === 'unknown' ? NOTHING : { then: 'cancel', why: `It did not end within ${limits.cancelling} seconds.`, stop: outcome.arn };
}

function afterTaskEnd(run: FlowRun, outcome: StoppedTask, rules: Rules, why = `Its task has ended: ${outcome.reason}`): Decision {
  const { ownTask } = rules;
  if (ownTask && stoppedByPerson(outcome) !== undefined) return { then: 'crash', why };
  if (ownTask && outcome.stopCode === 'TaskFailedToStart') return notStarted(run, outcome, rules, why);
  if (crashes(run, rules)) return { then: 'crash', why };
  const size = ownTask ? moreMemory(run, outcome, rules.outOfMemory) : undefined;
  if (size) return differently({ size, remember: rules.outOfMemory!.remember }, why, rules.limits);
  if (outcome.stopCode !== undefined && INTERRUPTION_STOP_CODES.includes(outcome.stopCode)) return { then: 'reschedule', why };
  if (!ownTask) return run.runCount < STARTS_WITH_A_BROKEN_WORKER ? { then: 'reschedule', why } : { then: 'crash', why };
  return hasRetries(run) ? { then: 'reschedule', why, delay: run.retryDelay, isRetry: true } : { then: 'crash', why };
}

/** Its flow has not begun in this task. A task on Spot is followed by one on demand, which is why that happens once. */
function notStarted(run: FlowRun, { spot, reason }: StoppedTask, { limits }: Rules, why: string): Decision {
  const failure = startFailure(reason);
  if (spot && run.launchType !== 'FARGATE' && (failure === 'capacity' || failure === 'unknown')) return onDemand(why, limits);
  return failure === 'permanent' || failure === 'unknown' ? { then: 'crash', why } : { then: 'startLater', why: reason };
}

/** With a delay that doubles, and an end. */
export function startLater(why: string, before: number, { later }: ReconcilerLimits): StateChange {
  return before < MOST_STARTS
    ? { then: 'reschedule', why: NOT_STARTED + why, delay: Math.min(later * 2 ** before, LONGEST_DELAY) }
    : { then: 'crash', why: `${GIVEN_UP} after ${before + 1} attempts. ${NOT_STARTED}${why}` };
}

/** How often a run's task could not be started since its flow ran, or since it was given up. */
export function failedStarts(states: readonly { readonly type: string; readonly message: string | null }[]): number {
  return states.reduce((count, { type, message }) => {
    if (type === 'RUNNING' || type === 'CRASHED' && message?.startsWith(GIVEN_UP)) return 0;
    return type === 'SCHEDULED' && message?.startsWith(NOT_STARTED) ? count + 1 : count;
  }, 0);
}

/** Whether a run that was interrupted while it executed is not to be executed again. */
function crashes({ state, runCount, tags }: FlowRun, { interruptedRuns }: Rules): boolean {
  if (state === 'PENDING' || runCount === 0) return false;
  if (tags.includes('when-interrupted:crash')) return true;
  return interruptedRuns === 'crash' && !tags.includes('when-interrupted:restart');
}

/**
 * Prefect's observer has marked the run as crashed, without a look at the flow's retries, or the process above the one that was killed; its worker has, where ECS would not take
 * one more task; or its heartbeats didn't get through, as while the API is away, and now its task has ended.
 */
function reconsider(run: FlowRun, outcome: TaskOutcome, rules: Rules): Decision {
  if (run.message.startsWith(NOT_SUBMITTED)) return notSubmitted(run, rules);
  if (outcome.task !== 'stopped' || run.message.startsWith(GIVEN_UP)) return NOTHING;
  if (isSilence(run.message)) return unlessCrashed(afterTaskEnd(run, outcome, rules));
  const observed = run.message.startsWith('The following containers stopped with a non-zero exit code') || wasKilled(run) || outcome.stopCode === 'TaskFailedToStart';
  return rules.ownTask && observed ? unlessCrashed(afterTaskEnd(run, outcome, rules, outcome.reason)) : NOTHING;
}

function notSubmitted(run: FlowRun, { limits }: Rules): Decision {
  const reason = run.message.slice(NOT_SUBMITTED.length);
  if (startFailure(reason) === 'capacity' && run.launchType !== 'FARGATE') return onDemand('Fargate had no capacity.', limits);
  if (NO_CAPACITY_NOW.test(reason)) return { then: 'reschedule', why: 'Amazon ECS had no capacity or quota for another task.', delay: limits.later };
  return startFailure(reason) === 'later' ? { then: 'startLater', why: reason } : NOTHING;
}

/** Whether a run that counts as crashed has no process any more. Of a PROCESS worker's, that is what its worker says. */
export function hasEnded(run: FlowRun, outcome: TaskOutcome, ownTask: boolean): boolean {
  return run.state === 'CRASHED' && (outcome.task === 'stopped' || !ownTask && run.runCount > 0 && !isSilence(run.message));
}

/** It has that state already, and a reason with it. */
function unlessCrashed(decision: Decision): Decision {
  return decision.then === 'crash' ? NOTHING : decision;
}

function hasRetries(run: FlowRun): boolean {
  return run.runCount > 0 && run.runCount <= run.retries;
}

function seconds(from: Date, to: Date): number {
  return (to.getTime() - from.getTime()) / 1000;
}
