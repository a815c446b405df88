import { FlowRun } from '../trace';

/** A flow run and what has become of it. */
export interface TrackedRun extends FlowRun {
  state: 'Scheduled' | 'Pending' | 'Running' | 'Completed' | 'Lost';
  /** When it first came to be Running. */
  started?: number;
  ended?: number;
}

/** The runs of a work pool, as Prefect's API knows them. */
export class Pool {
  public readonly runs: readonly TrackedRun[];
  /** In the order of their expected start. */
  private readonly waiting: TrackedRun[];
  private readonly held = new Set<TrackedRun>();

  constructor(runs: readonly FlowRun[]) {
    this.runs = runs.map(run => ({ ...run, state: 'Scheduled' as const }));
    this.waiting = this.runs.slice();
  }

  /**
   * Runs that are due before a time and that nobody has taken, the earliest first.
   *
   * @see https://docs.prefect.io/v3/api-ref/rest-api/server/work-pools/get-scheduled-flow-runs
   */
  public scheduled(now: number, before: number, queues: readonly string[] | undefined, limit = Infinity): TrackedRun[] {
    const runs: TrackedRun[] = [];
    for (const run of this.waiting) {
      if (run.expectedStart > before || runs.length >= limit) break;
      if (run.created <= now && takes(queues, run)) runs.push(run);
    }
    return runs;
  }

  public count(state: 'Pending' | 'Running', queues: readonly string[] | undefined): number {
    return [...this.held].filter(run => run.state === state && takes(queues, run)).length;
  }

  /** Runs that are due and not finished. */
  public demand(now: number): number {
    return this.scheduled(now, now, undefined).length + [...this.held].filter(run => run.expectedStart <= now).length;
  }

  public take(run: TrackedRun): void {
    this.waiting.splice(this.waiting.indexOf(run), 1);
    this.held.add(run);
    run.state = 'Pending';
  }

  public start(run: TrackedRun, now: number): void {
    run.state = 'Running';
    run.started ??= now;
  }

  public end(run: TrackedRun, state: 'Completed' | 'Lost', now: number): void {
    this.held.delete(run);
    run.state = state;
    run.ended = now;
  }

  /** Back to the queue: the supervisor's hand-over when its task has to go. */
  public handBack(run: TrackedRun): void {
    this.held.delete(run);
    run.state = 'Scheduled';
    const later = this.waiting.findIndex(({ expectedStart }) => expectedStart > run.expectedStart);
    this.waiting.splice(later < 0 ? this.waiting.length : later, 0, run);
  }

  public get finished(): boolean {
    return this.waiting.length === 0 && this.held.size === 0;
  }
}

function takes(queues: readonly string[] | undefined, run: FlowRun): boolean {
  return queues === undefined || queues.includes(run.queue);
}
