import { setTimeout as sleep } from 'node:timers/promises';
import { Arena } from './arena';
import { Fault, toRuns } from './fault';
import { WorkerType } from '../../../src';
import { processesOfRun } from '../support/processes';

const SHORT = 4;
const HEALTHY_SECONDS = 120;
/** More than twice the most frequent heartbeat that Prefect allows. */
const HEARTBEAT_SECONDS = 75;

/** Lets the process of a run stand still, and gives what lets it go on. */
async function suspendProcess(run: string): Promise<() => void> {
  const processes = await processesOfRun(run);
  if (processes.length === 0) throw new Error(`No process executes the run ${run}.`);
  const signal = (name: NodeJS.Signals) => processes.forEach(({ pid }) => process.kill(pid, name));
  signal('SIGSTOP');
  return () => signal('SIGCONT');
}

/** What can happen to workers of either type in the same way. */
export function faultsOfBoth(workerType: WorkerType, inFlight: (arena: Arena, count: number) => Promise<string[]>): readonly Fault[] {
  return [
    {
      name: 'API away',
      workerType,
      what: 'the API can\'t be reached for 90 s, which is longer than Prefect\'s client tries by itself, while runs are in flight, begin and end',
      happen: async (arena, count) => {
        const ids = await inFlight(arena, Math.ceil(count / 2));
        await arena.live.gate!.shut();
        ids.push(...await arena.startRuns(Math.floor(count / 2), SHORT));
        await arena.release();
        await sleep(90_000);
        await arena.live.gate!.open();
        return ids;
      },
    },
    {
      name: 'nothing, to healthy runs',
      workerType,
      what: `runs compute and sleep for ${HEALTHY_SECONDS} s, one stands still for a while, and the API is away for 30 s; heartbeats count as stopped after ${HEARTBEAT_SECONDS} s`,
      untouched: true,
      happen: async (arena, count) => {
        if (arena.options.measures) await arena.expectHeartbeats(HEARTBEAT_SECONDS);
        const ids = [...await arena.startRuns(2, HEALTHY_SECONDS, 'computing'), ...await arena.startRuns(count - 2, HEALTHY_SECONDS, 'sleeping')];
        await arena.inFlight(ids);
        await arena.release();
        const resumeProcess = await suspendProcess(ids[0]);
        await arena.live.gate!.shut();
        await sleep(30_000);
        await arena.live.gate!.open();
        resumeProcess();
        return ids;
      },
    },
    {
      name: 'run hangs',
      workerType,
      what: `the process of a run stands still for good, and its task lives on; heartbeats count as stopped after ${HEARTBEAT_SECONDS} s`,
      ends: ['COMPLETED', 'CRASHED'],
      patienceSeconds: 240,
      happen: async (arena, count) => {
        if (arena.options.measures) await arena.expectHeartbeats(HEARTBEAT_SECONDS);
        const ids = await arena.startRuns(count, SHORT + HEARTBEAT_SECONDS, 'sleeping');
        await arena.inFlight(ids);
        await arena.release();
        // Its first heartbeat has been heard.
        await sleep(5000);
        await suspendProcess(ids[0]);
        return ids;
      },
    },
    {
      name: 'key rotated',
      workerType,
      what: 'the API\'s secret gets a new version while all workers are busy; the old one stays valid for a while, as it does with API keys',
      happen: toRuns(inFlight, async arena => {
        const before = await arena.workers();
        await arena.rotateSecret();
        // Without the measures nothing more happens: the workers keep the old one.
        if (!arena.options.measures) return;
        await arena.until('workers that have the new one', 240, async () =>
          (await arena.workers()).every(({ taskArn }) => before.every(old => old.taskArn !== taskArn)));
        await arena.steady();
      }),
    },
    {
      name: 'suspended and resumed',
      workerType,
      what: 'runs are suspended, their processes end, their workers are replaced, and then they are resumed',
      happen: async (arena, count) => {
        const ids = await arena.startRuns(count, SHORT, 'suspending');
        await arena.release();
        await arena.until('all runs suspended', 240, async () => (await arena.flowRuns(ids)).every(({ state }) => state.name === 'Suspended'));
        await arena.until('their processes ended', 60, async () => (await arena.withProcess(ids)).size === 0);
        for (const task of await arena.workers()) await arena.stopTask(task);
        await sleep(10_000);
        await arena.steady();
        for (const id of ids) await arena.live.prefect.call('POST', `/flow_runs/${id}/resume`, {});
        return ids;
      },
    },
    {
      name: 'two workers racing',
      workerType,
      what: 'all runs are due at the same moment for two idle workers',
      happen: async (arena, count) => {
        const ids = await arena.startRuns(count, SHORT);
        await arena.release();
        return ids;
      },
    },
  ];
}
