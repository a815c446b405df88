import { aws_cloudwatch as cloudwatch, aws_logs as logs, Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';

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
      // A filter can't add dimensions of its own, so the worker is part of the namespace.
      metricNamespace: `PrefectFargateWorker/${worker}`,
      metricName: 'LoggedErrors',
      metricValue: '1',
      defaultValue: 0,
    });
    this.errors = filter.metric({ statistic: cloudwatch.Stats.SUM, period: Duration.minutes(5), label: 'Logged errors' });
  }
}
