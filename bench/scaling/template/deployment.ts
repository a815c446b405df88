import { AlarmRule } from '../aws/alarm';
import { Statistic } from '../aws/metrics';
import { Bounds } from '../aws/scalable-target';
import { Schedule } from '../aws/schedule';
import { CapacityProviders } from '../aws/service';
import { StepScalingPolicy } from '../aws/step-scaling';
import { TargetTrackingPolicy } from '../aws/target-tracking';
import { PublisherSettings } from '../prefect/publisher';
import { WorkerSettings } from '../prefect/worker';

export type Policy = StepScalingPolicy | TargetTrackingPolicy;

export interface Alarm {
  readonly rule: AlarmRule;
  readonly metric: string;
  readonly statistic: Statistic;
  readonly period: number;
  /** Ids of the policies that it calls. */
  readonly policies: readonly string[];
}

export interface ScheduledAction {
  readonly schedule: Schedule;
  readonly bounds: Partial<Bounds>;
}

/** What the simulator plays: everything that a template says about scaling, and nothing else. */
export interface Deployment {
  readonly bounds: Bounds;
  readonly desired: number;
  readonly policies: readonly Policy[];
  readonly alarms: readonly Alarm[];
  readonly scheduledActions: readonly ScheduledAction[];
  readonly publisher?: PublisherSettings;
  readonly worker: WorkerSettings;
  readonly capacity: CapacityProviders;
  readonly workerType?: 'ecs' | 'process';
}
