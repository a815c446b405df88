import type { Resource, Template } from './types';

/** The resources of one type (or of a type that a pattern matches), with their logical ids. */
export function ofType(template: Template, type: string | RegExp): [string, Resource][] {
  return Object.entries(template.Resources).filter(([, resource]) => typeof type === 'string' ? resource.Type === type : type.test(resource.Type));
}

/** The properties of a resource; an empty object where it has none. */
export function props(template: Template, logicalId: string): Record<string, any> {
  return template.Resources[logicalId]?.Properties ?? {};
}

export function asArray<T>(value: T | T[] | undefined): T[] {
  return value === undefined ? [] : Array.isArray(value) ? value : [value];
}

/** The construct path that CDK left in the metadata, or the logical id without it. */
export function pathOf(template: Template, logicalId: string): string {
  return template.Resources[logicalId]?.Metadata?.['aws:cdk:path'] ?? logicalId;
}

/** Every logical id (and parameter) that a value refers to, by Ref, Fn::GetAtt, Fn::Sub at any depth. */
export function references(value: unknown, into: Set<string> = new Set()): Set<string> {
  if (Array.isArray(value)) {
    value.forEach((item) => references(item, into));
  } else if (value !== null && typeof value === 'object') {
    for (const [key, inner] of Object.entries(value)) {
      if (key === 'Ref' && typeof inner === 'string') {
        into.add(inner);
      } else if (key === 'Fn::GetAtt') {
        into.add(Array.isArray(inner) ? String(inner[0]) : String(inner).split('.')[0]);
      } else if (key === 'Fn::Sub') {
        const [text, variables] = Array.isArray(inner) ? inner : [inner, {}];
        for (const match of String(text).matchAll(/\$\{([^!}][^}]*)\}/g)) {
          const name = match[1].split('.')[0];
          if (!(match[1] in variables)) {
            into.add(name);
          }
        }
        references(variables, into);
      } else {
        references(inner, into);
      }
    }
  }
  return into;
}

/** The one resource that a value stands for, or undefined where it stands for none in this template. */
export function targetOf(template: Template, value: unknown): string | undefined {
  return [...references(value)].find((id) => id in template.Resources);
}

/** Calls back for every string in a value, with the path of keys that leads to it. */
export function eachString(value: unknown, visit: (text: string, path: string[]) => void, path: string[] = []): void {
  if (typeof value === 'string') {
    visit(value, path);
  } else if (Array.isArray(value)) {
    value.forEach((item, index) => eachString(item, visit, [...path, String(index)]));
  } else if (value !== null && typeof value === 'object') {
    Object.entries(value).forEach(([key, inner]) => eachString(inner, visit, [...path, key]));
  }
}

/** All resources that must exist before this one: its DependsOn and references, and theirs. */
export function dependenciesOf(template: Template, logicalId: string, seen: Set<string> = new Set()): Set<string> {
  const resource = template.Resources[logicalId];
  if (resource) {
    for (const next of [...asArray(resource.DependsOn), ...references(resource.Properties)]) {
      if (next in template.Resources && !seen.has(next)) {
        seen.add(next);
        dependenciesOf(template, next, seen);
      }
    }
  }
  return seen;
}

/** The resources of this template that a list of values stands for. */
export function targets(template: Template, values: unknown): string[] {
  return asArray(values).map((value) => targetOf(template, value)).filter((id): id is string => id !== undefined);
}
