import { aws_cloudwatch as cloudwatch, aws_events as events, Duration, Stack } from 'aws-cdk-lib';
import { Fields } from './model';

export function metric(name: string, id: string): cloudwatch.Metric {
  return new cloudwatch.Metric({ namespace: 'Plain', metricName: name, dimensionsMap: { WorkPool: id, Worker: 'Plain' }, period: Duration.minutes(1) });
}

/** What an alarm of a template looks at, by the L2 constructs; a metric of its own where it says nothing. */
export function alarmMetric({ Metrics, ...simple }: Fields, id: string): cloudwatch.Metric | cloudwatch.MathExpression {
  if (simple.MetricName) return metricOf(simple, simple.Period, simple.Statistic);
  if (!Metrics) return metric(id, id);
  const [{ Expression: expression, Label: label }, ...used]: Fields[] = Metrics;
  const metrics = used.filter(({ MetricStat }) => MetricStat)
    .map(({ Id, MetricStat: { Metric, Period, Stat } }) => [Id, metricOf(Metric, Period, Stat)]);
  return new cloudwatch.MathExpression({ expression, label, usingMetrics: Object.fromEntries(metrics) });
}

function metricOf({ MetricName: metricName, Namespace: namespace, Dimensions = [] }: Fields, seconds: number, statistic: string): cloudwatch.Metric {
  const dimensionsMap = Object.fromEntries(Dimensions.map(({ Name, Value }: Fields) => [Name, Value]));
  return new cloudwatch.Metric({ namespace, metricName, dimensionsMap, period: Duration.seconds(seconds), statistic });
}

export function patternOf({ 'source': source, 'detail-type': detailType, detail }: Fields): events.EventPattern {
  return { source, detailType, detail };
}

export function inputOf(stack: Stack, { Input, InputTransformer }: Fields): events.RuleTargetInput | undefined {
  if (InputTransformer) return events.RuleTargetInput.fromText(InputTransformer.InputTemplate);
  return Input && { bind: () => ({ input: stack.toJsonString(JSON.parse(Input)) }) };
}

export function variablesOf(environment?: Fields[]): Record<string, string> | undefined {
  return environment && Object.fromEntries(environment.map(({ Name, Value }) => [Name, Value]));
}
