import { CfnResource, RemovalPolicy } from 'aws-cdk-lib';
import { IConstruct } from 'constructs';
import { invalid } from './validation';

/** Types of the resources that hold data. */
const WITH_DATA = new Set([
  'AWS::ECR::Repository', 'AWS::KMS::Key', 'AWS::Logs::LogGroup', 'AWS::Logs::LogStream', 'AWS::S3::Bucket', 'AWS::SQS::Queue',
]);

/** Applies a policy to all resources with data in these constructs. Without one, or with DESTROY, they keep their own: the log archive outlives its worker. */
export function applyRemovalPolicy(policy: RemovalPolicy | undefined, ...scopes: readonly IConstruct[]): void {
  if (policy === RemovalPolicy.SNAPSHOT) throw invalid('removalPolicy', policy, 'no resource of a worker has snapshots; give DESTROY, RETAIN or RETAIN_ON_UPDATE_OR_DELETE.');
  if (policy === undefined || policy === RemovalPolicy.DESTROY) return;
  for (const child of scopes.flatMap(scope => scope.node.findAll())) {
    if (child instanceof CfnResource && WITH_DATA.has(child.cfnResourceType)) child.applyRemovalPolicy(policy);
  }
}
