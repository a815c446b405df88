import { ofType, pathOf } from '../template';
import type { Resource, Template } from '../types';

/** A template with one fault, and who has to find it. */
export interface Mutant {
  readonly name: string;
  /** A rule of ours, or an engine. */
  readonly caughtBy: string;
  /** Puts the fault into a copy of a template; throws NotApplicable where the template lacks what it would spoil. */
  edit(template: Template): void;
}

/** The template has no such resource: the mutant is tried on the next scenario. */
export class NotApplicable extends Error {}

/** The first resource of a type that a condition holds for. */
export function first(template: Template, type: string | RegExp, where: (properties: any, path: string) => boolean = () => true): [string, Required<Pick<Resource, 'Properties'>> & Resource] {
  const found = ofType(template, type).find(([id, resource]) => where(resource.Properties ?? {}, pathOf(template, id)));
  if (!found) {
    throw new NotApplicable(`No ${type} fits.`);
  }
  found[1].Properties ??= {};
  return found as any;
}

/** The container of the first task definition. */
export function container(template: Template): any {
  return first(template, 'AWS::ECS::TaskDefinition')[1].Properties.ContainerDefinitions.find((candidate: any) => candidate.Essential !== false);
}

/** The identity policy statement that allows an action, and the list it stands in. */
export function statementFor(template: Template, action: string): { statement: any; list: any[] } {
  for (const [, { Properties = {} }] of ofType(template, /^AWS::IAM::(Managed)?Policy$/)) {
    const list: any[] = Properties.PolicyDocument.Statement;
    const statement = list.find((candidate) => candidate.Effect === 'Allow' && [candidate.Action].flat().includes(action));
    if (statement) {
      return { statement, list };
    }
  }
  throw new NotApplicable(`Nothing allows ${action}.`);
}

/** Takes a resource away, with every DependsOn that names it. */
export function remove(template: Template, logicalId: string): void {
  delete template.Resources[logicalId];
  forgetDependency(template, [logicalId]);
}

/** Takes resources out of every DependsOn. */
export function forgetDependency(template: Template, logicalIds: string[]): void {
  for (const resource of Object.values(template.Resources)) {
    if (resource.DependsOn) {
      resource.DependsOn = [resource.DependsOn].flat().filter((id) => !logicalIds.includes(id));
    }
  }
}

/** Another resource of the same type; the mutant doesn't fit where there is none. */
export function another(template: Template, logicalId: string, where: (properties: any, path: string) => boolean = () => true): string {
  const { Type } = template.Resources[logicalId];
  return first(template, Type, (properties, path) => properties !== template.Resources[logicalId].Properties && where(properties, path))[0];
}

/** Every list and object of a type's properties. */
function holders(template: Template, type: string | RegExp): any[] {
  const found: any[] = [];
  const walk = (value: any): void => {
    if (value === null || typeof value !== 'object') return;
    found.push(value);
    Object.values(value).forEach(walk);
  };
  ofType(template, type).forEach(([, { Properties }]) => walk(Properties));
  return found;
}

/** Replaces the first text of a type's properties that matches, also in the parts of joined JSON. */
export function editText(template: Template, type: string | RegExp, from: RegExp, to: string): void {
  for (const holder of holders(template, type)) {
    for (const [key, value] of Object.entries(holder)) {
      if (typeof value === 'string' && from.test(value)) {
        holder[key] = value.replace(from, to);
        return;
      }
    }
  }
  throw new NotApplicable(`No text matches ${from}.`);
}

/** Puts another value in place of the reference that follows a text in joined JSON: `"cluster":"` and the cluster. */
export function editReference(template: Template, type: string | RegExp, after: RegExp, to: (reference: any) => any): void {
  for (const holder of holders(template, type)) {
    const index = Array.isArray(holder) ? holder.findIndex((part, at) => typeof part === 'string' && after.test(part) && typeof holder[at + 1] === 'object') : -1;
    if (index >= 0) {
      holder[index + 1] = to(holder[index + 1]);
      return;
    }
  }
  throw new NotApplicable(`No reference follows ${after}.`);
}
