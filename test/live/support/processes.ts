import { readdir, readFile } from 'node:fs/promises';

export interface Process {
  readonly pid: number;
  readonly variables: Map<string, string>;
}

/** All processes of this machine with their environment. */
export async function environments(): Promise<Process[]> {
  const processes = await Promise.all((await readdir('/proc')).filter(name => /^\d+$/.test(name)).map(async name => {
    const text = await readFile(`/proc/${name}/environ`, 'utf8').catch(() => '');
    const variables = new Map(text.split('\0').map(line => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)] as const));
    return { pid: Number(name), variables };
  }));
  return processes.filter(({ variables }) => variables.size > 1);
}

export async function parentOf(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[1]);
}

export function killNow(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended in the meantime.
  }
}
