import { aws_ecs as ecs, Annotations, Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { invalid, known, requireWholeNumber } from '../private/validation';
import { WorkerType } from '../worker-type';
import { ScalingOptions } from './scaling-options';

/** The bounds between which the number of workers moves. */
export interface WorkerCount {
  readonly min: number;
  readonly max: number;
}

/** The bounds with their defaults; throws when they contradict each other. */
export function workerCount(options: ScalingOptions = {}): WorkerCount {
  requireWholeNumber('scaling.minWorkers', options.minWorkers, 0);
  requireWholeNumber('scaling.maxWorkers', options.maxWorkers, 1);
  const min = options.minWorkers ?? 2;
  const max = options.maxWorkers ?? (known(min) ? Math.max(10, min) : 10);
  if (known(min) && known(max) && min > max) {
    throw invalid('scaling.minWorkers', min, `it is above scaling.maxWorkers, which is ${max}; lower the one or raise the other.`);
  }
  return { min, max };
}

export interface ScalingProps {
  readonly service: ecs.FargateService;
  readonly workerType: WorkerType;
  readonly count: WorkerCount;
  readonly options?: ScalingOptions;
}

/** Adds ECS workers when those that are there are busy. */
export class Scaling extends Construct {
  constructor(scope: Construct, id: string, props: ScalingProps) {
    super(scope, id);

    if (props.workerType === WorkerType.PROCESS) {
      // Taking away a PROCESS worker would end the flow runs in it, so their number stays.
      if (props.options?.maxWorkers !== undefined && props.options.maxWorkers !== props.count.min) {
        Annotations.of(scope).addWarningV2('cdk-prefect-fargate-worker:fixedCount',
          `scaling.maxWorkers has no effect on a PROCESS worker yet: there are always scaling.minWorkers (${props.count.min}) of them.`);
      }
      return;
    }
    const target = props.service.autoScaleTaskCount({ minCapacity: props.count.min, maxCapacity: props.count.max });
    const cooldowns = { scaleInCooldown: Duration.minutes(5), scaleOutCooldown: Duration.minutes(2) };
    target.scaleOnCpuUtilization('Cpu', { targetUtilizationPercent: 70, ...cooldowns });
    target.scaleOnMemoryUtilization('Memory', { targetUtilizationPercent: 80, ...cooldowns });
  }
}
