import { Arena } from './arena';
import { Fault, toRuns } from './fault';
import { faultsOfBoth } from './faults-of-both';
import { FlowName } from './flows';
import { WorkerType } from '../../../src';
import { killNow, workerProcess } from '../support/processes';

const workerType = WorkerType.PROCESS;
/** A run that ends within the time that a stopping worker has, and one that doesn't. */
const SHORT = 4;
const LONG = 15;

/** Runs in flight of every kind that matters: short, long, and one that has been tried again in its process. */
async function mixed(arena: Arena, count: number): Promise<string[]> {
  const kinds: [number, number, FlowName][] = [[1, LONG, 'retrying'], [Math.floor((count - 1) / 2), LONG, 'plain'], [Math.ceil((count - 1) / 2), SHORT, 'plain']];
  const ids: string[] = [];
  for (const [number, seconds, flow] of kinds) ids.push(...await arena.startRuns(number, seconds, flow));
  await arena.inFlight(ids);
  await arena.release();
  return ids;
}

async function steadyRuns(arena: Arena, count: number, seconds: number): Promise<string[]> {
  const ids = await arena.startRuns(count, seconds);
  await arena.inFlight(ids);
  await arena.release();
  return ids;
}

/** The worker of a long run, so that there is something in flight for certain. */
const busyWorker = (arena: Arena, ids: string[]) => arena.workerOf(ids[0]);

export const PROCESS_FAULTS: readonly Fault[] = [
  {
    name: 'deployment',
    workerType,
    what: 'a new deployment of the service while all workers are busy',
    happen: toRuns(mixed, async arena => {
      await arena.redeploy();
      await arena.steady(240);
    }),
  },
  {
    name: 'scale-in',
    workerType,
    what: 'the service is scaled in while all workers are busy',
    happen: toRuns(mixed, arena => arena.scaleTo(1)),
  },
  {
    name: 'stop',
    workerType,
    what: 'SIGTERM to a busy worker, then SIGKILL after its stop timeout',
    happen: toRuns(mixed, async (arena, ids) => arena.stopTask(await busyWorker(arena, ids))),
  },
  {
    name: 'cancelled while stopping',
    workerType,
    what: 'runs are cancelled just before their worker is stopped',
    ends: ['COMPLETED', 'CANCELLED'],
    happen: toRuns((arena, count) => steadyRuns(arena, count, LONG), async (arena, ids) => {
      const task = await busyWorker(arena, ids);
      for (const id of ids.slice(0, Math.ceil(ids.length / 4))) await arena.live.prefect.cancel(id);
      await arena.stopTask(task);
    }),
  },
  {
    name: 'Spot interruption',
    workerType,
    what: 'Fargate takes back the capacity of a busy worker',
    happen: toRuns(mixed, async (arena, ids) => arena.interruptSpot(await busyWorker(arena, ids))),
  },
  {
    name: 'Spot interruption of 20 tasks',
    workerType,
    what: 'the same for runs of a flow of 20 tasks, of which 10 are done, with `results`',
    finishedTasks: 'kept',
    happen: async (arena, count) => {
      const ids = await arena.startRuns(count, 2 * LONG, 'stepwise');
      await arena.tasksDone(ids, 10);
      await arena.release();
      await arena.interruptSpot(await busyWorker(arena, ids));
      return ids;
    },
  },
  {
    name: 'worker killed',
    workerType,
    what: 'SIGKILL to the worker\'s process; its container lives on',
    happen: toRuns(mixed, async (arena, ids) => {
      killNow(await workerProcess(await busyWorker(arena, ids)));
    }),
  },
  {
    name: 'worker gives up',
    workerType,
    what: 'the API refuses a worker that asks for flow runs, as it does when a plan\'s limit of requests is reached, and the worker ends itself',
    patienceSeconds: 240,
    happen: toRuns(mixed, async (arena, ids) => {
      const task = await busyWorker(arena, ids);
      arena.live.gate!.refusePolls(true);
      await arena.stopped(task);
      arena.live.gate!.refusePolls(false);
    }),
  },
  {
    name: 'task killed',
    workerType,
    what: 'SIGKILL to all processes of a worker\'s task at once, as when its host fails',
    patienceSeconds: 240,
    happen: toRuns(mixed, async (arena, ids) => {
      for (const pid of await arena.processesOf(await busyWorker(arena, ids), 'all')) killNow(pid);
    }),
  },
  {
    name: 'out of memory',
    workerType,
    what: 'SIGKILL to the process of a flow run, which is what the kernel does when memory runs out',
    ends: ['COMPLETED', 'CRASHED'],
    happen: toRuns(mixed, async (arena, ids) => {
      const [victim] = await arena.processesOf(await busyWorker(arena, ids), 'flow runs');
      killNow(victim);
    }),
  },
  ...faultsOfBoth(workerType, mixed),
];
