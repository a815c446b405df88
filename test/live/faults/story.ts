import { Arena } from './arena';

interface Event {
  readonly at: number;
  readonly what: string;
}

/** All that is known of a run, in the order of time: its states, what it wrote down, and its tasks, with what those said that failed. */
export async function story(arena: Arena, id: string): Promise<string> {
  const tasks = (await arena.live.standIn.tasks()).filter(({ tags }) => tags.some(({ value }) => value === id));
  const events: Event[] = [];
  const tell = (at: string | number | undefined, what: string) => { if (at !== undefined) events.push({ at: new Date(at).getTime(), what }); };

  const states = await arena.live.prefect.call<{ timestamp: string; name: string; message: string | null }[]>('GET', `/flow_run_states/?flow_run_id=${id}`);
  for (const { timestamp, name, message } of states) tell(timestamp, `${name}: ${message}`);
  for (const { process, started, ended, cleanedUp } of await arena.evidence(id)) {
    for (const [what, at] of Object.entries({ started, ended, cleanedUp })) tell(at && at * 1000, `process ${process} ${what}`);
  }
  const words: string[] = [];
  for (const { taskArn, startedAt, stoppingAt, stoppedAt, stopCode, stoppedReason, containers } of tasks) {
    const name = `task ${taskArn.split('/').pop()}`;
    const codes = containers.map(({ exitCode }) => exitCode);
    tell(startedAt, `${name} started`);
    tell(stoppingAt, `${name} told to stop: ${stopCode}`);
    tell(stoppedAt, `${name} stopped: ${stoppedReason}, exit code ${codes.join()}`);
    if (codes.some(code => code !== 0)) words.push(`  ${name} said last:`, (await arena.live.standIn.containerLog(taskArn, 'prefect')).slice(-3000));
  }
  events.sort((one, other) => one.at - other.at);
  return [id, ...events.map(({ at, what }) => `  ${new Date(at).toISOString()} ${what}`), ...words].join('\n');
}
