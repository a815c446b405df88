import { aws_cloudwatch as cloudwatch, aws_logs as logs, Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { WORK_POOL_CHANGED } from '../work-pool/configuration';

/** Counts the errors that the worker and its flow runs log. */
export class LogMetrics extends Construct {
  public readonly errors: cloudwatch.Metric;

  constructor(scope: Construct, id: string, logGroup: logs.ILogGroup, worker: string) {
    super(scope, id);
    const filter = new logs.MetricFilter(this, 'Errors', {
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
    this.errors = filter.metric({ statistic: cloudwatch.Stats.SUM, period: Duration.minutes(5), label: 'Logged errors' });
  }
}

/** Is 1 in an hour in which a look at the work pool found it changed. */
export function workPoolChanges(scope: Construct, id: string, logGroup: logs.ILogGroup, worker: string): cloudwatch.Metric {
  const filter = new logs.MetricFilter(scope, id, {
    logGroup,
    filterPattern: logs.FilterPattern.allTerms(WORK_POOL_CHANGED),
    metricNamespace: namespaceOf(worker),
    metricName: 'WorkPoolChanges',
    metricValue: '1',
  });
  return filter.metric({ statistic: cloudwatch.Stats.MAXIMUM, period: Duration.hours(1) });
}

/** A filter can't add dimensions of its own, so the worker is part of the namespace. */
function namespaceOf(worker: string): string {
  return `PrefectFargateWorker/${worker}`;
}
