import { aws_logs as logs } from 'aws-cdk-lib';
import { Construct } from 'constructs';

/** Counts the errors that the worker and its flow runs log. */
export function loggedErrors(scope: Construct, id: string, logGroup: logs.ILogGroup, worker: string): logs.MetricFilter {
  return new logs.MetricFilter(new Construct(scope, id), 'Errors', {
    logGroup,
    filterPattern: logs.FilterPattern.any(
      logs.FilterPattern.stringValue('$.levelname', '=', 'ERROR'),
      logs.FilterPattern.stringValue('$.levelname', '=', 'CRITICAL'),
    ),
    metricNamespace: namespaceOf(worker),
    metricName: 'LoggedErrors',
    metricValue: '1',
    defaultValue: 0,
  });
}

/** A filter can't add dimensions of its own, so the worker is part of the namespace. */
function namespaceOf(worker: string): string {
  return `PrefectFargateWorker/${worker}`;
}
