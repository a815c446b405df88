import { aws_iam as iam, aws_logs as logs } from 'aws-cdk-lib';
import { Construct } from 'constructs';

/** Sends all of a log group to somewhere by its ARN; with a role where the destination asks for one. */
export function subscribe(scope: Construct, id: string, logGroup: logs.ILogGroup, arn: string, role?: iam.IRole): logs.SubscriptionFilter {
  return new logs.SubscriptionFilter(scope, id, {
    logGroup,
    filterPattern: logs.FilterPattern.allEvents(),
    destination: { bind: () => ({ arn, role }) },
  });
}
