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
