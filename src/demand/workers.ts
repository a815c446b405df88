import type { PublisherConfiguration, Standby } from './configuration';

export interface Fleet {
  /** Workers that the ECS service is to keep, and that it runs. */
  readonly desired: number;
  readonly running: number;
}

export interface Need {
  /** Flow runs that are active or may start within the lead time, and the most slots of workers that they take at one time. */
  readonly demand: number;
  readonly slots: number;
  /** The same without the runs that nobody scheduled, where workers may wait for these. */
  readonly scheduledSlots?: number;
  /** Workers that have flow runs now; infinitely many where it isn't known. */
  readonly busyWorkers: number;
  /** How many runs beyond it the limits in Prefect would let start. */
  readonly room: number;
  readonly oldestLateSeconds: number;
  readonly onlineWorkers: number;
}

type Settings = Pick<PublisherConfiguration, 'flowRunLimit' | 'spareFlowRuns' | 'workers' | 'standby'>;

/** The workers that are needed, against those that run; undefined where their number doesn't follow demand. */
export function workersFor(need: Need, fleet: Fleet, { flowRunLimit = Infinity, spareFlowRuns = 0, workers, standby }: Settings) {
  const holding = (slots: number) => Math.ceil((slots + Math.min(spareFlowRuns, need.room)) / flowRunLimit);
  const forDemand = flowRunLimit === Infinity ? workers && Math.min(need.demand, workers) : holding(need.slots);
  if (forDemand === undefined) return undefined;
  const required = standby && !onDuty(need, fleet, standby) ? 0 : forDemand;
  return {
    RequiredWorkers: required,
    MissingWorkers: Math.max(0, required - fleet.desired),
    SurplusWorkers: Math.max(0, fleet.desired - Math.max(required, need.busyWorkers)),
    ...need.scheduledSlots !== undefined && { UnscheduledWorkers: Math.max(0, required - holding(need.scheduledSlots)) },
  };
}

/**
 * A standby takes over when runs have been late for long, and hands back when others than its own workers are online again.
 * How many there are is all that the pool tells: workers of the same pool don't say to which service they belong.
 */
function onDuty({ oldestLateSeconds, onlineWorkers }: Need, { desired, running }: Fleet, { afterSeconds }: Standby): boolean {
  if (oldestLateSeconds >= afterSeconds) return true;
  const others = onlineWorkers - running;
  return desired > 0 && others <= 0;
}
