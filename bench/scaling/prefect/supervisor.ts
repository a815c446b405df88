import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Clock } from '../clock';

const SOURCES = ['supervisor.py', 'protection.py'];
const PROGRAM = SOURCES.map(file => readFileSync(join(__dirname, '..', '..', '..', 'src', 'task', file), 'utf8')).join('\n');

/** The numbers of the supervisor that runs in a worker's task, from its own program. */
export const SUPERVISOR = {
  protectionSeconds: 60 * constant(/"WORKER_PROTECTION_MINUTES", "([\d.]+)"/),
  pauseSeconds: constant(/^PAUSE_SECONDS = ([\d.]+)/m),
  lingerSeconds: constant(/^LINGER_SECONDS = ([\d.]+)/m),
  drainSeconds: constant(/"WORKER_DRAIN_SECONDS", "([\d.]+)"/),
  cleanupSeconds: constant(/^CLEANUP_SECONDS = ([\d.]+)/m),
};

function constant(pattern: RegExp): number {
  const value = Number(pattern.exec(PROGRAM)?.[1]);
  if (!Number.isFinite(value)) throw new Error(`${SOURCES.join(' and ')} of src/task have no ${pattern}: the simulator plays what it says.`);
  return value;
}

/** What a task asks ECS for. */
export interface Protecting {
  /** Whether ECS takes the request. */
  readonly accepted: () => boolean;
  /** Called when the task is no longer protected. */
  readonly ended: () => void;
}

/**
 * Protection from scale-in as the supervisor asks for it: for a stretch while runs are in flight, then not for a pause in which ECS
 * may take the task, so that a deployment doesn't wait for ever for a worker that is always busy.
 *
 * @see src/task/protection.py, Protection.update()
 */
export class Protection {
  private until = -Infinity;
  private idleSince = 0;
  private notBefore = -Infinity;
  private busy = false;
  private planned?: number;

  constructor(private readonly clock: Clock, private readonly ecs: Protecting) {}

  /** Whether it does as many seconds from now. */
  public holds(seconds = 0): boolean {
    return this.clock.now + seconds < this.until;
  }

  public update(busy: boolean): void {
    if (this.busy && !busy) this.idleSince = this.clock.now;
    this.busy = busy;
    this.act();
  }

  private act(): void {
    const { clock: { now }, until, notBefore } = this;
    if (now < notBefore) {
      this.again(notBefore);
    } else if (this.busy) {
      if (now < until) return;
      if (now < until + SUPERVISOR.pauseSeconds) {
        this.again(until + SUPERVISOR.pauseSeconds);
      } else if (this.ecs.accepted()) {
        this.protect();
      } else {
        this.again(this.notBefore = now + SUPERVISOR.lingerSeconds);
      }
    } else if (now < until) {
      if (now < this.idleSince + SUPERVISOR.lingerSeconds) {
        this.again(this.idleSince + SUPERVISOR.lingerSeconds);
      } else {
        this.until = -Infinity;
        this.ecs.ended();
      }
    }
  }

  private protect(): void {
    const until = this.until = this.clock.now + SUPERVISOR.protectionSeconds;
    this.clock.at(until, () => {
      if (this.until !== until) return;
      this.ecs.ended();
      this.act();
    });
  }

  private again(at: number): void {
    if (this.planned === at) return;
    this.planned = at;
    this.clock.at(at, () => {
      if (this.planned === at) this.planned = undefined;
      this.act();
    });
  }
}
