import type { PublisherConfiguration, Standby } from './configuration';

export interface Fleet {
  /** Workers that the ECS service is to keep, and that it runs. */
  readonly desired: number;
  readonly running: number;
}

export interface Need {
  readonly demand: number;
  readonly oldestLateSeconds: number;
  readonly onlineWorkers: number;
}

/** The workers that are needed, against those that are there; undefined where their number doesn't follow demand. */
export function workersFor(need: Need, fleet: Fleet, { flowRunLimit, workers, standby }: Pick<PublisherConfiguration, 'flowRunLimit' | 'workers' | 'standby'>) {
  const forDemand = flowRunLimit === undefined ? workers && Math.min(need.demand, workers) : Math.ceil(need.demand / flowRunLimit);
  if (forDemand === undefined) return undefined;
  const required = standby && !onDuty(need, fleet, standby) ? 0 : forDemand;
  return {
    RequiredWorkers: required,
    MissingWorkers: Math.max(0, required - fleet.desired),
    SurplusWorkers: Math.max(0, fleet.desired - required),
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
