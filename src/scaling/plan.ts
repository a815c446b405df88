import { Duration } from 'aws-cdk-lib';
import { Standby } from '../demand/configuration';
import { invalid, isResolved, requireWholeNumber } from '../private/validation';
import { WorkerType } from '../worker-type';
import { ScalingOptions, ScalingSchedule } from './scaling-options';
import { requireApart } from './schedule-windows';
import { StandbyOptions } from './standby-options';

/** The scaling options with their defaults. */
export interface ScalingPlan {
  readonly min: number;
  readonly max: number;
  readonly leadTime: Duration;
  readonly pollInterval: Duration;
  readonly schedules: readonly ScalingSchedule[];
  /** Beyond the demand; undefined where there need not be room for any. */
  readonly spareFlowRuns?: number;
  /** For how many hours a day workers may wait for runs that nobody scheduled; undefined where for none. */
  readonly warmTaskHours?: number;
  /** For how many minutes there have to be too many workers. */
  readonly scaleInMinutes: number;
  readonly standby?: Standby;
  /** Whether there may be no worker on purpose. */
  readonly fromZero: boolean;
  /** How many workers serve any number of flow runs, where one takes as many as there are; undefined where their number is fixed. */
  readonly workers?: number;
  /** Whether the demand publisher sets the number of workers. */
  readonly followsDemand: boolean;
}

/**
 * ECS workers only start and watch the tasks of flow runs: two, in two zones, are there for availability. More clear no more: one
 * submits 260 to 350 runs a minute, at 0.07 CPU seconds each, and two that ask for the same runs are no faster: bench/README.md has the table.
 */
const AVAILABLE = 2;

/**
 * How many minutes there has to be too much before workers go. Demand that comes back within them finds them there;
 * workers with flow runs protect themselves and stay. What other minutes would cost is in bench/README.md.
 */
const SURPLUS_MINUTES = 2;

const POLL_SECONDS = [10, 15, 20, 30, 60];

/**
 * From the start of a Fargate task to a worker that polls. The official image (about 300 MB) is there after 30 to 60 s, with the
 * network interface; the worker is ready 6 s later (measured), and asks every 10 to 15 s. The rest is reserve for a busy zone.
 */
const START_SECONDS = 120;

/** From a poll that sees a run to the start of a task: the poll itself, and ECS. The rest is reserve for a poll that comes late. */
const REACTION_SECONDS = 30;

/** The longest of which the publisher asks CloudWatch what was needed: a number for each minute. */
const DAY_IN_MINUTES = 24 * 60;

/** The options with their defaults; throws for what contradicts itself. */
export function scalingPlan(type: WorkerType, options: ScalingOptions = {}, flowRunLimit?: number): ScalingPlan {
  requireWholeNumber('scaling.minWorkers', options.minWorkers, 0);
  requireWholeNumber('scaling.maxWorkers', options.maxWorkers, 1);
  const standby = options.standby && standbyOf(options.standby, options.minWorkers);
  const usual = type === WorkerType.PROCESS || standby ? 0 : AVAILABLE;
  const min = options.minWorkers ?? (isResolved(options.maxWorkers) ? Math.min(usual, options.maxWorkers) : usual);
  const max = options.maxWorkers ?? mostOf(type, min);
  if (isResolved(min) && isResolved(max) && min > max) {
    throw invalid('scaling.minWorkers', min, `it is above scaling.maxWorkers, which is ${max}; lower one or raise the other.`);
  }

  const pollInterval = options.pollInterval ?? Duration.minutes(1);
  if (!POLL_SECONDS.includes(pollInterval.toSeconds())) {
    throw invalid('scaling.pollInterval', pollInterval.toHumanString(), `give one of ${POLL_SECONDS.join(', ')} seconds.`);
  }
  const leadTime = options.leadTime ?? Duration.seconds(pollInterval.toSeconds() + REACTION_SECONDS + START_SECONDS);
  const schedules = options.schedules ?? [];
  schedules.forEach((schedule, index) => requireBounds(`scaling.schedules[${index}]`, schedule, max, standby !== undefined));
  requireApart('scaling.schedules', schedules);
  const fromZero = standby !== undefined || [min, ...schedules.map(({ minWorkers }) => minWorkers)].some(least => !isResolved(least) || least === 0);
  // Schedules end, and somebody has to take away then what they brought.
  const workers = type === WorkerType.ECS && (fromZero || schedules.length > 0) ? AVAILABLE : undefined;
  return {
    min,
    max,
    leadTime,
    pollInterval,
    schedules,
    spareFlowRuns: spareFlowRuns(options.spareFlowRuns, max, flowRunLimit),
    warmTaskHours: warmTaskHours(options.warmTaskHours, type, max, standby !== undefined),
    scaleInMinutes: scaleInMinutes(options.scaleInAfter, type === WorkerType.ECS && workers === undefined),
    standby,
    fromZero,
    workers,
    followsDemand: type === WorkerType.PROCESS || workers !== undefined,
  };
}

/** The most workers that there may be at any time; undefined where it isn't known. */
export function mostWorkers({ max, schedules }: ScalingPlan): number | undefined {
  const all = [max, ...schedules.map(({ maxWorkers = max }) => maxWorkers)];
  return all.every(isResolved) ? Math.max(...all) : undefined;
}

function spareFlowRuns(spare: number | undefined, max: number, flowRunLimit: number | undefined): number | undefined {
  requireWholeNumber('scaling.spareFlowRuns', spare, 0);
  if (!spare) return undefined;
  if (flowRunLimit === undefined) {
    throw invalid('scaling.spareFlowRuns', spare, 'an ECS worker takes any number of flow runs, so one that is there has room for them; set scaling.minWorkers to 1 or more instead.');
  }
  if (isResolved(spare) && isResolved(max) && isResolved(flowRunLimit) && spare > max * flowRunLimit) {
    throw invalid('scaling.spareFlowRuns', spare,
      `scaling.maxWorkers is ${max}, and as many workers hold ${max * flowRunLimit} flow runs, ${flowRunLimit} each; lower one or raise the other.`);
  }
  return spare;
}

function warmTaskHours(hours: number | undefined, type: WorkerType, max: number, standby: boolean): number | undefined {
  if (hours === undefined || hours === 0) return undefined;
  if (type === WorkerType.ECS) {
    throw invalid('scaling.warmTaskHours', hours, 'an ECS worker takes any number of flow runs, so a single one that is there serves them all; set scaling.minWorkers to 1 instead.');
  }
  if (standby) {
    throw invalid('scaling.warmTaskHours', hours, 'a standby has no workers while another serves the pool; remove it, or remove scaling.standby.');
  }
  if (isResolved(hours) && (!Number.isFinite(hours) || hours < 0)) throw invalid('scaling.warmTaskHours', hours, 'give the task-hours of a day, at least 0.');
  if (isResolved(hours) && isResolved(max) && hours > 24 * max) {
    throw invalid('scaling.warmTaskHours', hours, `scaling.maxWorkers is ${max}, and as many workers are there for ${24 * max} hours a day; lower one or raise the other.`);
  }
  return hours;
}

/** What was needed is known by whole minutes. */
function scaleInMinutes(after: Duration | undefined, fixed: boolean): number {
  if (after === undefined) return SURPLUS_MINUTES;
  if (fixed) {
    throw invalid('scaling.scaleInAfter', after.toHumanString(), 'the number of these ECS workers is fixed, and none is taken away; set scaling.minWorkers to 0, or remove it.');
  }
  const minutes = after.toMinutes({ integral: false });
  if (isResolved(minutes) && (!Number.isInteger(minutes) || minutes < 1 || minutes > DAY_IN_MINUTES)) {
    throw invalid('scaling.scaleInAfter', after.toHumanString(), 'give whole minutes, from one to a day.');
  }
  return minutes;
}

/** Where the number of workers is fixed, both bounds are it: a deployment brings the service between them. */
function mostOf(type: WorkerType, min: number): number {
  if (!isResolved(min)) return 10;
  return type === WorkerType.PROCESS ? Math.max(10, min) : min || AVAILABLE;
}

function standbyOf({ after = Duration.minutes(5) }: StandbyOptions, minWorkers: number | undefined): Standby {
  if (isResolved(minWorkers) && minWorkers > 0) {
    throw invalid('scaling.minWorkers', minWorkers, 'a standby has no workers while another serves the pool; remove it, or remove scaling.standby.');
  }
  const afterSeconds = after.toSeconds();
  if (isResolved(afterSeconds) && afterSeconds < 60) {
    throw invalid('scaling.standby.after', after.toHumanString(), 'give at least a minute; the API is asked for late flow runs as often as that.');
  }
  return { afterSeconds };
}

function requireBounds(prop: string, { minWorkers, maxWorkers }: ScalingSchedule, usualMax: number, standby: boolean): void {
  requireWholeNumber(`${prop}.minWorkers`, minWorkers, 0);
  requireWholeNumber(`${prop}.maxWorkers`, maxWorkers, 1);
  const max = maxWorkers ?? usualMax;
  if (isResolved(minWorkers) && isResolved(max) && minWorkers > max) {
    throw invalid(`${prop}.minWorkers`, minWorkers, `it is above ${maxWorkers === undefined ? 'scaling.maxWorkers' : `${prop}.maxWorkers`}, which is ${max}; lower one or raise the other.`);
  }
  if (standby && isResolved(minWorkers) && minWorkers > 0) {
    throw invalid(`${prop}.minWorkers`, minWorkers, 'a standby has no workers while another serves the pool; remove the schedule, or remove scaling.standby.');
  }
}
