import { Setting, World } from './simulation';
import { Deployment } from './template/deployment';
import { FlowRun, Trace } from './trace';

/**
 * How the official template scales: target tracking of CPU 70 % and memory 80 %, 1 to 10 tasks, cooldowns 300 s in and
 * 120 s out. The workers are the same, but nothing protects their runs.
 *
 * @see prefect_aws/templates/ecs/service.json
 */
export function official({ worker }: Deployment): Deployment {
  const track = (metric: 'ECSServiceAverageCPUUtilization' | 'ECSServiceAverageMemoryUtilization', target: number) =>
    ({ kind: 'target-tracking' as const, id: metric, metric, target, scaleOutCooldown: 120, scaleInCooldown: 300, disableScaleIn: false });
  return {
    bounds: { min: 1, max: 10 },
    desired: 1,
    policies: [track('ECSServiceAverageCPUUtilization', 70), track('ECSServiceAverageMemoryUtilization', 80)],
    alarms: [],
    scheduledActions: [],
    worker: { ...worker, supervised: false },
    capacity: { onDemandBase: 0, onDemandWeight: 1, spotWeight: 0 },
  };
}

/** A fleet that is large enough for the trace's peak, all the time. */
export function fixedFleet({ worker }: Deployment, trace: Trace): (world: World) => void {
  const workers = Math.max(1, Math.ceil(peak(trace.runs) / worker.flowRunLimit));
  return world => world.setDesired(workers);
}

/** Seconds that the oracle's workers take to start. */
const ORACLE_START_UP = 55;

/** The oracle's world: no part of AWS is slow but the start of a task, and that takes the time that it takes. */
export function oracleSetting({ worker }: Deployment): Setting {
  return {
    worker: { ...worker, supervised: true },
    capacity: { onDemandBase: 0, onDemandWeight: 1, spotWeight: 0 },
    startUp: () => ORACLE_START_UP,
    serviceScheduler: 0,
    endOfProtection: 0,
  };
}

/**
 * Knows the trace: launches a worker so that it is ready the second its first run is due, announced or not, and stops it
 * the second it is idle and no longer needed. `lag` seconds later, to find what its capacity costs at more lateness.
 */
export function oracle(deployment: Deployment, lag: number): (world: World) => void {
  return seeing(deployment, ORACLE_START_UP - lag, () => Infinity);
}

/** The best that is possible without knowing the future: sees a run the second Prefect does, and acts in that second. */
export function instant(deployment: Deployment): (world: World) => void {
  return seeing(deployment, ORACLE_START_UP, now => now);
}

function seeing({ worker }: Deployment, ahead: number, knownUntil: (now: number) => number): (world: World) => void {
  return ({ clock, pool, setDesired }) => {
    clock.every(1, clock.now, () => {
      const due = pool.scheduled(knownUntil(clock.now), clock.now + ahead, worker.queues).length;
      const held = pool.count('Pending', worker.queues) + pool.count('Running', worker.queues);
      setDesired(Math.ceil((due + held) / worker.flowRunLimit));
    });
  };
}

/** The most runs at a time, when each starts the moment it is due. */
export function peak(runs: readonly FlowRun[]): number {
  const changes = runs.flatMap(run => [[run.expectedStart, 1], [run.expectedStart + run.duration, -1]]);
  changes.sort(([a, up], [b, down]) => a - b || up - down);
  let now = 0;
  return changes.reduce((most, [, change]) => Math.max(most, now += change), 0);
}
