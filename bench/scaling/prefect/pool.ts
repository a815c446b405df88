import type { ChildRun } from '../../../src/demand/child-runs';
import { LAST_RUNS, PastRun } from '../../../src/demand/run-times';
import { FlowRun, Limits } from '../trace';

/** A flow run and what has become of it. */
export interface TrackedRun extends FlowRun {
  state: 'Scheduled' | 'Pending' | 'Running' | 'Completed' | 'Lost';
  /** When it is due next: later than expected where a limit has sent it back. */
  due: number;
  /** Whether a limit has sent it back. */
  sentBack: boolean;
  /** Who holds it. */
  holder?: object;
  /** When it first came to be Running, and when it did so last. */
  started?: number;
  running?: number;
  ended?: number;
  /** How often its worker was taken away under it. */
  handBacks: number;
  /** Seconds that it ran in vain. */
  wasted: number;
  /** Whether another run has created it. */
  readonly isChild: boolean;
  /** Those that it has created. */
  offspring?: readonly TrackedRun[];
}

/** A run that Prefect sends back because its deployment is at its limit is due again after as many seconds. */
const SENT_BACK_SECONDS = 30;

/** Children are created one after the other, as many a second. */
const CHILDREN_A_SECOND = 10;

/** The runs of a work pool, as Prefect's API knows them. */
export class Pool {
  public readonly runs: TrackedRun[];
  /** The names of the work queues. */
  public readonly queues: ReadonlySet<string>;
  public readonly held = new Set<TrackedRun>();
  /** In the order in which they are due. */
  private readonly waiting: TrackedRun[];
  private readonly slots = new Map<string, number>();
  private readonly ended = new Map<string, number[]>();
  /** The last completed runs of each deployment, in the order in which they were due. */
  private readonly completed = new Map<string, TrackedRun[]>();

  constructor(runs: readonly FlowRun[], public readonly limits: Limits = {}) {
    this.runs = runs.map(run => tracked(run));
    this.waiting = this.runs.slice();
    this.queues = new Set(['default', ...runs.map(({ queue }) => queue)]);
  }

  /**
   * Runs that are due before a time and that nobody has taken, the earliest first.
   *
   * @see https://docs.prefect.io/v3/api-ref/rest-api/server/work-pools/get-scheduled-flow-runs
   */
  public scheduled(now: number, before: number, queues: readonly string[] | undefined, limit = Infinity): TrackedRun[] {
    const runs: TrackedRun[] = [];
    for (const run of this.waiting) {
      if (run.due > before || runs.length >= limit) break;
      if (run.created <= now && takes(queues, run)) runs.push(run);
    }
    return runs;
  }

  /** What a worker is given: no more than the pool's limit lets start. */
  public claimable(now: number, before: number, queues: readonly string[] | undefined, limit: number): TrackedRun[] {
    return this.scheduled(now, before, queues, Math.min(limit, Math.max(0, (this.limits.pool ?? Infinity) - this.held.size)));
  }

  /** Pending and running ones. */
  public active(queues?: readonly string[]): TrackedRun[] {
    return [...this.held].filter(run => takes(queues, run));
  }

  /** Runs of a deployment that hold its slots. */
  public slotsTaken(deployment: string): number {
    return this.slots.get(deployment) ?? 0;
  }

  /** Runs that are due and not finished. */
  public demand(now: number): number {
    let [low, high] = [0, this.waiting.length];
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (this.waiting[middle].due <= now) low = middle + 1;
      else high = middle;
    }
    return low + [...this.held].filter(run => run.expectedStart <= now).length;
  }

  /** How long the last runs of a deployment took, the newest first. */
  public durations(deployment: string): readonly number[] {
    return this.ended.get(deployment) ?? [];
  }

  /** The last runs of a deployment, and what they created, as Prefect tells them. */
  public families(deployment: string): { readonly parents: readonly PastRun[]; readonly children: readonly ChildRun[] } {
    const parents = this.completed.get(deployment) ?? [];
    return {
      parents: parents.map((run, index) => ({ id: `${index}`, started: run.started! * 1000 })),
      children: parents.flatMap((run, index) => (run.offspring ?? []).map(({ expectedStart, duration }) => (
        { parent: `${index}`, expected: expectedStart * 1000, seconds: duration }))),
    };
  }

  /** Whether the one who takes it may keep it: a run over its deployment's limit is sent back. */
  public take(run: TrackedRun, holder: object, now: number): boolean {
    this.waiting.splice(this.waiting.indexOf(run), 1);
    if (this.slotsTaken(run.deployment) >= (this.limits.deployments?.[run.deployment] ?? Infinity)) {
      run.due = now + SENT_BACK_SECONDS;
      run.sentBack = true;
      this.wait(run);
      return false;
    }
    this.held.add(run);
    this.slots.set(run.deployment, this.slotsTaken(run.deployment) + 1);
    run.state = 'Pending';
    run.holder = holder;
    return true;
  }

  public start(run: TrackedRun, now: number): void {
    run.state = 'Running';
    run.started ??= now;
    run.running = now;
    run.offspring ??= (run.children ?? []).map((duration, index) => {
      const expectedStart = now + (index + 1) / CHILDREN_A_SECOND;
      return tracked({ expectedStart, duration, queue: run.queue, deployment: `${run.deployment}-child`, created: expectedStart }, true);
    });
    if (run.running === run.started) {
      for (const child of run.offspring) {
        this.runs.push(child);
        this.wait(child);
      }
    }
  }

  public end(run: TrackedRun, state: 'Completed' | 'Lost', now: number): void {
    this.release(run);
    if (run.running !== undefined && state === 'Completed') {
      this.ended.set(run.deployment, [now - run.running, ...this.durations(run.deployment)].slice(0, 50));
    }
    if (state === 'Lost') this.interrupted(run, now);
    else this.complete(run);
    run.state = state;
    run.ended = now;
  }

  /** Back to the queue: the supervisor's hand-over when its task has to go. */
  public handBack(run: TrackedRun, now: number): void {
    this.release(run);
    this.interrupted(run, now);
    run.state = 'Scheduled';
    run.due = Math.max(run.due, now);
    run.running = undefined;
    this.wait(run);
  }

  public get finished(): boolean {
    return this.waiting.length === 0 && this.held.size === 0;
  }

  private complete(run: TrackedRun): void {
    const runs = this.completed.get(run.deployment) ?? [];
    const later = runs.findIndex(({ expectedStart }) => expectedStart > run.expectedStart);
    runs.splice(later < 0 ? runs.length : later, 0, run);
    this.completed.set(run.deployment, runs.slice(-LAST_RUNS));
  }

  private release(run: TrackedRun): void {
    if (this.held.delete(run)) this.slots.set(run.deployment, this.slotsTaken(run.deployment) - 1);
  }

  private interrupted(run: TrackedRun, now: number): void {
    run.handBacks++;
    run.wasted += run.running === undefined ? 0 : now - run.running;
    run.holder = undefined;
  }

  private wait(run: TrackedRun): void {
    const later = this.waiting.findIndex(({ due }) => due > run.due);
    this.waiting.splice(later < 0 ? this.waiting.length : later, 0, run);
  }
}

function tracked(run: FlowRun, isChild = false): TrackedRun {
  return { ...run, state: 'Scheduled', due: run.expectedStart, sentBack: false, handBacks: 0, wasted: 0, isChild };
}

function takes(queues: readonly string[] | undefined, run: FlowRun): boolean {
  return queues === undefined || queues.includes(run.queue);
}
