import { aws_iam as iam, aws_lambda as lambda, aws_scheduler as scheduler, CfnElement, CustomResource, Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { CheckEvent, WorkPoolConfiguration } from './configuration';

export interface DriftCheckProps {
  readonly fn: lambda.IFunction;
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
  constructor(scope: Construct, id: string, { fn, resource, configuration }: DriftCheckProps) {
    super(scope, id);
    const stack = Stack.of(this);
    const role = new iam.Role(this, 'Role', {
      description: 'Lets the hourly look at the Prefect work pool start its function',
      assumedBy: new iam.ServicePrincipal('scheduler.amazonaws.com', { conditions: { StringEquals: { 'aws:SourceAccount': stack.account } } }),
    });
    // grantInvoke() would admit every version of the function, too.
    role.addToPolicy(new iam.PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [fn.functionArn] }));

    const input: CheckEvent = { check: configuration, owner: `${stack.getLogicalId(resource.node.defaultChild as CfnElement)} of ${stack.stackId}` };
    // The lowest aws-cdk-lib has no L2 for it.
    const schedule = new scheduler.CfnSchedule(this, 'Schedule', {
      description: 'Looks whether the Prefect work pool is as the stack left it',
      scheduleExpression: 'rate(1 hour)',
      flexibleTimeWindow: { mode: 'FLEXIBLE', maximumWindowInMinutes: 15 },
      target: {
        arn: fn.functionArn,
        roleArn: role.roleArn,
        input: stack.toJsonString(input),
        // In an hour it looks again.
        retryPolicy: { maximumRetryAttempts: 0 },
      },
    });
    schedule.node.addDependency(resource, role);
  }
}
