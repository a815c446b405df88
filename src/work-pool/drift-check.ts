import { aws_scheduler as scheduler, CfnElement, CustomResource, Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { CheckEvent, WorkPoolConfiguration } from './configuration';
import { PoolFunction } from './pool-function';

export interface DriftCheckProps {
  /** The construct's unique name, as metrics have it. */
  readonly worker: string;
  readonly pools: PoolFunction;
  readonly resource: CustomResource;
  readonly configuration: WorkPoolConfiguration;
}

/**
 * Has the work pool's function look once an hour whether the pool is still as the last deployment left it. CloudFormation looks
 * only at a deployment that changes the pool's settings.
 *
 * A schedule of Amazon EventBridge Scheduler, because a rule's input may not be longer than 8,192 characters.
 */
export class DriftCheck extends Construct {
  constructor(scope: Construct, id: string, { worker, pools, resource, configuration }: DriftCheckProps) {
    super(scope, id);
    const stack = Stack.of(this);
    const input: CheckEvent = {
      check: configuration,
      owner: `${stack.getLogicalId(resource.node.defaultChild as CfnElement)} of ${stack.stackId}`,
      worker,
    };
    // The lowest aws-cdk-lib has no L2 for it.
    const schedule = new scheduler.CfnSchedule(this, 'Schedule', {
      description: 'Looks whether the Prefect work pool is as the stack left it',
      scheduleExpression: 'rate(1 hour)',
      flexibleTimeWindow: { mode: 'FLEXIBLE', maximumWindowInMinutes: 15 },
      target: {
        arn: pools.function.functionArn,
        roleArn: pools.scheduleRole.roleArn,
        input: stack.toJsonString(input),
        // In an hour it looks again.
        retryPolicy: { maximumRetryAttempts: 0 },
      },
    });
    schedule.node.addDependency(resource, pools.scheduleRole);
  }
}
