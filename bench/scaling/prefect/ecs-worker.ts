import { pollInterval } from './poll-interval';
import { TrackedRun } from './pool';
import { API_LIMIT, PREFETCH_SECONDS, Surroundings } from './worker';
import { startUpSeconds } from '../aws/fargate';
import { Billed, Container } from '../aws/service';

/**
 * Submissions run beside each other, and the worker's CPU begins so many a minute. How long one takes, in seconds, is RunTask's answer.
 * Measured with the official command on a busy machine (`npm run bench:ecs-worker`); two workers of a pool are hardly faster than one, and here twice as fast.
 */
const SUBMISSION = { aMinute: 278, least: 0.35, most: 0.9, cpuSeconds: 0.07 };

/** What the worker holds: 165 to 290 MiB of 2,048. */
const MEMORY_PERCENT = 10;

const CHILDREN_SECONDS = 5;

/**
 * An ECS worker: each flow run is a Fargate task of its own, which starts anew and is billed from its launch to its end.
 *
 * @see prefect_aws/workers/ecs_worker.py
 */
export class EcsWorker implements Container {
  public readonly isProtected = false;
  private polls = false;
  private free = -Infinity;
  private readonly submitted: number[] = [];

  constructor(private readonly around: Surroundings, private readonly queues: readonly string[] | undefined, private readonly tasks: Billed[]) {}

  /** CPU and memory in percent, over the last minute. */
  public get load(): { readonly cpu: number; readonly memory: number } {
    const { now } = this.around.clock;
    while (this.submitted[0] <= now - 60) this.submitted.shift();
    return { cpu: 2 + 100 * this.submitted.length * SUBMISSION.cpuSeconds / 60, memory: MEMORY_PERCENT };
  }

  public start(): void {
    this.polls = true;
    this.poll();
  }

  /** Its tasks go on without it. */
  public terminate(ended: () => void): void {
    this.polls = false;
    ended();
  }

  private poll(): void {
    if (!this.polls) return;
    const { clock, random, pool, conditions } = this.around;
    if (random.next() >= conditions.failedPolls) {
      for (const run of pool.claimable(clock.now, clock.now + PREFETCH_SECONDS, this.queues, API_LIMIT)) {
        if (pool.take(run, run, clock.now)) this.submit(run);
      }
    }
    clock.in(pollInterval(random), () => this.poll());
  }

  private submit(run: TrackedRun): void {
    const { clock, random, pool, conditions } = this.around;
    this.free = Math.max(this.free, clock.now) + 60 / SUBMISSION.aMinute;
    clock.at(this.free + random.uniform(SUBMISSION.least, SUBMISSION.most), () => {
      this.submitted.push(clock.now);
      const task: Billed = { launched: clock.now };
      this.tasks.push(task);
      const finish = () => {
        if (run.offspring?.some(({ ended }) => ended === undefined)) {
          clock.in(CHILDREN_SECONDS, finish);
          return;
        }
        pool.end(run, 'Completed', clock.now);
        task.stopped = clock.now;
      };
      clock.at(Math.max(run.due, clock.now + startUpSeconds(random, conditions)), () => {
        pool.start(run, clock.now);
        clock.in(run.duration, finish);
      });
    });
  }
}
