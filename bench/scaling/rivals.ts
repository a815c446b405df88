import { Conditions } from './conditions';
import { TrackedRun } from './prefect/pool';
import { PREFETCH_SECONDS } from './prefect/worker';
import { Setting, World } from './simulation';
import { Deployment } from './template/deployment';
import { FlowRun, Trace } from './trace';

const ON_DEMAND = { onDemandBase: 0, onDemandWeight: 1, spotWeight: 0 };

/**
 * The official template (`prefect-aws ecs-worker deploy-service`): an ECS worker of 1 vCPU and 2 GB, each flow run in a task of its own
 * that has as much, and target tracking of CPU 70 % and memory 80 %, 1 to 10 workers, cooldowns 300 s in and 120 s out.
 *
 * @see https://github.com/PrefectHQ/prefect/blob/main/src/integrations/prefect-aws/infra/worker/service_stack.py
 */
export function official({ worker }: Deployment): Deployment {
  const track = (metric: 'ECSServiceAverageCPUUtilization' | 'ECSServiceAverageMemoryUtilization', target: number) =>
    ({ kind: 'target-tracking' as const, id: metric, metric, target, scaleOutCooldown: 120, scaleInCooldown: 300, disableScaleIn: false });
  return {
    workerType: 'ecs',
    bounds: { min: 1, max: 10 },
    desired: 1,
    policies: [track('ECSServiceAverageCPUUtilization', 70), track('ECSServiceAverageMemoryUtilization', 80)],
    alarms: [],
    scheduledActions: [],
    worker: { ...worker, flowRunLimit: Infinity, supervised: false, vcpu: 1 },
    capacity: ON_DEMAND,
  };
}

/** As many workers all the time: nothing is taken away, and nothing added. */
export function fleet(workers: number): (world: World) => void {
  return world => world.setDesired(workers);
}

/** How many workers are enough for the trace's peak, within the bounds. */
export function enough({ worker, bounds }: Deployment, trace: Trace): number {
  return Math.min(bounds.max, Math.max(1, Math.ceil(peak(spans(trace)) / worker.flowRunLimit)));
}

/** The oracle's world: no part of AWS is slow but the start of a task, and that takes as long as usually. */
export function oracleSetting({ worker }: Deployment, { startUp: { median } }: Conditions): Setting {
  return { worker: { ...worker, supervised: true }, capacity: ON_DEMAND, startUp: () => median, serviceScheduler: 0 };
}

const TICK_SECONDS = 5;

/** More runs than these change nothing: they are far more than the bounds let workers hold. */
const MOST_RUNS = 500;

/**
 * Knows the trace: has workers ready `early` seconds before the runs of the time in which a worker starts need them, as many
 * as they take slots at a time and no more than the bounds, and stops one when it is idle and no longer needed.
 */
export function oracle(deployment: Deployment, conditions: Conditions, early: number): (world: World) => void {
  return seeing(deployment, conditions, Math.max(TICK_SECONDS, conditions.startUp.median + early), () => Infinity);
}

/** Without knowing the future: sees a run the second Prefect does, and acts in that second. Warm workers may beat it where runs come in bursts. */
export function instant(deployment: Deployment, conditions: Conditions): (world: World) => void {
  return seeing(deployment, conditions, conditions.startUp.median + 2 * PREFETCH_SECONDS, now => now);
}

function seeing({ worker, bounds }: Deployment, conditions: Conditions, ahead: number, knownUntil: (now: number) => number): (world: World) => void {
  return ({ clock, pool, setDesired }) => {
    clock.every(TICK_SECONDS, clock.now, () => {
      const { now } = clock;
      const due = pool.scheduled(knownUntil(now), now + ahead, worker.queues, MOST_RUNS);
      const held = [...pool.held];
      if (due.length + held.length === 0) return setDesired(0);
      const spansOf = (run: TrackedRun): Span[] => {
        const from = Math.max(now, run.due - PREFETCH_SECONDS);
        return slots(run, from, Math.max(run.due, now) + conditions.processStart);
      };
      const needed = peak([...held.flatMap(run => slots(run, now, run.running ?? Math.max(now, run.due))), ...due.flatMap(spansOf)], now + ahead);
      const most = Math.min(needed, pool.limits.pool ?? Infinity, limited(pool.limits.deployments, [...held, ...due]));
      const busy = new Set(held.map(({ holder }) => holder)).size;
      setDesired(Math.min(bounds.max, Math.max(busy, Math.ceil(most / worker.flowRunLimit))));
    });
  };
}

/** How many of these runs their deployments' limits let run at a time. */
function limited(limits: Readonly<Record<string, number>> = {}, runs: readonly FlowRun[]): number {
  const counts = new Map<string, number>();
  for (const { deployment } of runs) counts.set(deployment, (counts.get(deployment) ?? 0) + 1);
  return [...counts].reduce((sum, [deployment, count]) => sum + Math.min(count, limits[deployment] ?? Infinity), 0)
    + runs.reduce((sum, { children = [] }) => sum + children.length, 0);
}

interface Span {
  readonly from: number;
  readonly until: number;
}

/** The slots that a run takes, and those of its children when it has begun. */
function slots(run: FlowRun, from: number, begins: number): Span[] {
  const children = (run.children ?? []).map(duration => ({ from: begins, until: begins + duration }));
  return [{ from, until: Math.max(from + 1, begins + run.duration, ...children.map(({ until }) => until)) }, ...children];
}

/** The slots of a trace, when each run starts the moment it is due. */
export function spans({ runs }: Pick<Trace, 'runs'>): Span[] {
  return runs.flatMap(run => slots(run, run.expectedStart, run.expectedStart));
}

/** The most of them at a time. */
export function peak(of: readonly Span[], before = Infinity): number {
  const begun = of.filter(({ from }) => from < before);
  const begins = Float64Array.from(begun, ({ from }) => from).sort();
  const ends = Float64Array.from(begun, ({ until }) => until).sort();
  let [most, over] = [0, 0];
  for (let index = 0; index < begins.length; index++) {
    while (ends[over] <= begins[index]) over++;
    most = Math.max(most, index + 1 - over);
  }
  return most;
}
