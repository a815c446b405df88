import { documentsOf } from './documents';
import type { Resolver } from './intrinsics';
import { asArray, ofType } from './template';

/** A place that asks for a metric: an alarm, a scaling policy, a widget. */
export interface MetricUse {
  readonly logicalId: string;
  readonly namespace: string;
  readonly name: string;
  readonly statistic?: string;
  readonly period?: number;
  readonly dimensions: Readonly<Record<string, string>>;
}

/** Every place of the template that asks for a metric. */
export function metricUses(resolver: Resolver): MetricUse[] {
  const { template } = resolver;
  const single = (logicalId: string, { Namespace, MetricName, Dimensions, Statistic, ExtendedStatistic, Stat, Period }: any): MetricUse[] =>
    MetricName === undefined
      ? []
      : [
        {
          logicalId,
          namespace: Namespace,
          name: MetricName,
          statistic: Statistic ?? ExtendedStatistic ?? Stat,
          period: Period,
          dimensions: Object.fromEntries(asArray<any>(Dimensions).map(({ Name, Value }) => [Name, String(Value)])),
        },
      ];
  const queries = (logicalId: string, metrics: any) =>
    asArray<any>(metrics).flatMap(({ MetricStat }) => (MetricStat ? single(logicalId, { ...MetricStat, ...MetricStat.Metric }) : []));
  return [
    ...ofType(template, 'AWS::CloudWatch::Alarm').flatMap(([id, { Properties = {} }]) => {
      const alarm = resolver.resolve(Properties);
      return [...single(id, alarm), ...queries(id, alarm.Metrics)];
    }),
    ...ofType(template, 'AWS::ApplicationAutoScaling::ScalingPolicy').flatMap(([id, { Properties = {} }]) => {
      const custom = resolver.resolve(Properties.TargetTrackingScalingPolicyConfiguration)?.CustomizedMetricSpecification ?? {};
      return [...single(id, custom), ...queries(id, custom.Metrics)];
    }),
    ...documentsOf(resolver).documents.flatMap(({ logicalId, value }) =>
      asArray<any>(value.widgets).flatMap(({ properties = {} }) => rows(properties.metrics ?? []).flatMap((row) => fromRow(logicalId, row))),
    ),
  ];
}

/** A widget's rows, `.` and `...` filled in from the row above. */
export function rows(metrics: unknown[][]): unknown[][] {
  let above: unknown[] = [];
  return metrics.map((row) => {
    const cells =
      row[0] === '...' ? [...above.slice(0, above.filter((cell) => typeof cell === 'string').length - (row.length - 1)), ...row.slice(1)] : row;
    const whole = cells.map((cell, column) => (cell === '.' ? above[column] : cell));
    if (typeof whole[0] === 'string') above = whole;
    return whole;
  });
}

function fromRow(logicalId: string, row: unknown[]): MetricUse[] {
  const options: any = row.find((cell) => typeof cell === 'object') ?? {};
  const cells = row.filter((cell): cell is string => typeof cell === 'string');
  const dimensions = (pairs: string[]) => Object.fromEntries(pairs.flatMap((name, index) => (index % 2 === 0 ? [[name, pairs[index + 1]]] : [])));
  if (cells.length > 0) {
    return [
      { logicalId, namespace: cells[0], name: cells[1], statistic: options.stat, period: options.period, dimensions: dimensions(cells.slice(2)) },
    ];
  }
  // SEARCH('{Namespace,"Dimension"} MetricName="Name" "Dimension"="value"', 'Sum', 300)
  return [...String(options.expression ?? '').matchAll(/SEARCH\('\{([^,}]+)[^}]*\}([^']*)'/g)].map(([, namespace, terms]) => {
    const pairs = [...terms.matchAll(/"?([\w ]+?)"?="([^"]*)"/g)].map(([, key, value]) => [key.trim(), value]);
    const name = pairs.find(([key]) => key === 'MetricName')?.[1] ?? '';
    return { logicalId, namespace, name, dimensions: Object.fromEntries(pairs.filter(([key]) => key !== 'MetricName')) };
  });
}
