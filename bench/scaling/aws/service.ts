import { DELAYS } from './delays';
import { SPOT_WARNING_SECONDS, spotLifetimeSeconds } from './fargate';
import { Clock } from '../clock';
import { Random } from '../random';

/** What runs in a task, as far as ECS is concerned. */
export interface Container {
  /** Whether the task is protected from scale-in. */
  readonly isProtected: boolean;
  start(): void;
  /** SIGTERM: of a Spot task with its warning, otherwise when ECS stops it. Tells when all its processes have ended. */
  terminate(ended: () => void): void;
}

/** A task of the service, or of a flow run. */
export interface Billed {
  readonly launched: number;
  stopped?: number;
}

export interface Task extends Billed {
  readonly container: Container;
  readonly spot: boolean;
  readonly startUp: number;
  ready: boolean;
  stopping: boolean;
}

/** How tasks are shared out between on demand and Spot. */
export interface CapacityProviders {
  readonly onDemandBase: number;
  readonly onDemandWeight: number;
  readonly spotWeight: number;
}

/**
 * An ECS service on Fargate that keeps to its desired count. A task that is protected from scale-in stays; the others go
 * first, and this one when its protection ends or lapses and there still are too many.
 *
 * @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-scale-in-protection.html
 */
export class Service {
  public readonly tasks: Task[] = [];
  private desired = 0;

  constructor(
    private readonly clock: Clock,
    private readonly random: Random,
    private readonly capacity: CapacityProviders,
    private readonly startUp: () => number,
    private readonly newContainer: () => Container,
  ) {}

  public get alive(): Task[] {
    return this.tasks.filter(task => !task.stopping);
  }

  public get ready(): Task[] {
    return this.alive.filter(task => task.ready);
  }

  /**
   * Whether one more task may be protected: ECS answers DEPLOYMENT_BLOCKED where more would be than it is to keep.
   *
   * @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-scale-in-protection.html
   */
  public takesProtection(container: Container): boolean {
    return this.alive.filter(task => task.container !== container && task.container.isProtected).length < this.desired;
  }

  /** Brings the number of tasks to the desired count, as far as protection allows. */
  public reconcile(desired: number): void {
    this.desired = desired;
    const alive = this.alive;
    for (let count = alive.length; count < desired; count++) this.launch();
    const free = alive.filter(({ container }) => !container.isProtected);
    for (let surplus = alive.length - desired; surplus > 0 && free.length > 0; surplus--) {
      // Which one is ECS's choice (it balances the zones).
      const [task] = free.splice(Math.floor(this.random.next() * free.length), 1);
      this.stop(task);
    }
  }

  private launch(): void {
    const spot = this.takesSpot();
    const task: Task = {
      launched: this.clock.now, container: this.newContainer(), spot, startUp: this.startUp(), ready: false, stopping: false,
    };
    this.tasks.push(task);
    this.clock.in(task.startUp, () => {
      if (task.stopping) return;
      task.ready = true;
      task.container.start();
    });
    if (spot) this.clock.in(spotLifetimeSeconds(this.random), () => this.interrupt(task));
  }

  /** The base is on demand; beyond it the provider that is furthest behind its weight gets the task. */
  private takesSpot(): boolean {
    const { onDemandBase, onDemandWeight, spotWeight } = this.capacity;
    if (spotWeight === 0) return false;
    const spot = this.alive.filter(task => task.spot).length;
    const onDemand = this.alive.length - spot;
    if (onDemand < onDemandBase) return false;
    return onDemandWeight === 0 || spot * onDemandWeight <= (onDemand - onDemandBase) * spotWeight;
  }

  /** A task is billed until its processes have ended and a little longer. */
  private stop(task: Task): void {
    task.stopping = true;
    task.container.terminate(() => { task.stopped = this.clock.now + DELAYS.endOfTask; });
  }

  /** ECS launches another one at once, while this one still has its two minutes. */
  private interrupt(task: Task): void {
    if (task.stopping) return;
    task.stopping = true;
    task.container.terminate(() => {});
    this.clock.in(SPOT_WARNING_SECONDS, () => { task.stopped = this.clock.now; });
    this.reconcile(this.desired);
  }
}
