import { CfnResource, Stack, Token } from 'aws-cdk-lib';
import { Fields } from './three-way-merge';
import { overriddenProperties } from '../private/overridden-properties';

/** Fields whose keys are the user's own. */
const MAPS = ['dockerLabels', 'driverOpts', 'labels', 'options'];

/**
 * A task definition's resolved properties with what `addPropertyOverride()` and `addPropertyDeletionOverride()` put over them. No getter
 * of the L1 gives these: they would be in the deployed resource, and in no flow run.
 */
export function withRawOverrides(resource: CfnResource, properties: Fields): Fields {
  return put(overriddenProperties(resource), properties, value => inApiCase(Stack.of(resource).resolve(value)));
}

/** As the CDK does it: item by item also in lists, of which an override's path names an item by its index. */
function put(overrides: Fields, target: any, resolved: (value: unknown) => unknown, ownKeys = false): any {
  const result = Array.isArray(target) ? [...target] : { ...target };
  for (const [key, value] of Object.entries(overrides)) {
    const field = ownKeys ? key : apiName(key);
    if (value === undefined) delete result[field];
    else if (isObject(value)) result[field] = put(value, result[field] ?? {}, resolved, MAPS.includes(field));
    else result[field] = resolved(value);
  }
  return Array.isArray(result) ? result.filter(item => item !== undefined) : result;
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !Token.isUnresolved(value);
}

function inApiCase(value: any): any {
  if (Array.isArray(value)) return value.map(inApiCase);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => {
    const field = apiName(key);
    return [field, MAPS.includes(field) ? inner : inApiCase(inner)];
  }));
}

/** CloudFormation's names begin with a capital letter or with an abbreviation, those of the ECS API don't: EFSVolumeConfiguration. */
function apiName(key: string): string {
  return /^(Ref|Fn::.*)$/.test(key) ? key : key.replace(/^([A-Z]+(?=[A-Z][a-z])|[A-Z])/, start => start.toLowerCase());
}
