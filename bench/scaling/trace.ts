/** A flow run as the trace has it. Times are seconds since the trace's start. */
export interface FlowRun {
  readonly expectedStart: number;
  readonly duration: number;
  readonly queue: string;
  readonly deployment: string;
  /** When Prefect's API first knows of it; -Infinity for what a schedule made long before. */
  readonly created: number;
  /** The durations of the runs that it creates when it begins, and that it waits for. */
  readonly children?: readonly number[];
}

/** What Prefect lets start at a time. */
export interface Limits {
  readonly pool?: number;
  readonly deployments?: Readonly<Record<string, number>>;
}

export interface Trace {
  readonly name: string;
  readonly what: string;
  /** Midnight (UTC) at or before the first run, in milliseconds. */
  readonly start: number;
  readonly seconds: number;
  readonly runs: readonly FlowRun[];
  /** Whether every run is known beforehand, so that lateness is nobody's fault but the scaling's. */
  readonly scheduled: boolean;
  readonly limits?: Limits;
}

const DAY = 86_400;

/**
 * A trace from CSV with the columns `expected_start` (ISO 8601, or seconds), `duration` (seconds) and `queue`, in any
 * order. With a column `created`, a run is unknown before that time; without it every run comes from a schedule. With a column
 * `deployment`, runs of one deployment take about as long as those before; without it those of a queue are of one.
 */
export function parseCsv(name: string, text: string): Trace {
  const [header, ...lines] = text.split(/\r?\n/).map(line => line.trim()).filter(line => line !== '');
  const columns = (header ?? '').split(',').map(column => column.trim());
  for (const column of ['expected_start', 'duration', 'queue']) {
    if (!columns.includes(column)) throw new Error(`${name}: the column ${column} is missing; there are ${columns.join(', ') || 'none'}.`);
  }
  const rows = lines.map((line, index) => {
    const cells = line.split(',');
    const cell = (column: string) => cells[columns.indexOf(column)]?.trim() ?? '';
    const number = (column: string, value: number) => {
      if (!Number.isFinite(value) || value < 0) throw new Error(`${name}, line ${index + 2}: ${column} is ${cell(column)}.`);
      return value;
    };
    const queue = cell('queue') || 'default';
    return {
      expected: number('expected_start', time(cell('expected_start'))),
      duration: number('duration', Number(cell('duration'))),
      queue,
      deployment: cell('deployment') || queue,
      created: cell('created') === '' ? -Infinity : number('created', time(cell('created'))),
    };
  });
  const first = rows.reduce((least, { expected }) => Math.min(least, expected), Infinity);
  const start = rows.length === 0 ? 0 : Math.floor(first / DAY) * DAY;
  const runs = rows.map(({ expected, created, ...run }) => ({ expectedStart: expected - start, created: created - start, ...run }));
  const end = runs.reduce((last, run) => Math.max(last, run.expectedStart + run.duration), 0);
  return {
    name,
    what: `${runs.length} runs`,
    start: start * 1000,
    seconds: Math.max(1, Math.ceil(end / DAY)) * DAY,
    runs: sortedByName(runs),
    scheduled: runs.every(run => run.created === -Infinity),
  };
}

export function sortedByName(runs: readonly FlowRun[]): FlowRun[] {
  return runs.slice().sort((a, b) => a.expectedStart - b.expectedStart);
}

function time(text: string): number {
  return /^\d+(\.\d+)?$/.test(text) ? Number(text) : Date.parse(text) / 1000;
}
