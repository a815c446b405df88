import type { ReconcilerLimits } from './configuration';
import { isSilence } from '../private/no-heartbeat';

/** A flow run, as far as it matters here. */
export interface FlowRun {
  readonly id: string;
  readonly stateId: string;
  readonly state: 'SCHEDULED' | 'PAUSED' | 'PENDING' | 'RUNNING' | 'CANCELLING' | 'CRASHED';
  /** Whether Prefect's observer has seen a task of the attempt that is Pending. */
  readonly placed: boolean;
  readonly message: string;
  readonly since: Date;
  /** How often it has begun to execute. */
  readonly runCount: number;
  /** How often its flow may be tried again, and after how many seconds. Known once it has begun. */
  readonly retries: number;
  readonly retryDelay: number;
  /** Whether it waits to be tried again in the process that has tried it before. No worker is given such a run. */
  readonly waitsInProcess: boolean;
  /** `launch_type` among its own job variables. */
  readonly launchType?: string;
}

/** What ECS says of the task that executes a flow run. */
export type TaskOutcome =
  | { readonly task: 'unknown' }
  /** There is none, although the run was claimed. */
  | { readonly task: 'none' }
  | { readonly task: 'starting' | 'running'; readonly arn: string; readonly spot: boolean }
  /** ECS has forgotten it, or it has stopped. */
  | { readonly task: 'stopped'; readonly stopCode?: string; readonly reason: string; readonly created?: Date; readonly at?: Date; readonly spot: boolean };

type StoppedTask = Extract<TaskOutcome, { task: 'stopped' }>;

export type Decision =
  | { readonly then: 'nothing' }
  | {
    readonly then: 'reschedule';
    readonly why: string;
    readonly delay?: number;
    readonly stop?: string;
    readonly onDemand?: boolean;
    /** One of the flow's own retries: the attempt that ended was no interruption. */
    readonly isRetry?: boolean;
  }
  | { readonly then: 'crash' | 'cancel'; readonly why: string; readonly stop?: string; readonly onDemand?: undefined }
  /** Its state stays, with the time at which it is due. */
  | (StateStays & { readonly then: 'release' })
  | (StateStays & { readonly then: 'leaveSpot' });

interface StateStays { readonly why: string; readonly stop?: undefined; readonly onDemand?: undefined; readonly isRetry?: undefined }

export type Change = Exclude<Decision, { then: 'nothing' }>;
export type StateChange = Exclude<Change, StateStays & { then: 'release' | 'leaveSpot' }>;

const NOTHING: Decision = { then: 'nothing' };

/** Reasons that lie outside of the flow run and its container. */
const TAKEN_AWAY = ['SpotInterruption', 'ServiceSchedulerInitiated', 'TerminationNotice', 'UserInitiated'];

/** What ECS says when it has no room or no time for one more task right now, as Prefect's worker passes it on. */
const NOT_NOW = /throttl|rate exceeded|request limit exceeded|too many concurrent attempts|reached the limit|capacity is unavailable/i;
/** Seconds until the next attempt. */
const LATER = 60;

/** What is said of a run that is to leave Spot, by which the next look knows it. */
const NEXT_ON_DEMAND = 'Its next attempt is on demand.';

/** How often the flow runs of a worker that broke are started: one of them may be what breaks it. */
const STARTS_WITH_A_BROKEN_WORKER = 3;

/** Whether there may be something to do for a run that waits. */
export function mayNeedHelp(run: FlowRun): boolean {
  return run.waitsInProcess || isToLeaveSpot(run);
}

/** Prefect takes the job variables of scheduled runs only: they are written after the state, which is where a look may be cut off. */
function isToLeaveSpot({ state, message, launchType }: FlowRun): boolean {
  return state === 'SCHEDULED' && message.endsWith(NEXT_ON_DEMAND) && launchType !== 'FARGATE';
}

/**
 * What to do about a flow run. A run whose task runs is never touched, and neither is one of which ECS can't speak.
 *
 * @param ownTask whether the task is the run's own, or the worker's with others in it
 */
export function decide(run: FlowRun, outcome: TaskOutcome, ownTask: boolean, limits: ReconcilerLimits, now: Date): Decision {
  const age = seconds(run.since, now);
  if (isToLeaveSpot(run)) return { then: 'leaveSpot', why: run.message };
  if (outcome.task === 'unknown' || age < limits.settle) return NOTHING;
  if (run.state === 'CRASHED') return reconsider(run, outcome, ownTask, limits);
  if (run.state === 'SCHEDULED') return run.waitsInProcess && outcome.task === 'stopped' ? { then: 'release', why: `Its task has ended: ${outcome.reason}` } : NOTHING;
  if (run.state === 'CANCELLING') return cancelling(outcome, age, ownTask, limits);

  switch (outcome.task) {
    case 'none':
      return claimed(run, age, limits);
    case 'starting':
      return ownTask && age > limits.starting ? notPlaced(outcome, limits) : NOTHING;
    case 'running':
      return NOTHING;
    case 'stopped':
      if (outcome.at && seconds(outcome.at, now) < limits.settle) return NOTHING;
      if (run.state === 'PENDING' && isOfEarlierAttempt(outcome, run, ownTask)) return claimed(run, age, limits);
      // What began after this task's end runs elsewhere.
      return outcome.at && outcome.at < run.since ? NOTHING : afterDeath(run, outcome, ownTask, limits);
  }
}

/**
 * Whether a Pending run names the task that it had before: the worker that claimed it has not started another one yet. An
 * interrupted run can be claimed before its old task has ended, as Prefect hands it back while that still cleans up.
 */
function isOfEarlierAttempt({ created, at }: StoppedTask, run: FlowRun, ownTask: boolean): boolean {
  if (!at || at <= run.since) return true;
  return ownTask && !run.placed && created !== undefined && created < run.since;
}

function claimed(run: FlowRun, age: number, limits: ReconcilerLimits): Decision {
  return run.state === 'PENDING' && age > limits.claimed ? { then: 'reschedule', why: 'A worker claimed it, and started no task.' } : NOTHING;
}

function notPlaced({ arn, spot }: Extract<TaskOutcome, { arn: string }>, limits: ReconcilerLimits): Decision {
  const why = `Its task did not start within ${limits.starting} seconds.`;
  return { ...spot ? onDemand(why, limits) : { then: 'reschedule', why }, stop: arn };
}

function onDemand(why: string, limits: ReconcilerLimits): Extract<Decision, { then: 'reschedule' }> {
  return { then: 'reschedule', why: `${why} ${NEXT_ON_DEMAND}`, delay: limits.leavingSpot, onDemand: true };
}

function cancelling(outcome: TaskOutcome, age: number, ownTask: boolean, limits: ReconcilerLimits): Decision {
  if (outcome.task === 'stopped') return { then: 'cancel', why: 'Its task has ended.' };
  if (age < limits.cancelling || !ownTask) return NOTHING;
  if (outcome.task === 'none') return { then: 'cancel', why: 'It had no task.' };
  return outcome.task === 'unknown' ? NOTHING : { then: 'cancel', why: `It did not end within ${limits.cancelling} seconds.`, stop: outcome.arn };
}

function afterDeath(run: FlowRun, outcome: StoppedTask, ownTask: boolean, limits: ReconcilerLimits, why = `Its task has ended: ${outcome.reason}`): Decision {
  if (outcome.stopCode !== undefined && TAKEN_AWAY.includes(outcome.stopCode)) return { then: 'reschedule', why };
  if (!ownTask) return run.runCount < STARTS_WITH_A_BROKEN_WORKER ? { then: 'reschedule', why } : { then: 'crash', why };
  if (neverStarted(run, outcome)) return onDemand(why, limits);
  return hasRetries(run) ? { then: 'reschedule', why, delay: run.retryDelay, isRetry: true } : { then: 'crash', why };
}

/**
 * Prefect's observer has marked the run as crashed, without a look at the flow's retries; its worker has, where ECS would not take
 * one more task; or its heartbeats didn't get through, as while the API is away, and now its task has ended.
 */
function reconsider(run: FlowRun, outcome: TaskOutcome, ownTask: boolean, limits: ReconcilerLimits): Decision {
  if (run.runCount === 0 && NOT_NOW.test(run.message)) {
    return /capacity is unavailable/i.test(run.message) && run.launchType !== 'FARGATE'
      ? onDemand('Fargate had no capacity.', limits)
      : { then: 'reschedule', why: 'Amazon ECS did not take one more task.', delay: LATER };
  }
  if (outcome.task !== 'stopped') return NOTHING;
  if (isSilence(run.message)) return unlessCrashed(afterDeath(run, outcome, ownTask, limits));
  const observed = /^The following containers stopped with a non-zero exit code/.test(run.message) || neverStarted(run, outcome);
  return ownTask && observed ? unlessCrashed(afterDeath(run, outcome, ownTask, limits, outcome.reason)) : NOTHING;
}

/** Whether a run that counts as crashed has no process any more. Of a PROCESS worker's, that is what its worker says. */
export function hasEnded(run: FlowRun, outcome: TaskOutcome, ownTask: boolean): boolean {
  return run.state === 'CRASHED' && (outcome.task === 'stopped' || !ownTask && run.runCount > 0 && !isSilence(run.message));
}

/** It has that state already, and a reason with it. */
function unlessCrashed(decision: Decision): Decision {
  return decision.then === 'crash' ? NOTHING : decision;
}

/** A task on Spot that never ran: the next one goes on demand, which is why this happens once. */
function neverStarted(run: FlowRun, outcome: StoppedTask): boolean {
  return outcome.spot && outcome.stopCode === 'TaskFailedToStart' && run.launchType !== 'FARGATE';
}

function hasRetries(run: FlowRun): boolean {
  return run.runCount > 0 && run.runCount <= run.retries;
}

function seconds(from: Date, to: Date): number {
  return (to.getTime() - from.getTime()) / 1000;
}
