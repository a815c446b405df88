import { aws_applicationautoscaling as appscaling, aws_cloudwatch as cloudwatch, aws_ecs as ecs, Duration, Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { ScalingPlan } from './plan';
import { Demand } from '../demand/demand';
import { known } from '../private/validation';

export interface ScalingProps {
  readonly service: ecs.FargateService;
  readonly demand: Demand;
  readonly plan: ScalingPlan;
}

/** The most steps that a step scaling policy may have. */
const MOST_STEPS = 20;

/** The policies that follow demand. */
const OURS = ['Missing', 'Surplus'];

/** The shortest period of an alarm: it is raised seconds after the poll, and need not wait for the end of its minute. */
const MISSING_PERIOD = Duration.seconds(10);

/**
 * Keeps as many workers as there is demand for, between the bounds, with AWS Application Auto Scaling; where their number is fixed, that.
 *
 * @see https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-step-scaling-policies.html
 */
export class Scaling extends Construct {
  public readonly target: ecs.ScalableTaskCount;

  constructor(scope: Construct, id: string, private readonly props: ScalingProps) {
    super(scope, id);
    const { service, demand, plan } = props;

    this.target = service.autoScaleTaskCount({ minCapacity: plan.min, maxCapacity: plan.max });
    if (demand.countsWorkers) this.followDemand();

    plan.schedules.forEach((schedule, index) => {
      this.target.scaleOnSchedule(`Start${index}`, {
        schedule: schedule.start, timeZone: schedule.timeZone, minCapacity: schedule.minWorkers, maxCapacity: schedule.maxWorkers ?? plan.max,
      });
      this.target.scaleOnSchedule(`End${index}`, { schedule: schedule.end, timeZone: schedule.timeZone, minCapacity: plan.min, maxCapacity: plan.max });
    });
    scope.node.addValidation({ validate: () => this.policiesWithoutRoom() });
  }

  /** Adds in one step what is missing, and takes away what has been too much for some minutes. */
  private followDemand(): void {
    const { target, props: { demand, plan } } = this;
    const most = known(plan.max) ? plan.max : MOST_STEPS;

    target.scaleOnMetric('Missing', {
      metric: demand.metric('MissingWorkers', { period: MISSING_PERIOD, statistic: cloudwatch.Stats.MAXIMUM }),
      scalingSteps: steps(most, (_, last) => last),
      evaluationPeriods: 1,
      // Until a later poll has seen what was added, the metric shows the old number; within the cooldown only more than that is added.
      cooldown: Duration.seconds(30),
    });
    // Between two polls there is no data: nothing more to add, and no state of its own for those who watch their alarms.
    const { upperAlarm } = target.node.findChild('Target').node.findChild('Missing') as appscaling.StepScalingPolicy;
    (upperAlarm!.node.defaultChild as cloudwatch.CfnAlarm).treatMissingData = cloudwatch.TreatMissingData.NOT_BREACHING;
    target.scaleOnMetric('Surplus', {
      metric: demand.metric('SurplusWorkers', { statistic: cloudwatch.Stats.MINIMUM }),
      scalingSteps: steps(most, first => -first),
      evaluationPeriods: plan.scaleInMinutes,
      // A minute later the alarm may still show what has been taken away already.
      cooldown: Duration.minutes(2),
    });
  }

  /** What users add to the number of workers moves it between its bounds only. */
  private policiesWithoutRoom(): string[] {
    const { min, max } = this.props.plan;
    const target = this.target.node.findChild('Target');
    const { scheduledActions } = target.node.defaultChild as appscaling.CfnScalableTarget;
    const policies = target.node.children
      .filter(({ node }) => !OURS.includes(node.id) && node.findAll().some(child => child instanceof appscaling.CfnScalingPolicy));
    if (policies.length === 0 || !known(min) || min !== max || Stack.of(this).resolve(scheduledActions)?.length) return [];
    return [`scalableTaskCount has the policy ${policies[0].node.id}, and scaling.minWorkers and scaling.maxWorkers are both ${min}, so that it can change nothing: raise scaling.maxWorkers.`];
  }
}

/** A step for each number of workers up to the most, or for as many at a time as make few enough steps: `change(first, last)` of them. */
function steps(most: number, change: (first: number, last: number) => number): appscaling.ScalingInterval[] {
  const width = Math.ceil(most / MOST_STEPS);
  const count = Math.max(2, Math.ceil(most / width));
  return Array.from({ length: count }, (_, index) => {
    const first = index * width + 1;
    return { lower: first, change: change(first, Math.min(most, first + width - 1)) };
  });
}
