import { Clock } from '../clock';

interface Start {
  /** CPU seconds that are left. */
  left: number;
  readonly started: () => void;
}

/** The processes of a worker that are starting: each needs CPU seconds, they share the vCPU, and one alone uses no more than one. */
export class Processes {
  private readonly starting = new Set<Start>();
  private since: number;
  private plan = 0;

  constructor(private readonly clock: Clock, private readonly vcpu: number) {
    this.since = clock.now;
  }

  public start(cpuSeconds: number, started: () => void): void {
    this.advance();
    this.starting.add({ left: cpuSeconds, started });
    this.next();
  }

  private get speed(): number {
    return Math.min(1, this.vcpu / this.starting.size);
  }

  private advance(): void {
    const done = (this.clock.now - this.since) * this.speed;
    for (const start of this.starting) start.left -= done;
    this.since = this.clock.now;
  }

  private next(): void {
    if (this.starting.size === 0) return;
    const plan = ++this.plan;
    const least = Math.min(...[...this.starting].map(({ left }) => left));
    this.clock.in(Math.max(0, least) / this.speed, () => {
      if (plan !== this.plan) return;
      this.advance();
      for (const start of [...this.starting].filter(({ left }) => left <= 1e-6)) {
        this.starting.delete(start);
        start.started();
      }
      this.next();
    });
  }
}
