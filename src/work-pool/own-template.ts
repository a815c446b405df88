import { isDeepStrictEqual } from 'node:util';
import { BaseJobTemplate } from './base-job-template';
import { areFields, Fields, keyOf, ThreeWayMerge } from './three-way-merge';

/** A part of a template that a stack has. */
export type OwnTemplate = Partial<BaseJobTemplate>;

/**
 * Merges a stack's own template into a pool's. What the last deployment brought and this one doesn't goes back to what is offered.
 *
 * @param template the pool's, which is changed
 */
export function mergeOwnTemplate(template: BaseJobTemplate, offered: BaseJobTemplate, own: OwnTemplate = {}, before: OwnTemplate = {}): void {
  const [wanted, last] = [marked(own), marked(before)];
  // On both sides of the merge, what one of the two deployments doesn't name is what is offered.
  const [now, then]: OwnTemplate[] = [withOffered(wanted, last, offered) ?? {}, withOffered(last, wanted, offered) ?? {}];
  const { properties = {}, ...others } = now.variables ?? {};
  const { properties: propertiesThen = {}, ...othersThen } = then.variables ?? {};
  mergeFields(template.variables, othersThen, others);
  mergeFields(template.variables.properties, propertiesThen, properties);
  const standing = defaultsOf(offered.variables.properties);
  const [values, valuesThen] = [properties, propertiesThen].map(variables => ({ ...standing, ...defaultsOf(variables) }));
  new ThreeWayMerge(template.job_configuration, template.variables.properties, values, valuesThen)
    .merge(then.job_configuration ?? {}, now.job_configuration ?? {});
}

/** A copy in which the flow run's container is known as such. */
function marked(own: OwnTemplate): Fields {
  const copy = structuredClone(own) as Fields;
  const containers = copy.job_configuration?.task_definition?.containerDefinitions;
  if (Array.isArray(containers)) ThreeWayMerge.markFlowRunContainer(copy.job_configuration, copy.variables?.properties ?? {}, containers);
  return copy;
}

/** `target`, and from `source` what `shape` has beside that. */
function withOffered(target: any, shape: any, source: any, list = ''): any {
  const key = keyOf(list);
  if (key !== undefined && Array.isArray(shape) && Array.isArray(target ?? [])) {
    const named = (entries: any, name: unknown) => (Array.isArray(entries) ? entries : []).find((entry: any) => entry?.[key] === name);
    const names = [...new Set([...target ?? [], ...shape].map((entry: any) => entry?.[key]))];
    const entries = names.map(name => withOffered(named(target, name), named(shape, name), named(source, name))).filter(entry => entry !== undefined);
    return entries.length > 0 ? entries : undefined;
  }
  if (!areFields(shape) || target !== undefined && !areFields(target)) return target ?? source;
  const fields = Object.keys({ ...target, ...shape })
    .map(field => [field, withOffered(target?.[field], shape[field], source?.[field], field)])
    .filter(([, value]) => value !== undefined);
  return fields.length > 0 ? Object.fromEntries(fields) : undefined;
}

function mergeFields(present: Fields, before: Fields, wanted: Fields): void {
  for (const field of new Set([...Object.keys(before), ...Object.keys(wanted)])) {
    const [standing, last, now] = [present[field], before[field], wanted[field]];
    if (areFields(standing) && areFields(now ?? last)) mergeFields(standing, areFields(last) ? last : {}, now ?? {});
    else if (now !== undefined) present[field] = structuredClone(now);
    const isEmpty = areFields(present[field]) && Object.keys(present[field]).length === 0;
    if (now === undefined && last !== undefined && (isEmpty || isDeepStrictEqual(standing, last))) delete present[field];
  }
}

function defaultsOf(properties: Fields): Fields {
  return Object.fromEntries(Object.entries(properties).map(([name, definition]) => [name, definition?.default]));
}
