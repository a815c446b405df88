import { aggregate, metricKey, Statistic } from '../../../bench/scaling/aws/metrics';

export interface Sample {
  /** Seconds since the recording began, as AWS counts them. */
  readonly time: number;
  readonly value: number;
}

export interface LogLine {
  readonly time: string;
  readonly message: string;
}

export interface AlarmNow {
  readonly arn: string;
  /** Its heading in docs/operations.md, and where it is in the app. */
  readonly name: string;
  readonly state: 'OK' | 'ALARM' | 'INSUFFICIENT_DATA';
}

/** A dashboard that was deployed, and all that it has to show. */
export interface Recording {
  readonly widgets: readonly Widget[];
  /** How long it was recorded, as AWS counts seconds, and how much faster its times passed. */
  readonly seconds: number;
  readonly timeScale: number;
  readonly samples: { readonly [metric: string]: readonly Sample[] };
  readonly alarms: readonly AlarmNow[];
  readonly logs: { readonly [logGroup: string]: readonly LogLine[] };
}

/** @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html */
export interface Widget {
  readonly type: 'text' | 'metric' | 'alarm' | 'log';
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly properties: any;
}

/** One metric of a graph, in one of the two forms that a dashboard's body has. */
export interface Plotted {
  readonly key?: string;
  readonly expression?: string;
  readonly id?: string;
  readonly label: string;
  readonly color?: string;
  readonly statistic: Statistic;
  readonly period: number;
  readonly right: boolean;
  readonly visible: boolean;
}

/** The metrics of a graph. What its body leaves out is CloudWatch's default: the average of five minutes. */
export function plotted({ properties }: Widget): Plotted[] {
  return properties.metrics.map((metric: any[]) => {
    const options = typeof metric.at(-1) === 'object' ? metric.at(-1) : {};
    const words: string[] = metric.filter(part => typeof part === 'string');
    const [namespace, name, ...pairs] = words;
    const dimensions = Object.fromEntries(pairs.flatMap((word, index) => (index % 2 === 0 ? [[word, pairs[index + 1]]] : [])));
    return {
      ...words.length > 0 && { key: metricKey(namespace, name, dimensions) },
      expression: options.expression,
      id: options.id,
      label: options.label ?? name ?? '',
      color: options.color,
      statistic: options.stat ?? 'Average',
      period: options.period ?? 300,
      right: options.yAxis === 'right',
      visible: options.visible ?? true,
    };
  });
}

/** The log group that a table asks. */
export function logGroupOf({ properties: { query } }: Widget): string {
  return /^SOURCE '([^']+)'/.exec(query)![1];
}

/** Whether a table is of prices, which the functions log. */
export const isOfCosts = ({ properties }: Widget): boolean => /ispresent\(Cost\)/.test(properties.query);

/** A line's fields, where it is JSON, as CloudWatch Logs finds them. */
export function fieldsOf({ message }: LogLine): Record<string, any> {
  try {
    const fields = JSON.parse(message);
    return typeof fields === 'object' && fields !== null ? fields : {};
  } catch {
    return {};
  }
}

/** The data points of a metric, each at the end of its period; undefined where nothing was measured. */
export function dataPoints(recording: Recording, key: string, statistic: Statistic, period: number): (number | undefined)[] {
  const samples = recording.samples[key] ?? [];
  return Array.from({ length: Math.floor(recording.seconds / period) }, (_, index) => {
    const values = samples.filter(({ time }) => time >= index * period && time < (index + 1) * period).map(({ value }) => value);
    return values.length === 0 ? undefined : aggregate(statistic, values);
  });
}
