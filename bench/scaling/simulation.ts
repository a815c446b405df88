import { DELAYS } from './aws/delays';
import { startUpSeconds } from './aws/fargate';
import { Billed, CapacityProviders, Container, Service } from './aws/service';
import { Clock } from './clock';
import { Conditions } from './conditions';
import { EcsWorker } from './prefect/ecs-worker';
import { Pool } from './prefect/pool';
import { Surroundings, Worker, WorkerSettings } from './prefect/worker';
import { Random } from './random';
import { Trace } from './trace';

/** Seconds before the trace that are played too, so that what is due at its start finds the scaling at work. */
const WARM_UP = 3600;
/** Seconds after the trace in which its last runs may end, and after these in which the last workers may. */
const GRACE = 86_400;
const WIND_DOWN = 900;
const SAMPLE_SECONDS = 30;

export interface Sample {
  readonly time: number;
  /** Flow runs that are due and not finished. */
  readonly demand: number;
  /** Slots of the workers that are ready. */
  readonly capacity: number;
}

/** The simulated world, as far as what scales it sees it. */
export interface World {
  readonly clock: Clock;
  readonly random: Random;
  readonly pool: Pool;
  readonly service: Service;
  readonly conditions: Conditions;
  /** CPU and memory of a task, in percent. */
  readonly load: (container: Container) => { readonly cpu: number; readonly memory: number };
  readonly desired: number;
  /** The trace's start in milliseconds, and its end in seconds after it. */
  readonly start: number;
  readonly end: number;
  setDesired(count: number): void;
}

/** What runs. */
export interface Setting {
  readonly worker: WorkerSettings;
  readonly capacity: CapacityProviders;
  /** An ECS worker's flow runs are tasks of their own. */
  readonly workerType?: 'ecs' | 'process';
  readonly startUp?: () => number;
  readonly serviceScheduler?: number;
}

export interface SimulationResult {
  readonly trace: Trace;
  readonly pool: Pool;
  readonly service: Service;
  /** All tasks: the workers', and flow runs' own. */
  readonly tasks: readonly Billed[];
  readonly samples: readonly Sample[];
  /** When the last run had ended and the last workers had the time to, or the trace. */
  readonly end: number;
}

/**
 * CPU and memory of a PROCESS worker: a full worker is at 100 % of both, an idle one at 2 % of CPU and 6 % of memory (measured: 124 of
 * 2,048 MiB). That is the kindest load for a policy that looks at them: what it sees saturates exactly when the slots do, while flow
 * runs that wait for a database show next to nothing.
 */
function loadOf(worker: Worker | EcsWorker, { flowRunLimit }: WorkerSettings) {
  if (worker instanceof EcsWorker) return worker.load;
  const share = worker.holds.size / flowRunLimit;
  return { cpu: 2 + 98 * share, memory: 6 + 94 * share };
}

/** Plays a trace against workers whose number `control` sets. */
export function simulate(trace: Trace, setting: Setting, control: (world: World) => void, seed: number, conditions: Conditions): SimulationResult {
  const clock = new Clock(-WARM_UP);
  const random = new Random(seed);
  const { worker, capacity, workerType, startUp, serviceScheduler } =
    { startUp: () => startUpSeconds(random, conditions), serviceScheduler: DELAYS.serviceScheduler, ...setting };
  const pool = new Pool(trace.runs, trace.limits);
  const workers = new Map<Container, Worker | EcsWorker>();
  const ownTasks: Billed[] = [];
  let desired = 0;
  const reconcileSoon = () => clock.in(serviceScheduler, () => service.reconcile(desired));
  const around: Surroundings = {
    clock, random, pool, conditions, takesProtection: container => service.takesProtection(container), unprotected: reconcileSoon,
  };
  const service: Service = new Service(clock, random, capacity, startUp, () => {
    const container = workerType === 'ecs' ? new EcsWorker(around, worker.queues, ownTasks) : new Worker(around, worker);
    workers.set(container, container);
    return container;
  });
  control({
    clock,
    random,
    pool,
    service,
    conditions,
    start: trace.start,
    end: trace.seconds,
    load: container => loadOf(workers.get(container)!, worker),
    get desired() { return desired; },
    setDesired(count) {
      if (count === desired) return;
      desired = count;
      reconcileSoon();
    },
  });

  const samples: Sample[] = [];
  clock.every(SAMPLE_SECONDS, 0, () => samples.push({
    time: clock.now, demand: pool.demand(clock.now), capacity: workerType === 'ecs' ? pool.active().filter(({ state }) => state === 'Running').length : service.ready.length * worker.flowRunLimit,
  }));
  clock.run(trace.seconds);
  const played = samples.slice();
  while (!pool.finished && clock.now < trace.seconds + GRACE) clock.run(clock.now + 600);
  if (clock.now > trace.seconds) clock.run(clock.now + WIND_DOWN);
  return { trace, pool, service, tasks: [...service.tasks, ...ownTasks], samples: played, end: clock.now };
}
