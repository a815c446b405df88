import type { Template } from '../types';

/** A place in a template that a variant may change: a value, with the object or list that holds it. */
export interface Place {
  readonly logicalId: string;
  /** What kind of place it is: type and path, without indexes: `AWS::ECS::Service Cluster`. */
  readonly kind: string;
  readonly holder: any;
  readonly key: string | number;
}

/** What nothing depends on: texts for people, names in lists, code, and programs. */
const FOR_PEOPLE =
  /(Description|Metadata|\bTags\b|Code\.|\bLabel\b|GroupDescription|InputTemplate|QueryString|Sid|HealthCheck\.Command|PolicyName|ScheduledActionName|Targets\.Id)/;

/** Every value of every resource's properties and DependsOn; an intrinsic function is one value, but the parts of a Fn::Join are several. */
export function placesOf(template: Template): Place[] {
  const places: Place[] = [];
  const walk = (holder: any, key: string | number, logicalId: string, kind: string): void => {
    if (FOR_PEOPLE.test(kind)) return;
    const value = holder[key];
    places.push({ logicalId, kind, holder, key });
    if (value === null || typeof value !== 'object' || isReference(value)) return;
    if (value['Fn::Join']) {
      const parts = value['Fn::Join'][1];
      if (Array.isArray(parts)) parts.forEach((_, index) => walk(parts, index, logicalId, `${kind}${keyBefore(parts, index)}`));
      return;
    }
    Object.keys(value).forEach((inner) =>
      walk(value, Array.isArray(value) ? Number(inner) : inner, logicalId, Array.isArray(value) ? kind : `${kind}.${inner}`),
    );
  };
  for (const [logicalId, resource] of Object.entries(template.Resources)) {
    const at = (path: string) => `${resource.Type} ${path}`;
    for (const property of Object.keys(resource.Properties ?? {})) walk(resource.Properties, property, logicalId, at(property));
    if (Array.isArray(resource.DependsOn)) {
      resource.DependsOn.forEach((_, index) => places.push({ logicalId, kind: at('DependsOn'), holder: resource.DependsOn, key: index }));
    }
    places.push({ logicalId, kind: at('(itself)'), holder: template.Resources, key: logicalId });
  }
  return places;
}

export function isReference(value: any): boolean {
  return value !== null && typeof value === 'object' && ('Ref' in value || 'Fn::GetAtt' in value || 'Fn::Sub' in value);
}

/** The key that a part of a joined JSON text is the value of: `{cluster}`. */
function keyBefore(parts: any[], index: number): string {
  const before =
    parts
      .slice(0, index)
      .filter((part) => typeof part === 'string')
      .pop() ?? '';
  const keys = [...before.matchAll(/"([\w.-]+)":/g)];
  return keys.length > 0 && typeof parts[index] !== 'string' ? `{${keys[keys.length - 1][1]}}` : '';
}
