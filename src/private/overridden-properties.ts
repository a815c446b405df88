import { CfnResource } from 'aws-cdk-lib';

/** What `addPropertyOverride()` and `addPropertyDeletionOverride()` put over a resource's properties, unresolved: the CDK tells it by no public member. */
export function overriddenProperties(resource: CfnResource): Record<string, any> {
  return (resource as unknown as { readonly rawOverrides: { readonly Properties?: Record<string, any> } }).rawOverrides.Properties ?? {};
}
