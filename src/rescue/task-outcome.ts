import type { FargateSize } from '../private/fargate-sizes';
import { STACK_IS_DELETED, STOPPED_BY_RECONCILER } from '../private/stop-reasons';

/** How a task's end began. */
export interface Stop {
  readonly stopCode?: string;
  readonly reason: string;
}

/** What ECS says of the task that executes a flow run. */
export type TaskOutcome =
  | { readonly task: 'unknown' }
  /** There is none, although the run was claimed. */
  | { readonly task: 'none' }
  /** `stopping` where it has been told to stop; `maxRunTime` in seconds where it has a limit. */
  | {
    readonly task: 'starting' | 'running';
    readonly arn: string;
    readonly spot: boolean;
    readonly created?: Date;
    readonly started?: Date;
    readonly maxRunTime?: number;
    readonly stopping?: Stop;
  }
  /** ECS has forgotten it, or it has stopped. */
  | Stop & { readonly task: 'stopped'; readonly created?: Date; readonly at?: Date; readonly spot: boolean; readonly size?: FargateSize };

export type StoppedTask = Extract<TaskOutcome, { task: 'stopped' }>;
export type LivingTask = Extract<TaskOutcome, { arn: string }>;

/** The last one is what Prefect's worker says, which cancels flow runs. */
const STOPPED_BY_PROGRAM = new RegExp(`^(${STOPPED_BY_RECONCILER}|${STACK_IS_DELETED}|Stopped by Prefect worker)`);

/** The reason of whoever pressed Stop, or called StopTask. */
export function stoppedByPerson(outcome: TaskOutcome): string | undefined {
  const stop = 'arn' in outcome ? outcome.stopping : outcome.task === 'stopped' ? outcome : undefined;
  return stop?.stopCode === 'UserInitiated' && !STOPPED_BY_PROGRAM.test(stop.reason) ? stop.reason : undefined;
}
