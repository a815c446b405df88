import { Annotations, aws_iam as iam, CfnResource, Stack } from 'aws-cdk-lib';
import { Construct, IConstruct } from 'constructs';
import { overriddenProperties } from '../private/overridden-properties';
import { policyResourcesOf } from '../private/recorded-role';

interface Statement {
  readonly Effect: 'Allow' | 'Deny';
  readonly Action?: string | string[];
  readonly NotAction?: string | string[];
  readonly Resource?: unknown;
  readonly Condition?: object;
}

/**
 * Warns where a permissions boundary of this app takes away what the roles need: nothing else tells before flow runs crash. Only what is
 * certain counts: an action that no statement allows, or that one denies everywhere and always.
 *
 * @param scope a module of the worker
 * @param given roles that are not below the worker
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
 */
export function warnOfBoundaries(scope: Construct, given: readonly iam.IRole[]): void {
  const worker = scope.node.scope!;
  worker.node.addValidation({
    validate: () => {
      const boundaries = new Map<IConstruct, string[]>();
      for (const resource of new Set([worker, ...given, ...sharedIn(Stack.of(worker))].flatMap(rolesIn))) {
        if (!mayHaveBoundary(resource)) continue;
        const properties = propertiesOf(resource);
        const boundary = boundaryOf(resource, properties);
        if (!boundary) continue;
        const document = Stack.of(boundary).resolve(boundary.policyDocument)?.Statement ?? [];
        const lacking = neededBy(resource, properties).filter(action => denies([document].flat(), action));
        if (lacking.length === 0) continue;
        boundaries.set(boundary, [...boundaries.get(boundary) ?? [], `${roleOf(resource).node.path} needs ${lacking.join(', ')}`]);
      }
      for (const [boundary, roles] of boundaries) {
        // Below the worker: what was acknowledged before is heard only of ancestors by older versions of the CDK.
        Annotations.of(scope).addWarningV2('cdk-prefect-fargate-worker:boundaryDenies',
          `The permissions boundary ${boundary.node.scope!.node.path} denies actions that roles need: ${roles.join('; ')}. Allow these actions in it.`);
      }
      return [];
    },
  });
}

/** What the workers of a stack share, and the CDK's own providers of custom resources. */
function sharedIn(stack: Stack): IConstruct[] {
  return stack.node.children.filter(({ node: { id } }) => /^(PrefectImages|PrefectWorkersShared$|Custom::)/.test(id));
}

function rolesIn(construct: IConstruct): CfnResource[] {
  return construct.node.findAll().filter((child): child is CfnResource => CfnResource.isCfnResource(child) && child.cfnResourceType === 'AWS::IAM::Role');
}

function roleOf(resource: CfnResource): IConstruct {
  return resource instanceof iam.CfnRole ? resource.node.scope! : resource;
}

/** Most roles have none, and needn't be resolved to see that. */
function mayHaveBoundary(resource: CfnResource): boolean {
  return !(resource instanceof iam.CfnRole) || resource.permissionsBoundary !== undefined || 'PermissionsBoundary' in overriddenProperties(resource);
}

/** As in the template, because PermissionsBoundary.of() and aspects put theirs there by overrides. */
function propertiesOf(resource: CfnResource): Record<string, any> {
  const template = Stack.of(resource).resolve((resource as unknown as { _toCloudFormation(): object })._toCloudFormation());
  return Object.values<any>(template.Resources)[0].Properties ?? {};
}

function boundaryOf(resource: CfnResource, { PermissionsBoundary: arn }: Record<string, any>): iam.CfnManagedPolicy | undefined {
  if (arn === undefined) return undefined;
  const text = JSON.stringify(arn);
  return resource.node.root.node.findAll().find((child): child is iam.CfnManagedPolicy =>
    child instanceof iam.CfnManagedPolicy && JSON.stringify(Stack.of(resource).resolve(child.ref)) === text);
}

function neededBy(resource: CfnResource, { Policies = [] }: Record<string, any>): string[] {
  const documents = [
    ...Policies.map(({ PolicyDocument }: any) => PolicyDocument),
    ...policyResourcesOf(roleOf(resource)).map(policy => Stack.of(policy).resolve(policy.policyDocument)),
  ];
  const statements: Statement[] = documents.flatMap(({ Statement: list }) => list);
  return [...new Set(statements.filter(({ Effect }) => Effect === 'Allow').flatMap(({ Action = [] }) => Action))].sort();
}

function denies(boundary: readonly Statement[], action: string): boolean {
  const about = boundary.filter(({ Action, NotAction }) => Action !== undefined ? matches(Action, action) : !matches(NotAction ?? '*', action));
  return !about.some(({ Effect }) => Effect === 'Allow')
    || about.some(({ Effect, Condition, Resource }) => Effect === 'Deny' && Condition === undefined && [Resource].flat().includes('*'));
}

function matches(patterns: string | string[], action: string): boolean {
  return [patterns].flat().some(pattern => {
    const expression = pattern.replace(/[.+^${}()|[\]\\]/g, '\\$&').replace(/\*/g, '.*').replace(/\?/g, '.');
    return new RegExp(`^${expression}$`, 'i').test(action);
  });
}
