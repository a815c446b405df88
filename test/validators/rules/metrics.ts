import { DIMENSIONS, METRICS } from './known-names';
import { asArray, ofType } from '../template';
import type { Template } from '../types';

const STATISTICS = ['SampleCount', 'Average', 'Sum', 'Minimum', 'Maximum', 'IQM'];
/** https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html */
const FUNCTIONS = [
  'ABS', 'ANOMALY_DETECTION_BAND', 'AVG', 'CEIL', 'DATAPOINT_COUNT', 'DB_PERF_INSIGHTS', 'DIFF', 'DIFF_TIME', 'FILL', 'FIRST', 'LAST', 'FLOOR', 'IF', 'INSIGHT_RULE_METRIC', 'LAMBDA',
  'LOG', 'LOG10', 'MAX', 'METRIC_COUNT', 'METRICS', 'MIN', 'MINUTE', 'HOUR', 'DAY', 'DATE', 'MONTH', 'YEAR', 'EPOCH', 'PERIOD', 'RATE', 'REMOVE_EMPTY', 'RUNNING_SUM', 'SEARCH', 'SERVICE_QUOTA',
  'SLICE', 'SORT', 'STDDEV', 'SUM', 'TIME_SERIES',
];
const NUMBER = '\\d{1,2}(\\.\\d+)?|100';
const EXTENDED = new RegExp(`^((p|tm|wm|tc|ts)(${NUMBER})|(TM|WM|TC|TS|PR)\\([\\d.%]*:[\\d.%]*\\))$`);

/** Metrics that the template's metric filters publish. */
export function publishedBy(template: Template): Set<string> {
  return new Set(ofType(template, 'AWS::Logs::MetricFilter').flatMap(([, { Properties = {} }]) =>
    asArray<any>(Properties.MetricTransformations).map((metric) => `${metric.MetricNamespace} ${metric.MetricName}`)));
}

/** What is wrong with the names of a metric's dimensions. */
export function dimensionFault(namespace: unknown, dimensions: unknown[]): string | undefined {
  const known = DIMENSIONS[String(namespace)];
  const given = dimensions.map(String).sort().join(', ');
  return known && !known.some((names) => names.join(', ') === given)
    ? `${namespace} keeps no metrics with the dimensions (${given}). Correct them, or add them to known-names.ts.`
    : undefined;
}

/** What is wrong with the name of a metric; `published` are names that the template itself publishes. */
export function metricFault(namespace: unknown, name: unknown, published: Set<string> = new Set()): string | undefined {
  if (typeof namespace !== 'string' || typeof name !== 'string') {
    return undefined;
  }
  if (published.has(`${namespace} ${name}`)) {
    return undefined;
  }
  if (!(namespace in METRICS)) {
    return `Nothing is known to publish metrics in the namespace ${namespace}. Correct it, or add it to known-names.ts.`;
  }
  const known = METRICS[namespace];
  return !known.includes(name) ? `Nothing publishes the metric ${name} in ${namespace}. Correct it, or add it to known-names.ts.` : undefined;
}

/** What is wrong with a statistic. */
export function statisticFault(statistic: unknown): string | undefined {
  return typeof statistic === 'string' && !STATISTICS.includes(statistic) && !EXTENDED.test(statistic) ? `CloudWatch has no statistic ${statistic}.` : undefined;
}

/** What is wrong with metric maths: ids that are unknown, doubled or malformed. */
export function mathFaults(queries: { id: string; expression?: string }[]): string[] {
  const ids = queries.map(({ id }) => id);
  const faults = ids.filter((id, index) => ids.indexOf(id) !== index).map((id) => `The id ${id} stands for two metrics.`);
  faults.push(...ids.filter((id) => !/^[a-z][A-Za-z0-9_]*$/.test(id)).map((id) => `The id ${id} has to start with a small letter and hold only letters, digits and _.`));
  for (const { id, expression } of queries) {
    const text = (expression ?? '').replace(/'[^']*'|"[^"]*"/g, '');
    if ((text.match(/\(/g) ?? []).length !== (text.match(/\)/g) ?? []).length) faults.push(`The expression ${id} leaves a bracket open: ${expression}.`);
    const called = text.match(/\b[A-Za-z_]+(?=\()/g) ?? [];
    faults.push(...called.filter((name) => !FUNCTIONS.includes(name)).map((name) => `The expression ${id} uses ${name}(), which CloudWatch's metric math doesn't have.`));
    const words = (expression ?? '').replace(/'[^']*'|"[^"]*"/g, '').match(/\b[a-z][A-Za-z0-9_]*\b(?!\s*\()/g) ?? [];
    faults.push(...words.filter((word) => !ids.includes(word)).map((word) => `The expression ${id} uses ${word}, which no metric has as its id.`));
  }
  return faults;
}
