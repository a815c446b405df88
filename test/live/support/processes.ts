import { readdir, readFile } from 'node:fs/promises';
import { constants } from 'node:os';
import { TaskInfo } from '../../stand-in/stand-in';

export interface Process {
  readonly pid: number;
  readonly variables: Map<string, string>;
  /** Id of the flow run that it executes. */
  readonly flowRun?: string;
}

const read = (pid: number, file: string) => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '');

async function status(pid: number): Promise<{ readonly state?: string; readonly parent?: string }> {
  return /^\d+ \(.*\) (?<state>\w) (?<parent>\d+)/s.exec(await read(pid, 'stat'))?.groups ?? {};
}

/** Whether a process was stopped and has not been continued. */
export async function standsStill(pid: number): Promise<boolean> {
  return (await status(pid)).state === 'T';
}

/** Whether a process handles SIGTERM, which ends it until it does. */
export async function handlesTermination(pid: number): Promise<boolean> {
  const [, caught] = /^SigCgt:\s*([0-9a-f]+)/m.exec(await read(pid, 'status')) ?? [];
  return caught !== undefined && Math.floor(Number.parseInt(caught.slice(-8), 16) / 2 ** (constants.signals.SIGTERM - 1)) % 2 === 1;
}

/** All processes of this machine with their environment. */
export async function environments(): Promise<Process[]> {
  const processes = await Promise.all((await readdir('/proc')).filter(name => /^\d+$/.test(name)).map(Number).map(async pid => {
    const lines = (await read(pid, 'environ')).split('\0');
    const variables = new Map(lines.map(line => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)] as const));
    return { pid, variables, flowRun: variables.get('PREFECT__FLOW_RUN_ID') };
  }));
  return processes.filter(({ variables }) => variables.size > 1);
}

/** The processes that execute a run: in the task of an ECS worker's run, its command's, `prefect flow-run execute` and the flow's own. */
export async function processesOfRun(run: string): Promise<Process[]> {
  return (await environments()).filter(({ flowRun }) => flowRun === run);
}

/** The processes of a task's containers. */
export async function processesOf({ taskArn }: TaskInfo): Promise<Process[]> {
  const id = taskArn.split('/').pop()!;
  return (await environments()).filter(({ variables }) => variables.get('STAND_IN_OWNER')?.includes(`:${id}:`));
}

/** The process of Prefect's worker in a task: below the supervisor, where there is one. */
export async function workerProcess(task: TaskInfo): Promise<number> {
  const processes = await Promise.all((await processesOf(task)).map(async ({ pid }) => ({
    pid,
    isWorker: (await read(pid, 'cmdline')).includes('\0worker\0start\0'),
    parent: Number((await status(pid)).parent),
  })));
  const workers = processes.filter(({ isWorker }) => isWorker);
  const innermost = workers.find(({ pid }) => !workers.some(({ parent }) => parent === pid));
  if (!innermost) throw new Error(`No process of ${task.taskArn} is a worker.`);
  return innermost.pid;
}

export function killNow(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended in the meantime.
  }
}
