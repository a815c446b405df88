import { Template } from 'aws-cdk-lib/assertions';
import { evaluateMath, Series } from './metric-math';
import { resource } from './worker';
import { alarmRule, AlarmState, evaluate, evaluationRange } from '../../bench/scaling/aws/alarm';
import { aggregate, Statistic } from '../../bench/scaling/aws/metrics';

/** What is measured in a minute: by the metric's id where the alarm does maths, by its name where not. */
export type Minute = Readonly<Record<string, number | undefined>>;

/** `count` minutes in which the same is measured; nothing without `minute`. */
export function minutes(count: number, minute: Minute = {}): Minute[] {
  return Array.from({ length: count }, () => minute);
}

/** A synthesized alarm, held against data as CloudWatch does. */
export class Alarm {
  private readonly properties: any;
  private readonly measured: Minute[] = [];
  public state: AlarmState = 'INSUFFICIENT_DATA';

  /** @param seconds how long what stands for a minute is, where the alarm's period is long */
  constructor(template: Template, name: string, private readonly seconds = 60) {
    this.properties = resource(template, 'AWS::CloudWatch::Alarm', new RegExp(`ObservabilityAlarms${name}[0-9A-F]{8}$`)).Properties;
  }

  public get description(): string {
    return this.properties.AlarmDescription;
  }

  /** The state after some more minutes; the alarm is looked at after each. */
  public after(more: readonly Minute[]): AlarmState {
    const rule = alarmRule(this.properties);
    for (const minute of more) {
      this.measured.push(minute);
      this.state = evaluate(rule, this.series(evaluationRange(rule)), this.state).state;
    }
    return this.state;
  }

  /** The data points of the last `count` periods that are over: maths, too, sees no more. */
  private series(count: number): Series {
    const { Metrics, MetricName, Statistic: statistic, Period } = this.properties;
    if (!Metrics) return this.dataPoints(MetricName, statistic, Period, count);
    const [{ Expression }] = Metrics.filter((query: any) => query.ReturnData !== false);
    const stats = Metrics.filter((query: any) => query.MetricStat);
    const points = stats.map(({ Id, MetricStat: { Stat, Period: period } }: any) => [Id, this.dataPoints(Id, Stat, period, count)]);
    return evaluateMath(Expression, Object.fromEntries(points));
  }

  private dataPoints(key: string, statistic: Statistic, period: number, count: number): Series {
    const length = period / this.seconds;
    const over = Math.floor(this.measured.length / length);
    const first = Math.max(0, over - count);
    return Array.from({ length: over - first }, (_, index) => {
      const minutesOfPeriod = this.measured.slice((first + index) * length, (first + index + 1) * length);
      const values = minutesOfPeriod.map(minute => minute[key]).filter(value => value !== undefined);
      return values.length === 0 ? undefined : aggregate(statistic, values);
    });
  }
}
