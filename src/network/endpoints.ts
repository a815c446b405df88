import { aws_ec2 as ec2, aws_iam as iam, Stack } from 'aws-cdk-lib';
import { Construct, IDependable } from 'constructs';
import { WorkerType } from '../worker-type';

interface Endpoint {
  readonly id: string;
  readonly service: ec2.InterfaceVpcEndpointAwsService;
  /** Prefix of the service's actions in IAM. */
  readonly actions: string;
}

const FOR_EVERY_TASK: readonly Endpoint[] = [
  { id: 'EcrApiEndpoint', service: ec2.InterfaceVpcEndpointAwsService.ECR, actions: 'ecr:*' },
  { id: 'EcrDockerEndpoint', service: ec2.InterfaceVpcEndpointAwsService.ECR_DOCKER, actions: 'ecr:*' },
  { id: 'LogsEndpoint', service: ec2.InterfaceVpcEndpointAwsService.CLOUDWATCH_LOGS, actions: 'logs:*' },
  { id: 'SecretsManagerEndpoint', service: ec2.InterfaceVpcEndpointAwsService.SECRETS_MANAGER, actions: 'secretsmanager:*' },
];

const ECS: Endpoint = { id: 'EcsEndpoint', service: ec2.InterfaceVpcEndpointAwsService.ECS, actions: 'ecs:*' };

const FOR_ECS_WORKERS: readonly Endpoint[] = [
  ECS,
  { id: 'SqsEndpoint', service: ec2.InterfaceVpcEndpointAwsService.SQS, actions: 'sqs:*' },
];

const FOR_TRACING: Endpoint = { id: 'XRayEndpoint', service: ec2.InterfaceVpcEndpointAwsService.XRAY, actions: 'xray:*' };

/** What the demand publisher calls, where it runs in the VPC. */
const FOR_PUBLISHER: readonly Endpoint[] = [
  ECS,
  { id: 'CloudWatchEndpoint', service: ec2.InterfaceVpcEndpointAwsService.CLOUDWATCH_MONITORING, actions: 'cloudwatch:*' },
];

const FOR_PARAMETERS: Endpoint = { id: 'SsmEndpoint', service: ec2.InterfaceVpcEndpointAwsService.SSM, actions: 'ssm:*' };

/** The interface endpoints that a worker of this type uses, and its functions where they run in the VPC. */
export function endpointsFor(workerType: WorkerType, tracing: boolean, functionsInside: boolean, parameters: boolean): readonly Endpoint[] {
  return [...new Set([
    ...FOR_EVERY_TASK,
    ...(workerType === WorkerType.ECS ? FOR_ECS_WORKERS : []),
    ...(tracing ? [FOR_TRACING] : []),
    ...(parameters ? [FOR_PARAMETERS] : []),
    ...(functionsInside ? FOR_PUBLISHER : []),
  ])];
}

/** Gives the endpoints and the S3 gateway, and makes those of them that `scope` doesn't have yet. */
export function addEndpoints(scope: Construct, vpc: ec2.IVpc, subnets: ec2.SubnetSelection, endpoints: readonly Endpoint[]): IDependable[] {
  return [s3Gateway(scope, vpc), ...endpoints.map(({ id, service, actions }) => {
    const existing = scope.node.tryFindChild(id);
    if (existing) return existing;
    const group = new ec2.SecurityGroup(scope, `${id}SecurityGroup`, {
      vpc,
      description: `${service.shortName} endpoint: HTTPS from the VPC`,
      allowAllOutbound: false,
    });
    const endpoint = new ec2.InterfaceVpcEndpoint(scope, id, {
      vpc,
      service,
      subnets,
      securityGroups: [group],
      // Private DNS sends everything in the VPC through the endpoint, so the endpoint has to take it all:
      // other workers, flow runs in groups of your own, your databases' maintenance.
      open: true,
    });
    endpoint.addToPolicy(ownPrincipals(scope, actions));
    return endpoint;
  })];
}

function s3Gateway(scope: Construct, vpc: ec2.IVpc): IDependable {
  const existing = scope.node.tryFindChild('S3Endpoint');
  if (existing) return existing;
  const gateway = new ec2.GatewayVpcEndpoint(scope, 'S3Endpoint', { vpc, service: ec2.GatewayVpcEndpointAwsService.S3 });
  gateway.addToPolicy(ownPrincipals(scope, 's3:*'));
  // Others' data comes by presigned links or without any keys: layers of images, results of a warehouse, public data sets, packages.
  // https://docs.aws.amazon.com/AmazonECR/latest/userguide/vpc-endpoints.html#ecr-minimum-s3-perms
  gateway.addToPolicy(new iam.PolicyStatement({
    sid: 'ReadAnywhere',
    principals: [new iam.StarPrincipal()],
    actions: ['s3:GetObject', 's3:GetObjectVersion', 's3:ListBucket'],
    resources: ['*'],
  }));
  return gateway;
}

/**
 * Lets identities of this account through, and no others: what leaves the network can't leave with someone else's keys.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_data-perimeters.html
 */
function ownPrincipals(scope: Construct, actions: string): iam.PolicyStatement {
  return new iam.PolicyStatement({
    sid: 'OwnIdentities',
    principals: [new iam.StarPrincipal()],
    actions: [actions],
    resources: ['*'],
    conditions: { StringEquals: { 'aws:PrincipalAccount': Stack.of(scope).account } },
  });
}
