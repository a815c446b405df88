import { Resolver } from '../intrinsics';
import { rows } from '../metric-uses';
import { asArray, ofType, targetOf } from '../template';
import type { Rule, Template } from '../types';
import { dimensionFault, mathFaults, metricFault, publishedBy, statisticFault } from './metrics';

/** Dashboard bodies are JSON in a string, which nothing checks before CloudWatch shows an empty graph. */
export const dashboards: Rule = (template, { named }) => {
  const resolver = new Resolver(template, { imports: named.imports });
  const arns = (type: RegExp) => ofType(template, type).map(([id]) => resolver.arn(id));
  const logGroups = ofType(template, 'AWS::Logs::LogGroup').map(([id]) => resolver.resolve({ Ref: id }));
  return ofType(template, 'AWS::CloudWatch::Dashboard').flatMap(([logicalId, { Properties = {} }]) => {
    let body: any;
    try {
      body = JSON.parse(resolver.resolve(Properties.DashboardBody));
    } catch (error) {
      return [{ logicalId, message: `Its body is not JSON: ${(error as Error).message}` }];
    }
    if (!Array.isArray(body.widgets) || body.widgets.length === 0) {
      return [{ logicalId, message: 'It has no widgets.' }];
    }
    const published = publishedBy(template);
    const shown = body.widgets.flatMap(({ properties = {} }: any) => properties.alarms ?? []);
    const absent = shown.length > 0 ? hidden(template, resolver, shown) : [];
    return [...absent, ...body.widgets.flatMap(({ type, properties = {} }: any) => {
      if (type === 'metric') return widgetFaults(properties, published);
      if (type === 'alarm') return [...missing(properties.alarms, arns(/^AWS::CloudWatch::(Composite)?Alarm$/), 'alarm'), ...twice(properties.alarms)];
      if (type === 'log') return missing(sourcesOf(properties.query), logGroups, 'log group');
      return [];
    })].map((message: string) => ({ logicalId, message }));
  });
};

function missing(named: string[] = [], there: string[], what: string): string[] {
  return named.filter((name) => !there.includes(name)).map((name) => `It shows the ${what} ${name}, which is none of the template.`);
}

function twice(shown: unknown[] = []): string[] {
  const texts = shown.map((item) => JSON.stringify(item));
  return texts.filter((text, index) => texts.indexOf(text) !== index).map((text) => `A widget shows ${text} twice.`);
}

/** Who is told of an alarm finds it on the dashboard. */
function hidden(template: Template, resolver: Resolver, shown: string[]): string[] {
  return ofType(template, /^AWS::CloudWatch::(Composite)?Alarm$/)
    .filter(([id, { Properties = {} }]) => asArray<any>(Properties.AlarmActions).some((action) => template.Resources[targetOf(template, action) ?? '']?.Type === 'AWS::SNS::Topic') && !shown.includes(resolver.arn(id)))
    .map(([id]) => `It doesn't show the alarm ${id}.`);
}

function sourcesOf(query: string): string[] {
  return [...query.matchAll(/SOURCE '([^']*)'/g)].map(([, source]) => source);
}

/** `metrics` is a list of rows [namespace, name, dimension, value, ..., options], where '.' repeats the row above. */
function widgetFaults(properties: any, published: Set<string>): string[] {
  const faults: (string | undefined)[] = twice(rows(properties.metrics ?? []).map((row) => row.filter((cell) => typeof cell === 'string').concat([(row.find((cell) => typeof cell === 'object') as any)?.stat, (row.find((cell) => typeof cell === 'object') as any)?.expression])));
  const queries: { id: string; expression?: string }[] = [];
  let above: unknown[] = [];
  (properties.metrics ?? []).forEach((row: unknown[], index: number) => {
    const last = row[row.length - 1];
    const options: any = typeof last === 'object' ? last : {};
    queries.push({ id: options.id ?? `row${index}`, expression: options.expression });
    faults.push(statisticFault(options.stat));
    if (typeof row[0] === 'string') {
      const whole = row.map((cell, column) => cell === '.' ? above[column] : cell);
      const dimensions = whole.slice(2).filter((cell, column) => column % 2 === 0 && typeof cell === 'string');
      faults.push(metricFault(whole[0], whole[1], published), dimensionFault(whole[0], dimensions));
      above = whole;
    }
  });
  if (!properties.metrics && !properties.annotations?.alarms) {
    faults.push(`The widget "${properties.title ?? 'without title'}" shows nothing.`);
  }
  return [...faults.filter((fault): fault is string => fault !== undefined), ...mathFaults(queries)];
}
