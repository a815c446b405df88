import { aws_cloudwatch as cloudwatch, aws_logs as logs, Duration } from 'aws-cdk-lib';
import { Fields } from './model';

/** A widget of a dashboard's body, by the L2 construct. */
export function widgetOf(widget: Fields, alarms: readonly cloudwatch.IAlarm[], logGroup: logs.ILogGroup): cloudwatch.IWidget {
  const { type, width, height, properties } = widget;
  const size = { width, height, title: properties.title };
  switch (type) {
    case 'text': return new cloudwatch.TextWidget({ ...size, markdown: properties.markdown, background: properties.background });
    case 'alarm': return new cloudwatch.AlarmStatusWidget({ ...size, alarms: properties.alarms.map((_: string, index: number) => alarms[index % alarms.length]), states: properties.states });
    case 'log': return new cloudwatch.LogQueryWidget({
      ...size,
      logGroupNames: [logGroup.logGroupName],
      queryString: properties.query.replace(/^SOURCE '[^']*' \| /, ''),
      view: cloudwatch.LogQueryVisualizationType.TABLE,
    });
  }
  const [left, right] = metricsOf(properties.metrics);
  const { view, stacked, yAxis } = properties;
  return view === 'singleValue'
    ? new cloudwatch.SingleValueWidget({ ...size, metrics: left })
    : new cloudwatch.GraphWidget({ ...size, left, right, stacked, leftYAxis: yAxis?.left, rightYAxis: yAxis?.right });
}

/** Rows of a graph: namespace, name, dimensions, options; or an expression with the rows that it is made of. */
function metricsOf(rows: readonly any[][]): [cloudwatch.IMetric[], cloudwatch.IMetric[]] {
  const parsed = rows.map(row => ({
    names: row.filter(cell => typeof cell !== 'object'),
    options: row.find(cell => typeof cell === 'object') ?? {},
  }));
  const metric = ({ names, options }: typeof parsed[number]) => metricOf(names, options);
  const hidden = parsed.filter(({ options }) => options.id && options.visible === false);
  const shown = parsed.filter(row => !hidden.includes(row)).map(row => {
    const { expression, label, period, yAxis } = row.options;
    const used = hidden.filter(({ options }) => expression?.includes(options.id));
    return {
      yAxis,
      metric: expression === undefined ? metric(row) : new cloudwatch.MathExpression({
        expression, label, period: Duration.seconds(period ?? 300), usingMetrics: Object.fromEntries(used.map(one => [one.options.id, metric(one)])),
      }),
    };
  });
  const on = (side: boolean) => shown.filter(({ yAxis }) => (yAxis === 'right') === side).map(one => one.metric);
  return [on(false), on(true)];
}

function metricOf([namespace, metricName, ...rest]: string[], { label, period = 300, stat: statistic, color }: Fields): cloudwatch.Metric {
  const dimensionsMap = Object.fromEntries(rest.flatMap((name, index) => index % 2 === 0 ? [[name, rest[index + 1]]] : []));
  return new cloudwatch.Metric({ namespace, metricName, label, color, statistic, dimensionsMap, period: Duration.seconds(period) });
}
