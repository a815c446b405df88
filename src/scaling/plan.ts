import { Duration } from 'aws-cdk-lib';
import { Standby } from '../demand/configuration';
import { invalid, known, requireWholeNumber } from '../private/validation';
import { WorkerType } from '../worker-type';
import { ScalingOptions, ScalingSchedule } from './scaling-options';
import { requireApart } from './schedule-windows';
import { WorkerRole } from './worker-role';

/** The scaling options with their defaults. */
export interface ScalingPlan {
  readonly min: number;
  readonly max: number;
  readonly leadTime: Duration;
  readonly pollInterval: Duration;
  readonly schedules: readonly ScalingSchedule[];
  readonly standby?: Standby;
  /** Whether there may be no worker on purpose. */
  readonly fromZero: boolean;
  /** How many workers serve any number of flow runs, where one takes as many as there are; undefined where their number is fixed. */
  readonly workers?: number;
}

/**
 * ECS workers only start and watch the tasks of flow runs: two, in two zones, are there for availability. More clear no more: one
 * submits 100 to 180 runs a minute, at a tenth of a CPU second each, and two that ask for the same runs were not faster (measured).
 */
const AVAILABLE = 2;

const POLL_SECONDS = [10, 15, 20, 30, 60];

/**
 * From the start of a Fargate task to a worker that polls. The official image (about 300 MB) is there after 30 to 60 s, with the
 * network interface; the worker is ready 6 s later (measured), and asks every 10 to 15 s. The rest is reserve for a busy zone.
 */
const START_SECONDS = 120;

/** From a poll that sees a run to the start of a task: the metric, the alarm, Application Auto Scaling and ECS. */
const ALARM_SECONDS = 30;

/** The options with their defaults; throws for what contradicts itself. */
export function scalingPlan(type: WorkerType, options: ScalingOptions = {}): ScalingPlan {
  requireWholeNumber('scaling.minWorkers', options.minWorkers, 0);
  requireWholeNumber('scaling.maxWorkers', options.maxWorkers, 1);
  const standby = standbyOf(options);
  const usual = type === WorkerType.PROCESS || standby ? 0 : AVAILABLE;
  const min = options.minWorkers ?? (known(options.maxWorkers) ? Math.min(usual, options.maxWorkers) : usual);
  const max = options.maxWorkers ?? mostOf(type, min);
  if (known(min) && known(max) && min > max) {
    throw invalid('scaling.minWorkers', min, `it is above scaling.maxWorkers, which is ${max}; lower the one or raise the other.`);
  }

  const pollInterval = options.pollInterval ?? Duration.minutes(1);
  if (!POLL_SECONDS.includes(pollInterval.toSeconds())) {
    throw invalid('scaling.pollInterval', pollInterval.toHumanString(), `give one of ${POLL_SECONDS.join(', ')} seconds.`);
  }
  const leadTime = options.leadTime ?? Duration.seconds(pollInterval.toSeconds() + ALARM_SECONDS + START_SECONDS);
  const schedules = options.schedules ?? [];
  schedules.forEach((schedule, index) => requireBounds(`scaling.schedules[${index}]`, schedule, max, standby !== undefined));
  requireApart('scaling.schedules', schedules);
  const fromZero = standby !== undefined || [min, ...schedules.map(({ minWorkers }) => minWorkers)].some(least => !known(least) || least === 0);
  // Schedules end, and somebody has to take away then what they brought.
  const workers = type === WorkerType.ECS && (fromZero || schedules.length > 0) ? AVAILABLE : undefined;
  return { min, max, leadTime, pollInterval, schedules, standby, fromZero, workers };
}

/** Where the number of workers is fixed, both bounds are it: a deployment brings the service between them. */
function mostOf(type: WorkerType, min: number): number {
  if (!known(min)) return 10;
  return type === WorkerType.PROCESS ? Math.max(10, min) : min || AVAILABLE;
}

function standbyOf({ role, minWorkers, standbyAfter }: ScalingOptions): Standby | undefined {
  if (role !== WorkerRole.STANDBY) {
    if (standbyAfter) {
      throw invalid('scaling.standbyAfter', standbyAfter.toHumanString(), 'only a standby waits; set scaling.role to WorkerRole.STANDBY or remove it.');
    }
    return undefined;
  }
  if (known(minWorkers) && minWorkers > 0) {
    throw invalid('scaling.minWorkers', minWorkers, 'a standby has no workers while another serves the pool; remove it, or set scaling.role to WorkerRole.ACTIVE.');
  }
  return { afterSeconds: (standbyAfter ?? Duration.minutes(5)).toSeconds() };
}

function requireBounds(prop: string, { minWorkers, maxWorkers }: ScalingSchedule, usualMax: number, standby: boolean): void {
  requireWholeNumber(`${prop}.minWorkers`, minWorkers, 0);
  requireWholeNumber(`${prop}.maxWorkers`, maxWorkers, 1);
  const max = maxWorkers ?? usualMax;
  if (known(minWorkers) && known(max) && minWorkers > max) {
    throw invalid(`${prop}.minWorkers`, minWorkers, `it is above ${maxWorkers === undefined ? 'scaling.maxWorkers' : `${prop}.maxWorkers`}, which is ${max}; lower the one or raise the other.`);
  }
  if (standby && known(minWorkers) && minWorkers > 0) {
    throw invalid(`${prop}.minWorkers`, minWorkers, 'a standby has no workers while another serves the pool; remove the schedule, or set scaling.role to WorkerRole.ACTIVE.');
  }
}
