import { createHash } from 'node:crypto';

const MODULUS = 2_147_483_647;

/** Random numbers that are the same for the same seed (Park and Miller's generator). */
export class Random {
  private state: number;

  constructor(seed: number) {
    // Hashed, because this generator is linear: what neighbouring seeds draw would differ by the same amount every time.
    this.state = 1 + createHash('sha256').update(`${seed}`).digest().readUInt32BE() % (MODULUS - 1);
  }

  /** From 0 to 1, without the 1. */
  public next(): number {
    this.state = this.state * 48_271 % MODULUS;
    return this.state / MODULUS;
  }

  public uniform(from: number, to: number): number {
    return from + (to - from) * this.next();
  }

  public exponential(mean: number): number {
    return -Math.log(1 - this.next()) * mean;
  }

  public lognormal(median: number, sigma: number): number {
    const normal = Math.sqrt(-2 * Math.log(1 - this.next())) * Math.cos(2 * Math.PI * this.next());
    return median * Math.exp(sigma * normal);
  }

  public pick<T>(values: readonly T[]): T {
    return values[Math.floor(this.next() * values.length)];
  }
}
