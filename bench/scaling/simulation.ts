import { DELAYS } from './aws/delays';
import { startUpSeconds } from './aws/fargate';
import { CapacityProviders, Container, Service } from './aws/service';
import { Clock } from './clock';
import { Pool } from './prefect/pool';
import { Worker, WorkerSettings } from './prefect/worker';
import { Random } from './random';
import { Trace } from './trace';

/** Seconds before the trace that are played too, so that what is due at its start finds the scaling at work. */
const WARM_UP = 3600;
/** Seconds after the trace in which its last runs may end. */
const GRACE = 86_400;
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
  /** The share of its slots that a task's worker has taken. */
  readonly load: (container: Container) => number;
  readonly desired: number;
  /** The trace's start in milliseconds, and its end in seconds after it. */
  readonly start: number;
  readonly end: number;
  setDesired(count: number): void;
}

/** What runs, and how fast ECS and Fargate are about it. */
export interface Setting {
  readonly worker: WorkerSettings;
  readonly capacity: CapacityProviders;
  readonly startUp?: (random: Random) => number;
  readonly serviceScheduler?: number;
  readonly endOfProtection?: number;
}

export interface Played {
  readonly trace: Trace;
  readonly pool: Pool;
  readonly service: Service;
  readonly samples: readonly Sample[];
}

/** Plays a trace against workers whose number `control` sets. */
export function simulate(trace: Trace, setting: Setting, control: (world: World) => void, seed: number): Played {
  const { worker, capacity, startUp, serviceScheduler, endOfProtection } = { startUp: startUpSeconds, ...DELAYS, ...setting };
  const clock = new Clock(-WARM_UP);
  const random = new Random(seed);
  const pool = new Pool(trace.runs);
  const workers = new Map<Container, Worker>();
  let desired = 0;
  const reconcileIn = (seconds: number) => clock.in(seconds, () => service.reconcile(desired));
  const service = new Service(clock, random, capacity, startUp, () => {
    const container = new Worker(clock, random, pool, worker, () => reconcileIn(endOfProtection));
    workers.set(container, container);
    return container;
  });
  control({
    clock,
    random,
    pool,
    service,
    start: trace.start,
    end: trace.seconds,
    load: container => workers.get(container)!.holds.size / worker.flowRunLimit,
    get desired() { return desired; },
    setDesired(count) {
      if (count === desired) return;
      desired = count;
      reconcileIn(serviceScheduler);
    },
  });

  const samples: Sample[] = [];
  clock.every(SAMPLE_SECONDS, 0, () => samples.push({
    time: clock.now, demand: pool.demand(clock.now), capacity: service.ready.length * worker.flowRunLimit,
  }));
  clock.run(trace.seconds);
  const played = samples.slice();
  while (!pool.finished && clock.now < trace.seconds + GRACE) clock.run(clock.now + 600);
  return { trace, pool, service, samples: played };
}
