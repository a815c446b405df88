export interface Bounds {
  readonly min: number;
  readonly max: number;
}

/** What one policy asks for: the new capacity as a function of the capacity that it starts from. */
export interface Request {
  readonly policy: string;
  readonly capacity: (from: number) => number;
  readonly scaleOutCooldown: number;
  readonly scaleInCooldown: number;
}

/**
 * The desired count of a service under Application Auto Scaling, with its cooldowns.
 *
 * After scaling out, a policy adds only what it asks for beyond what it has added already, until its cooldown is over: an
 * alarm that asks for 2 and then for 3 gets 3. After scaling in, nothing scales in until the cooldown is over; scaling out
 * ends that cooldown at once.
 *
 * @see https://docs.aws.amazon.com/autoscaling/application/userguide/step-scaling-policy-overview.html#step-scaling-cooldown
 */
export class ScalableTarget {
  private readonly scaledOut = new Map<string, { readonly from: number; readonly until: number }>();
  private noScaleInUntil = -Infinity;

  constructor(public bounds: Bounds, public desired: number) {
    this.desired = this.clamp(desired);
  }

  /**
   * Several policies at one moment: the largest capacity wins, for scaling out and in.
   *
   * @see https://docs.aws.amazon.com/autoscaling/application/APIReference/API_PutScalingPolicy.html
   */
  public request(now: number, requests: readonly Request[]): void {
    const [winner] = requests.map(request => ({ request, wanted: this.wanted(now, request) })).sort((a, b) => b.wanted - a.wanted);
    if (winner === undefined) return;
    const { request, wanted } = winner;
    if (wanted > this.desired) {
      const running = this.scaledOut.get(request.policy);
      const from = running !== undefined && now < running.until ? running.from : this.desired;
      this.scaledOut.set(request.policy, { from, until: now + request.scaleOutCooldown });
      this.noScaleInUntil = -Infinity;
      this.desired = wanted;
    } else if (wanted < this.desired && now >= this.noScaleInUntil) {
      this.noScaleInUntil = now + request.scaleInCooldown;
      this.desired = wanted;
    }
  }

  /**
   * A scheduled action changes the bounds, and the capacity when it lies outside of them.
   *
   * @see https://docs.aws.amazon.com/autoscaling/application/userguide/scheduled-scaling-policy-overview.html
   */
  public setBounds(bounds: Partial<Bounds>): void {
    this.bounds = { min: bounds.min ?? this.bounds.min, max: bounds.max ?? this.bounds.max };
    this.desired = this.clamp(this.desired);
  }

  private wanted(now: number, { policy, capacity }: Request): number {
    const running = this.scaledOut.get(policy);
    if (running !== undefined && now < running.until) {
      const more = this.clamp(capacity(running.from));
      if (more > this.desired) return more;
      return Math.min(this.desired, this.clamp(capacity(this.desired)));
    }
    return this.clamp(capacity(this.desired));
  }

  private clamp(capacity: number): number {
    return Math.max(this.bounds.min, Math.min(this.bounds.max, capacity));
  }
}
