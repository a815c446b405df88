import { Container } from '../aws/service';
import { Clock } from '../clock';
import { Conditions } from '../conditions';
import { Random } from '../random';
import { pollInterval } from './poll-interval';
import { Pool, TrackedRun } from './pool';
import { Processes } from './processes';
import { Protection, SUPERVISOR } from './supervisor';
import { SOON_SECONDS } from '../../../src/demand/new-desired-count';

/** The defaults of PREFECT_WORKER_PREFETCH_SECONDS and PREFECT_API_DEFAULT_LIMIT. */
export const PREFETCH_SECONDS = 10;
export const API_LIMIT = 200;

/** The defaults of ECS: from SIGTERM to SIGKILL. */
const STOP_TIMEOUT_SECONDS = 30;

/** How often a parent looks whether its children have ended. */
const CHILDREN_SECONDS = 5;

export interface WorkerSettings {
  readonly flowRunLimit: number;
  readonly queues?: readonly string[];
  /** Whether a supervisor protects the task while it holds runs, and hands them back when it has to go. */
  readonly supervised: boolean;
  readonly vcpu: number;
}

/** What a worker has around it. */
export interface Surroundings {
  readonly clock: Clock;
  readonly random: Random;
  readonly pool: Pool;
  readonly conditions: Conditions;
  /** Whether ECS takes a request for protection. */
  readonly takesProtection: (container: Container) => boolean;
  /** Called when a task is no longer protected. */
  readonly unprotected: () => void;
}

/**
 * A PROCESS worker: polls, takes what is due within the prefetch time as long as it has slots, and runs it.
 * A slot is taken from then on; the run itself begins at its expected start at the earliest, when its process is up.
 *
 * @see prefect/workers/base.py, get_and_submit_flow_runs()
 */
export class Worker implements Container {
  public readonly holds = new Set<TrackedRun>();
  private readonly protection: Protection;
  private readonly processes: Processes;
  private polls = false;
  private emptied?: () => void;

  constructor(private readonly around: Surroundings, private readonly settings: WorkerSettings) {
    this.protection = new Protection(around.clock, { accepted: () => around.takesProtection(this), ended: around.unprotected });
    this.processes = new Processes(around.clock, settings.vcpu);
  }

  public get isProtected(): boolean {
    return this.settings.supervised && this.protection.holds();
  }

  /** Whether it has flow runs, and ECS might take it in a moment. */
  public get isExposed(): boolean {
    return this.holds.size > 0 && !this.protection.holds(SOON_SECONDS);
  }

  public start(): void {
    this.polls = true;
    this.poll();
  }

  /**
   * A supervised worker lets its runs go on for a while and hands back what is left. Without a supervisor the run processes die with
   * their worker, and the API shows them Running for ever.
   */
  public terminate(ended: () => void): void {
    this.polls = false;
    const { clock, pool } = this.around;
    let over = false;
    const end = () => {
      if (!over) ended();
      over = true;
    };
    if (this.holds.size === 0) return end();
    this.emptied = end;
    clock.in(this.settings.supervised ? SUPERVISOR.drainSeconds + SUPERVISOR.cleanupSeconds : STOP_TIMEOUT_SECONDS, () => {
      for (const run of this.holds) {
        if (this.settings.supervised) pool.handBack(run, clock.now);
        else pool.end(run, 'Lost', clock.now);
      }
      this.holds.clear();
      end();
    });
  }

  private poll(): void {
    if (!this.polls) return;
    const { clock, random, pool, conditions } = this.around;
    if (random.next() >= conditions.failedPolls) {
      const free = this.settings.flowRunLimit - this.holds.size;
      const due = pool.claimable(clock.now, clock.now + PREFETCH_SECONDS, this.settings.queues, Math.min(API_LIMIT, free));
      for (const run of due) this.take(run);
    }
    clock.in(pollInterval(random), () => this.poll());
  }

  private take(run: TrackedRun): void {
    const { clock, random, pool, conditions } = this.around;
    if (!pool.take(run, this, clock.now)) return;
    this.holds.add(run);
    this.protection.update(true);
    const tries = run.handBacks;
    const still = () => this.holds.has(run) && run.handBacks === tries;
    this.processes.start(conditions.processStart * random.uniform(0.8, 1.2), () => clock.at(run.due, () => {
      if (!still()) return;
      pool.start(run, clock.now);
      clock.in(run.duration, () => this.finish(run, still));
    }));
  }

  private finish(run: TrackedRun, still: () => boolean): void {
    const { clock, pool } = this.around;
    if (!still()) return;
    if (run.offspring?.some(({ ended }) => ended === undefined)) {
      clock.in(CHILDREN_SECONDS, () => this.finish(run, still));
      return;
    }
    this.holds.delete(run);
    pool.end(run, 'Completed', clock.now);
    if (this.holds.size > 0) return;
    this.protection.update(false);
    this.emptied?.();
  }
}
