import { aggregate } from './metrics';

export type AdjustmentType = 'ChangeInCapacity' | 'ExactCapacity' | 'PercentChangeInCapacity';

export interface StepAdjustment {
  /** Distance from the alarm's threshold; without it the step has no bound on this side. */
  readonly lower?: number;
  readonly upper?: number;
  readonly adjustment: number;
}

export interface StepScalingPolicy {
  readonly kind: 'step';
  readonly id: string;
  readonly adjustmentType: AdjustmentType;
  readonly steps: readonly StepAdjustment[];
  readonly cooldown: number;
  readonly minAdjustmentMagnitude?: number;
  readonly aggregation: 'Average' | 'Minimum' | 'Maximum';
}

/**
 * The step for a breach of this size. Above the threshold the lower bound belongs to the step and the upper one does
 * not; below the threshold it is the other way round.
 *
 * @see https://docs.aws.amazon.com/autoscaling/application/userguide/step-scaling-policy-overview.html
 */
export function stepFor(steps: readonly StepAdjustment[], breach: number): StepAdjustment | undefined {
  return steps.find(({ lower = -Infinity, upper = Infinity }) =>
    (breach >= 0 ? breach >= lower && breach < upper : breach > lower && breach <= upper));
}

/**
 * The capacity after an adjustment, before the scalable target's bounds. A percentage is rounded towards zero, but
 * never to nothing.
 *
 * @see https://docs.aws.amazon.com/autoscaling/application/userguide/step-scaling-policy-overview.html
 */
export function adjusted(policy: StepScalingPolicy, adjustment: number, capacity: number): number {
  switch (policy.adjustmentType) {
    case 'ExactCapacity': return adjustment;
    case 'ChangeInCapacity': return capacity + adjustment;
    case 'PercentChangeInCapacity': {
      const exact = capacity * adjustment / 100;
      const whole = Math.abs(exact) < 1 ? Math.sign(exact) : Math.trunc(exact);
      const least = policy.minAdjustmentMagnitude ?? 0;
      return capacity + (Math.abs(whole) < least ? Math.sign(adjustment) * least : whole);
    }
  }
}

/** The capacity that a policy asks for when its alarm calls it: the data points that set the alarm off, aggregated. */
export function stepCapacity(policy: StepScalingPolicy, threshold: number, dataPoints: readonly number[], capacity: number): number {
  if (dataPoints.length === 0) return capacity;
  const step = stepFor(policy.steps, aggregate(policy.aggregation, dataPoints) - threshold);
  return step === undefined ? capacity : adjusted(policy, step.adjustment, capacity);
}
