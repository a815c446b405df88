import { readFile } from 'node:fs/promises';

/** One execution of a flow run's code, as the flow itself wrote it down. */
export interface Execution {
  /** Seconds since the epoch. */
  readonly started: number;
  readonly process: number;
  /** When the flow came to its end. */
  ended?: number;
  /** When it was interrupted and could clean up. */
  cleanedUp?: number;
  /** Tasks that have come to their end, by their numbers. */
  readonly tasks: string[];
}

export async function readEvidence(file: string): Promise<Execution[]> {
  const executions: Execution[] = [];
  for (const line of (await readFile(file, 'utf8').catch(() => '')).split('\n').filter(Boolean)) {
    const [what, time, process] = line.split(' ');
    if (what === 'start') executions.push({ started: Number(time), process: Number(process), tasks: [] });
    const execution = executions.filter(candidate => candidate.process === Number(process)).pop();
    if (what === 'end' && execution) execution.ended = Number(time);
    if (what.startsWith('did:')) execution?.tasks.push(what);
    if (what === 'cleanup' && execution) execution.cleanedUp = Number(time);
  }
  return executions;
}
