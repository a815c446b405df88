import { copies } from './copies';
import { CLUSTER, TASK } from './reconciler-aws';
import { ReconcilerWorld } from './reconciler-world';
import { KnownChildRuns } from '../../src/demand/child-runs';
import type { PublisherConfiguration } from '../../src/demand/configuration';
import { poll } from '../../src/demand/poll';
import { RunTimes } from '../../src/demand/run-times';
import { PrefectClient } from '../../src/private/prefect-client';
import { LIMITS } from '../../src/rescue/configuration';

/** What a pool may be like, and how many requests a minute that takes. */
export interface Situation {
  readonly name: string;
  readonly type: 'ecs' | 'process';
  /** Adds to the pool what there is beside the scheduled runs. */
  readonly arrange?: (world: ReconcilerWorld) => Promise<void>;
  /** Whether the scheduled runs are due and late, and not to come in ten days. */
  readonly due?: boolean;
  /** Whether the pool, its queue and the deployment have limits, each above what runs. */
  readonly limits?: boolean;
}

/** Requests to the Prefect API in a minute. */
export interface Requests {
  readonly publisher: number;
  readonly reconciler: number;
  /** Those of the publisher in a minute in which it asks how long runs take, too. */
  readonly withRunTimes: number;
  /** In the first minute of an instance of the functions, which remembers nothing. */
  readonly first: number;
}

const WORKER = 'us-east-1:live:worker';

/** So many running runs; as many suspended ones as Prefect shows on five pages; and some that run nobody knows where and have long been silent. */
const running = (type: 'ecs' | 'process') => async (world: ReconcilerWorld) => {
  if (type === 'process') world.task('worker', { lastStatus: 'RUNNING', tags: [] });
  const ids = await copies(world, { worker: WORKER, infrastructure: type === 'ecs' ? undefined : 'ip-10-0-0-1:77' }, 500, type === 'ecs' ? `${CLUSTER}::${TASK}` : undefined);
  if (type === 'ecs') for (const id of ids) world.task(id, { lastStatus: 'RUNNING' });
};
const suspended = async (world: ReconcilerWorld) => void await copies(world, { state: 'PAUSED', stateName: 'Suspended' }, 1000);
const silent = async (world: ReconcilerWorld) => void await copies(world, { infrastructure: 'ip-10-0-0-1:77' }, 50, 'ip-10-0-0-1:');
const all = (type: 'ecs' | 'process') => async (world: ReconcilerWorld) => {
  await running(type)(world);
  await suspended(world);
};

export const SITUATIONS: readonly Situation[] = [
  { name: 'nothing is due', type: 'ecs' },
  { name: 'all are due', type: 'process', due: true },
  { name: 'all are due, and the pool, its queue and the deployment have limits', type: 'process', due: true, limits: true },
  { name: '500 run, each in its task', type: 'ecs', arrange: running('ecs') },
  { name: '500 run in the workers', type: 'process', arrange: running('process') },
  { name: '1,000 are suspended', type: 'ecs', arrange: suspended },
  { name: '50 run outside ECS, and have long been silent', type: 'process', arrange: silent },
  { name: 'all are due with limits, 500 run in their tasks, 1,000 are suspended', type: 'ecs', due: true, limits: true, arrange: all('ecs') },
  { name: 'all are due with limits, 500 run in the workers, 1,000 are suspended', type: 'process', due: true, limits: true, arrange: all('process') },
];

/** What the publisher is told of the world's pool. */
export const publisherOf = ({ pool }: ReconcilerWorld, type: 'ecs' | 'process'): PublisherConfiguration => ({
  workPool: pool,
  worker: 'Worker',
  flowRunLimit: type === 'process' ? 7 : undefined,
  leadTimeSeconds: 180,
  pollSeconds: 60,
  scaleInMinutes: 2,
  cluster: '',
  service: '',
});

/** Brings a pool of its own into a situation, and counts the requests of a poll and a look in the first minute and in the third. */
export async function requestsIn(situation: Situation, world: ReconcilerWorld, scheduled: number): Promise<Requests> {
  await arrange(situation, world, scheduled);
  return requestsOf(situation, world);
}

/** Makes a pool that is in a situation; those made before stay as they are. */
export async function arrange({ due = false, limits = false, arrange: add }: Situation, world: ReconcilerWorld, scheduled: number): Promise<void> {
  await world.clean();
  if (limits) {
    await world.limitDeployment('ENQUEUE', 600);
    await world.prefect.call('PATCH', `/work_pools/${world.pool}`, { concurrency_limit: 700 });
    await world.prefect.call('PATCH', `/work_pools/${world.pool}/queues/default`, { concurrency_limit: 650 });
  }
  await copies(world, { state: 'SCHEDULED', infrastructure: null, due: due ? -60 : 10 * 24 * 3600 }, scheduled);
  await add?.(world);
}

/** Counts the requests of a poll and a look at the world's pool. */
export async function requestsOf({ type }: Situation, world: ReconcilerWorld): Promise<Requests> {
  const polled = async (runTimes: RunTimes) => {
    world.requests = [];
    const now = new Date();
    const client = new PrefectClient({ url: `${world.origin}/api`, headers: {} });
    await poll(client, publisherOf(world, type), now, { since: new Date(now.getTime() - 60_000), until: now }, runTimes, new KnownChildRuns());
    return world.asked;
  };
  const runTimes = new RunTimes();
  const minute = async () => {
    const publisher = await polled(runTimes);
    await world.look(type, LIMITS);
    return { publisher, reconciler: world.asked };
  };
  const first = await minute();
  await minute();
  const third = await minute();
  return { ...third, first: first.publisher + first.reconciler, withRunTimes: await polled(new RunTimes()) };
}
