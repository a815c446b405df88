import { CompositeAlarm, MetricAlarm } from '@aws-sdk/client-cloudwatch';
import { AlarmNow, dataPoints, Recording } from './recording';
import { alarmRule, AlarmState, evaluate, evaluationRange } from '../../../bench/scaling/aws/alarm';
import { metricKey, Statistic } from '../../../bench/scaling/aws/metrics';
import { evaluateMath, Series } from '../../../test/support/metric-math';

type Measured = Omit<Recording, 'alarms' | 'widgets' | 'logs'>;

/** The states of deployed alarms at the end of a recording: the stand-in keeps alarms, and CloudWatch's rules are in bench/scaling. */
export function alarmsNow(measured: Measured, metricAlarms: readonly MetricAlarm[], compositeAlarms: readonly CompositeAlarm[]): AlarmNow[] {
  const states = new Map<string, AlarmState>(metricAlarms.map(alarm => [alarm.AlarmArn!, stateOf(alarm, measured as Recording)]));
  for (const { AlarmArn, AlarmRule: rule } of compositeAlarms) {
    const arns = [...rule!.matchAll(/ALARM\("([^"]+)"\)/g)].map(([, arn]) => arn);
    states.set(AlarmArn!, arns.some(arn => states.get(arn) === 'ALARM') ? 'ALARM' : 'OK');
  }
  return [...metricAlarms, ...compositeAlarms]
    .filter(({ AlarmDescription }) => /operations\.md#/.test(AlarmDescription ?? ''))
    .map(({ AlarmArn, AlarmName }) => ({ arn: AlarmArn!, name: /Alarms([A-Za-z]+?)[0-9A-F]{8}/.exec(AlarmName!)?.[1] ?? AlarmName!, state: states.get(AlarmArn!)! }));
}

/** After all periods, one after the other. */
function stateOf(alarm: MetricAlarm, recording: Recording): AlarmState {
  const rule = alarmRule(alarm);
  const period = alarm.Period ?? alarm.Metrics!.map(({ MetricStat }) => MetricStat?.Period).find(found => found)!;
  const periods = Math.floor(recording.seconds / period);
  let state: AlarmState = 'INSUFFICIENT_DATA';
  for (let now = 1; now <= periods; now++) {
    const range = (series: Series) => series.slice(Math.max(0, now - evaluationRange(rule)), now);
    state = evaluate(rule, seriesOf(alarm, recording, period, range), state).state;
  }
  return state;
}

function seriesOf(alarm: MetricAlarm, recording: Recording, period: number, range: (series: Series) => Series): Series {
  const points = (namespace?: string, name?: string, dimensions: { Name?: string; Value?: string }[] = [], statistic?: string) => range(dataPoints(
    recording, metricKey(namespace!, name!, Object.fromEntries(dimensions.map(({ Name, Value }) => [Name!, Value!]))), statistic as Statistic, period,
  ));
  if (!alarm.Metrics?.length) return points(alarm.Namespace, alarm.MetricName, alarm.Dimensions, alarm.Statistic);
  const expression = alarm.Metrics.find(({ Expression }) => Expression)!.Expression!;
  return evaluateMath(expression, Object.fromEntries(alarm.Metrics.filter(({ MetricStat }) => MetricStat).map(({ Id, MetricStat }) =>
    [Id!, points(MetricStat!.Metric!.Namespace, MetricStat!.Metric!.MetricName, MetricStat!.Metric!.Dimensions, MetricStat!.Stat)])));
}
