import { AlarmRule } from './alarm';

export interface TargetTrackingPolicy {
  readonly kind: 'target-tracking';
  readonly id: string;
  readonly metric: 'ECSServiceAverageCPUUtilization' | 'ECSServiceAverageMemoryUtilization';
  readonly target: number;
  readonly scaleOutCooldown: number;
  readonly scaleInCooldown: number;
  readonly disableScaleIn: boolean;
}

/**
 * The two alarms that target tracking makes for itself: three minutes above the target add tasks, fifteen minutes below
 * nine tenths of it take tasks away. Missing data does nothing.
 *
 * @see https://docs.aws.amazon.com/autoscaling/application/userguide/target-tracking-scaling-policy-overview.html
 */
export function alarmsOf(policy: TargetTrackingPolicy): { readonly high: AlarmRule; readonly low: AlarmRule } {
  const rule = (comparison: AlarmRule['comparison'], threshold: number, periods: number): AlarmRule =>
    ({ comparison, threshold, evaluationPeriods: periods, datapointsToAlarm: periods, missingData: 'missing' });
  return { high: rule('GreaterThanThreshold', policy.target, 3), low: rule('LessThanThreshold', 0.9 * policy.target, 15) };
}

/**
 * The capacity that brings the metric to its target, in proportion; rounded up, so that neither too little is added nor
 * too much taken away.
 *
 * @see https://docs.aws.amazon.com/autoscaling/application/userguide/target-tracking-scaling-policy-overview.html
 */
export function trackedCapacity(policy: TargetTrackingPolicy, metric: number, capacity: number): number {
  return Math.ceil(capacity * metric / policy.target);
}
