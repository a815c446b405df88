import { aws_applicationautoscaling as appscaling, aws_ecs as ecs, Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { ScalingPlan } from './plan';
import { isResolved } from '../private/validation';

export interface ScalingProps {
  readonly service: ecs.FargateService;
  readonly plan: ScalingPlan;
}

/**
 * The bounds of the number of workers, in AWS Application Auto Scaling, which changes them at times and keeps the service between them.
 * Within them the demand publisher sets the number itself (src/demand/desired-count.ts), where it isn't fixed.
 *
 * @see https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-scheduled-scaling.html
 */
export class Scaling extends Construct {
  public readonly target: ecs.ScalableTaskCount;

  constructor(scope: Construct, id: string, private readonly props: ScalingProps) {
    super(scope, id);
    const { service, plan } = props;

    this.target = service.autoScaleTaskCount({ minCapacity: plan.min, maxCapacity: plan.max });

    plan.schedules.forEach((schedule, index) => {
      this.target.scaleOnSchedule(`Start${index}`, {
        schedule: schedule.start, timeZone: schedule.timeZone, minCapacity: schedule.minWorkers, maxCapacity: schedule.maxWorkers ?? plan.max,
      });
      this.target.scaleOnSchedule(`End${index}`, { schedule: schedule.end, timeZone: schedule.timeZone, minCapacity: plan.min, maxCapacity: plan.max });
    });
    scope.node.addValidation({ validate: () => this.policiesWithoutRoom() });
  }

  /** What users add to the number of workers moves it between its bounds only. */
  private policiesWithoutRoom(): string[] {
    const { min, max } = this.props.plan;
    const target = this.target.node.findChild('Target');
    const { scheduledActions } = target.node.defaultChild as appscaling.CfnScalableTarget;
    const policies = target.node.children
      .filter(({ node }) => node.findAll().some(child => child instanceof appscaling.CfnScalingPolicy));
    if (policies.length === 0 || !isResolved(min) || min !== max || Stack.of(this).resolve(scheduledActions)?.length) return [];
    return [`scalableTaskCount has the policy ${policies[0].node.id}, and scaling.minWorkers and scaling.maxWorkers are both ${min}, so that it can change nothing: raise scaling.maxWorkers.`];
  }
}
