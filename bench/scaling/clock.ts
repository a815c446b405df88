interface Event {
  readonly time: number;
  /** Events of the same second happen in the order in which they were planned. */
  readonly order: number;
  readonly happen: () => void;
}

const before = (a: Event, b: Event) => a.time < b.time || (a.time === b.time && a.order < b.order);

/** Simulated seconds, and what is going to happen in them (a binary heap). */
export class Clock {
  public now: number;
  private readonly heap: Event[] = [];
  private planned = 0;

  constructor(start: number) {
    this.now = start;
  }

  /** Plans something; what is planned for the past happens now. */
  public at(time: number, happen: () => void): void {
    const event = { time: Math.max(time, this.now), order: this.planned++, happen };
    let index = this.heap.push(event) - 1;
    while (index > 0) {
      const parent = Math.floor((index - 1) / 2);
      if (!before(event, this.heap[parent])) break;
      this.heap[index] = this.heap[parent];
      index = parent;
    }
    this.heap[index] = event;
  }

  public in(seconds: number, happen: () => void): void {
    this.at(this.now + seconds, happen);
  }

  /** Happens at `first` and then again and again. */
  public every(seconds: number, first: number, happen: () => void): void {
    this.at(first, () => {
      happen();
      this.every(seconds, first + seconds, happen);
    });
  }

  public run(until: number): void {
    while (this.heap.length > 0 && this.heap[0].time <= until) {
      const event = this.pop();
      this.now = event.time;
      event.happen();
    }
    this.now = until;
  }

  private pop(): Event {
    const [first] = this.heap;
    const last = this.heap.pop()!;
    if (this.heap.length === 0) return first;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= this.heap.length) break;
      if (child + 1 < this.heap.length && before(this.heap[child + 1], this.heap[child])) child++;
      if (!before(this.heap[child], last)) break;
      this.heap[index] = this.heap[child];
      index = child;
    }
    this.heap[index] = last;
    return first;
  }
}
