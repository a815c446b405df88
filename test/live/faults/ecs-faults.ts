import { setTimeout as sleep } from 'node:timers/promises';
import { Arena } from './arena';
import { Fault, toRuns } from './fault';
import { faultsOfBoth } from './faults-of-both';
import { FlowName } from './flows';
import { WorkerType } from '../../../src';
import { Hindrance, TaskInfo } from '../../stand-in/stand-in';
import { killNow } from '../support/processes';

const workerType = WorkerType.ECS;
const SHORT = 4;
const LONG = 20;
const NO_CAPACITY = 'Capacity is unavailable at this time. Please try again later or in a different availability zone';

const TOO_MANY_PULLS = 'CannotPullContainerError: pull image manifest has been retried 1 time(s): toomanyrequests: You have reached your unauthenticated pull rate limit.';

/** Runs that have begun and wait for the release. */
async function begun(arena: Arena, count: number, flow?: FlowName): Promise<string[]> {
  const ids = await arena.startRuns(count, LONG, flow);
  await arena.inFlight(ids);
  return ids;
}

async function inFlight(arena: Arena, count: number, flow?: FlowName): Promise<string[]> {
  const ids = await begun(arena, count, flow);
  await arena.release();
  return ids;
}

/** Takes the capacity of runs back, all at once, as they are free to go on. */
async function interrupt(arena: Arena, ids: readonly string[]): Promise<TaskInfo[]> {
  const tasks: TaskInfo[] = [];
  for (const id of ids) tasks.push(await arena.workerOf(id));
  await arena.release();
  await Promise.all(tasks.map(task => arena.interruptSpot(task)));
  return tasks;
}

/** SIGKILL to the task of the first run. */
async function killFirst(arena: Arena, ids: readonly string[]): Promise<void> {
  (await arena.processesOf(await arena.workerOf(ids[0]), 'all')).forEach(killNow);
}

async function killWorkers(arena: Arena): Promise<void> {
  for (const task of await arena.workers()) (await arena.processesOf(task, 'all')).forEach(killNow);
}

/** Runs whose tasks are kept from starting, for as long as the hindrance lasts by itself. */
function hindered(flow: FlowName, hindrance: Hindrance): Fault['happen'] {
  return async (arena, count) => {
    await arena.live.standIn.hinderTasks(hindrance);
    const ids = await arena.startRuns(count, SHORT, flow);
    await arena.release();
    return ids;
  };
}

/** Runs whose tasks are kept from finding a place; those on demand that come later find one. */
function unplaced(flow: FlowName, hindrance: Hindrance): Fault['happen'] {
  return async (arena, count) => {
    const ids = await hindered(flow, hindrance)(arena, count);
    await arena.until('tasks without a place', 120, async () =>
      (await arena.live.standIn.tasks()).filter(({ lastStatus }) => lastStatus === 'PROVISIONING').length >= count);
    if (!hindrance.capacityProvider) await arena.live.standIn.hinderTasks();
    return ids;
  };
}

/** Runs of a flow of twenty tasks of which ten are done, and the capacity of every second one is taken back. */
function interruptedSteps(flow: FlowName): Fault['happen'] {
  return async (arena, count) => {
    const ids = await arena.startRuns(count, LONG, flow);
    await arena.tasksDone(ids, 10);
    await interrupt(arena, ids.filter((_, index) => index % 2 === 0));
    return ids;
  };
}

export const ECS_FAULTS: readonly Fault[] = [
  {
    name: 'deployment',
    workerType,
    what: 'a new deployment of the service while runs are claimed, start and run',
    happen: async (arena, count) => {
      const ids = await inFlight(arena, Math.ceil(count / 2));
      ids.push(...await arena.startRuns(Math.floor(count / 2), SHORT));
      await arena.release();
      await arena.redeploy();
      await arena.steady(240);
      return ids;
    },
  },
  {
    name: 'Spot interruption',
    workerType,
    what: 'Fargate takes back the capacity of every second run',
    happen: toRuns(begun, (arena, ids) => interrupt(arena, ids.filter((_, index) => index % 2 === 0))),
  },
  {
    name: 'Spot interruption of 20 tasks',
    workerType,
    what: 'the same for runs of a flow of 20 tasks, of which 10 are done, with `results`',
    finishedTasks: 'kept',
    happen: interruptedSteps('stepwise'),
  },
  {
    name: 'Spot interruption of 20 tasks, no results',
    workerType,
    what: 'the same without `results`',
    finishedTasks: 'repeated',
    happen: interruptedSteps('forgetful'),
  },
  {
    name: 'Spot interruption between tries',
    workerType,
    what: 'as above, for runs that their process has tried before, which Prefect gives to no other',
    // This flow writes its start down in its second try only.
    happen: toRuns((arena, count) => begun(arena, count, 'retrying'), interrupt),
  },
  {
    name: 'task killed',
    workerType,
    what: 'SIGKILL to all processes of a run\'s task, as when its host fails; its flow has no retries',
    ends: ['COMPLETED', 'CRASHED'],
    happen: toRuns(inFlight, killFirst),
  },
  {
    name: 'task killed, with retries',
    workerType,
    what: 'the same for a flow with retries',
    patienceSeconds: 240,
    happen: toRuns((arena, count) => inFlight(arena, count, 'patient'), killFirst),
  },
  {
    name: 'out of memory',
    workerType,
    what: 'SIGKILL to the process of every second run, which is what the kernel does when memory runs out; with `outOfMemory`, they start again with more',
    patienceSeconds: 240,
    happen: toRuns(begun, async (arena, ids) => {
      for (const id of ids.filter((_, index) => index % 2 === 0)) {
        // The flow's own one is the youngest: those above it are Prefect's command and the program that runs it.
        killNow(Math.max(...await arena.processesOf(await arena.workerOf(id), 'flow runs')));
      }
      await arena.release();
    }),
  },
  {
    name: 'worker killed in between',
    workerType,
    what: 'SIGKILL to the workers between claim and start of runs',
    patienceSeconds: 300,
    happen: async (arena, count) => {
      const ids = await arena.startRuns(count, SHORT);
      await arena.release();
      await arena.until('a claim', 60, async () => (await arena.flowRuns(ids)).some(({ state }) => state.type === 'PENDING'));
      await killWorkers(arena);
      await arena.steady(240);
      return ids;
    },
  },
  {
    name: 'worker late',
    workerType,
    what: 'a worker that stood still for minutes after it had claimed runs starts its tasks for them, which another one\'s tasks execute by now',
    untouched: true,
    happen: toRuns(begun, async (arena, ids) => {
      const late = await Promise.all(ids.map(id => arena.startLate(id)));
      await arena.until('the late tasks to leave, or to execute the runs as well', 240, async () => {
        const stopped = (await arena.live.standIn.tasks()).filter(({ lastStatus }) => lastStatus === 'STOPPED').map(({ taskArn }) => taskArn);
        const executions = await Promise.all(ids.map(id => arena.evidence(id)));
        return late.every((arn, index) => stopped.includes(arn) || executions[index].length > 1);
      });
      await arena.release();
    }),
  },
  {
    name: 'worker killed, task killed',
    workerType,
    what: 'a run\'s task is killed while no worker is there to hear of it, and the message is lost',
    ends: ['COMPLETED', 'CRASHED'],
    happen: toRuns(begun, async (arena, ids) => {
      await arena.scaleTo(0);
      await arena.until('no worker', 180, async () => (await arena.workers()).length === 0);
      await killFirst(arena, ids);
      await sleep(2000);
      await arena.events.purge();
      await arena.release();
      await arena.scaleTo(2);
    }),
  },
  {
    name: 'messages twice, late, malformed',
    workerType,
    what: 'the observer\'s queue gives a message that is not JSON, until it is a dead letter, and those of ended tasks again',
    happen: toRuns(begun, async (arena, ids) => {
      await arena.events.send('no JSON');
      for (const task of await interrupt(arena, ids.slice(0, Math.ceil(ids.length / 2)))) {
        await arena.stopped(task);
        for (let again = 0; again < 2; again++) await arena.sendStopped(task);
      }
      await arena.until('the malformed message among the dead letters', 330, async () => await arena.events.deadLetters() > 0);
    }),
  },
  {
    name: 'never placed',
    workerType,
    what: 'the tasks of runs find no place and stay PROVISIONING',
    patienceSeconds: 240,
    happen: unplaced('plain', { how: 'unplaced' }),
  },
  {
    name: 'Spot never placed',
    workerType,
    what: 'the same for runs on Spot, which has no capacity from then on',
    patienceSeconds: 300,
    happen: unplaced('spot', { how: 'unplaced', capacityProvider: 'FARGATE_SPOT' }),
  },
  {
    name: 'Spot tasks fail to start',
    workerType,
    what: 'the tasks of runs on Spot stop before they have started, as Spot has no capacity',
    patienceSeconds: 300,
    happen: hindered('spot', { how: 'failed', reason: NO_CAPACITY, capacityProvider: 'FARGATE_SPOT' }),
  },
  {
    name: 'Spot refuses tasks',
    workerType,
    what: 'Amazon ECS takes no task on Spot: "Capacity is unavailable at this time"',
    patienceSeconds: 300,
    happen: hindered('spot', { how: 'refused', reason: NO_CAPACITY, capacityProvider: 'FARGATE_SPOT' }),
  },
  {
    name: 'pulls limited',
    workerType,
    what: 'the registry refuses the image for as many tasks as there are runs, as Docker Hub does: "toomanyrequests"',
    patienceSeconds: 300,
    happen: async (arena, count) => hindered('plain', { how: 'unpulled', reason: TOO_MANY_PULLS, times: count })(arena, count),
  },
  {
    name: 'stopped by a person',
    workerType,
    what: 'a person stops the task of every second run in the console, and wants these runs to stay ended',
    ends: ['COMPLETED', 'CRASHED'],
    untouched: true,
    happen: toRuns(begun, async (arena, ids) => {
      const stopped = ids.filter((_, index) => index % 2 === 0);
      for (const id of stopped) await arena.stopTask(await arena.workerOf(id), 'Not needed any more');
      await arena.release();
    }),
  },
  ...faultsOfBoth(workerType, inFlight),
];
