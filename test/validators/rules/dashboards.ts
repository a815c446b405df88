import { Resolver } from '../intrinsics';
import { ofType } from '../template';
import type { Rule } from '../types';
import { mathFaults, metricFault, statisticFault } from './metrics';

/** Dashboard bodies are JSON in a string, which nothing checks before CloudWatch shows an empty graph. */
export const dashboards: Rule = (template, { named }) => {
  const resolver = new Resolver(template, { imports: named.imports });
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
    return body.widgets.filter((widget: any) => widget.type === 'metric').flatMap((widget: any) => widgetFaults(widget.properties ?? {})).map((message: string) => ({ logicalId, message }));
  });
};

/** `metrics` is a list of rows [namespace, name, dimension, value, ..., options], where '.' repeats the row above. */
function widgetFaults(properties: any): string[] {
  const faults: (string | undefined)[] = [];
  const queries: { id: string; expression?: string }[] = [];
  let above: unknown[] = [];
  (properties.metrics ?? []).forEach((row: unknown[], index: number) => {
    const last = row[row.length - 1];
    const options: any = typeof last === 'object' ? last : {};
    queries.push({ id: options.id ?? `row${index}`, expression: options.expression });
    faults.push(statisticFault(options.stat));
    if (typeof row[0] === 'string') {
      const whole = row.map((cell, column) => cell === '.' ? above[column] : cell);
      faults.push(metricFault(whole[0], whole[1]));
      above = whole;
    }
  });
  if (!properties.metrics && !properties.annotations?.alarms) {
    faults.push(`The widget "${properties.title ?? 'without title'}" shows nothing.`);
  }
  return [...faults.filter((fault): fault is string => fault !== undefined), ...mathFaults(queries)];
}
