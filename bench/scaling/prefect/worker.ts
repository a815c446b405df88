import { Container } from '../aws/service';
import { Clock } from '../clock';
import { Random } from '../random';
import { Pool, TrackedRun } from './pool';

/** The defaults of PREFECT_WORKER_QUERY_SECONDS, PREFECT_WORKER_PREFETCH_SECONDS and PREFECT_API_DEFAULT_LIMIT. */
const QUERY_SECONDS = 10;
const PREFETCH_SECONDS = 10;
const API_LIMIT = 200;

/** Polls are at most 1.3 intervals apart, and at least as much that the median stays the distribution's. */
const LONGEST = 1.3;
const SHORTEST = Math.log2(Math.pow(2, LONGEST) / (Math.pow(2, LONGEST) - 1));

/**
 * The time between two polls of a worker: 7.5 to 13 s, from an exponential distribution that is cut off on both sides.
 *
 * @see prefect/utilities/math.py, clamped_poisson_interval() and prefect/workers/base.py, start()
 */
export function pollInterval(random: Random): number {
  const chance = (multiple: number) => 1 - Math.exp(-multiple);
  return -Math.log(1 - random.uniform(chance(SHORTEST), chance(LONGEST))) * QUERY_SECONDS;
}

/** Seconds from Pending to Running of a flow run that is due: a Python process that imports Prefect. */
const PROCESS_START = { least: 2, most: 4 };

export interface WorkerSettings {
  readonly flowRunLimit: number;
  readonly queues?: readonly string[];
  /** Whether a supervisor protects the task while it holds runs, and hands them back when it has to go. */
  readonly supervised: boolean;
}

/**
 * A PROCESS worker: polls, takes what is due within the prefetch time as long as it has slots, and runs it.
 * A slot is taken from then on; the run itself begins at its expected start at the earliest.
 *
 * @see prefect/workers/base.py, get_and_submit_flow_runs()
 */
export class Worker implements Container {
  public readonly holds = new Set<TrackedRun>();
  private alive = false;

  constructor(
    private readonly clock: Clock,
    private readonly random: Random,
    private readonly pool: Pool,
    private readonly settings: WorkerSettings,
    /** Called when the last of its runs has ended. */
    private readonly idle: () => void,
  ) {}

  public get isProtected(): boolean {
    return this.settings.supervised && this.holds.size > 0;
  }

  public start(): void {
    this.alive = true;
    this.poll();
  }

  /** Without a supervisor the run processes die with their worker, and the API shows them Running for ever. */
  public terminate(): void {
    this.alive = false;
    for (const run of this.holds) {
      if (this.settings.supervised) this.pool.handBack(run);
      else this.pool.end(run, 'Lost', this.clock.now);
    }
    this.holds.clear();
  }

  private poll(): void {
    if (!this.alive) return;
    const free = this.settings.flowRunLimit - this.holds.size;
    const due = this.pool.scheduled(this.clock.now, this.clock.now + PREFETCH_SECONDS, this.settings.queues, API_LIMIT);
    for (const run of due.slice(0, free)) this.take(run);
    this.clock.in(pollInterval(this.random), () => this.poll());
  }

  private take(run: TrackedRun): void {
    this.pool.take(run);
    this.holds.add(run);
    const starts = Math.max(run.expectedStart, this.clock.now + this.random.uniform(PROCESS_START.least, PROCESS_START.most));
    this.clock.at(starts, () => {
      if (!this.holds.has(run)) return;
      this.pool.start(run, this.clock.now);
      this.clock.in(run.duration, () => this.finish(run));
    });
  }

  private finish(run: TrackedRun): void {
    if (!this.holds.delete(run)) return;
    this.pool.end(run, 'Completed', this.clock.now);
    if (this.holds.size === 0) this.idle();
  }
}
