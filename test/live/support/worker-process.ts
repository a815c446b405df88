import { readdir, readFile } from 'node:fs/promises';
import { TaskInfo } from '../../stand-in/stand-in';

/** The process of Prefect's worker in a task without flow runs: below the supervisor, where there is one. */
export async function workerProcess({ taskArn }: TaskInfo): Promise<number> {
  const read = (pid: string, file: string) => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '');
  const processes = await Promise.all((await readdir('/proc')).filter(name => /^\d+$/.test(name)).map(async pid => ({
    pid,
    isWorker: (await read(pid, 'cmdline')).includes('\0worker\0start\0') && (await read(pid, 'environ')).includes(`:${taskArn.split('/').pop()}:worker\0`),
    parent: /^\d+ \(.*\) \w (\d+)/s.exec(await read(pid, 'stat'))?.[1],
  })));
  const workers = processes.filter(({ isWorker }) => isWorker);
  const innermost = workers.find(({ pid }) => !workers.some(({ parent }) => parent === pid));
  if (!innermost) throw new Error(`No process of ${taskArn} is a worker.`);
  return Number(innermost.pid);
}
