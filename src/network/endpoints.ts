import { aws_ec2 as ec2, aws_iam as iam, Fn, Stack } from 'aws-cdk-lib';
import { Construct, IDependable } from 'constructs';
import { WorkerType } from '../worker-type';
import { vpcRanges } from './vpc-ranges';

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

const FOR_XRAY: Endpoint = { id: 'XRayEndpoint', service: ec2.InterfaceVpcEndpointAwsService.XRAY, actions: 'xray:*' };

/** What the demand publisher calls, where it runs in the VPC, and beside that where it sets the number of workers. */
const FOR_PUBLISHER: readonly Endpoint[] = [
  ECS,
  { id: 'CloudWatchEndpoint', service: ec2.InterfaceVpcEndpointAwsService.CLOUDWATCH_MONITORING, actions: 'cloudwatch:*' },
];

const FOR_AUTO_SCALING: Endpoint = { id: 'AutoScalingEndpoint', service: ec2.InterfaceVpcEndpointAwsService.APPLICATION_AUTOSCALING, actions: 'application-autoscaling:*' };

const FOR_PARAMETERS: Endpoint = { id: 'SsmEndpoint', service: ec2.InterfaceVpcEndpointAwsService.SSM, actions: 'ssm:*' };

/** What the agent of ECS Exec in a task calls. */
const FOR_EXECUTE_COMMAND: readonly Endpoint[] = [
  { id: 'SsmMessagesEndpoint', service: ec2.InterfaceVpcEndpointAwsService.SSM_MESSAGES, actions: 'ssmmessages:*' },
  { id: 'KmsEndpoint', service: ec2.InterfaceVpcEndpointAwsService.KMS, actions: 'kms:*' },
];

/** What the CDK's framework for custom resources calls beside that: the function that creates the work pool. */
const FOR_PROVIDER: Endpoint = { id: 'LambdaEndpoint', service: ec2.InterfaceVpcEndpointAwsService.LAMBDA, actions: 'lambda:*' };

/** Which functions run in the VPC: none, those that ask the Prefect API, or the CDK's too. */
export type FunctionsInside = 'none' | 'ours' | 'all';

export interface EndpointsProps {
  readonly vpc: ec2.IVpc;
  /** Where the endpoints are. */
  readonly subnets: ec2.SubnetSelection;
  /** Where what uses them is. */
  readonly users: readonly ec2.ISubnet[];
  /** Whether the VPC is one of a worker's, with one range that all is in. */
  readonly oneRange: boolean;
  readonly workerType: WorkerType;
  /** Whether tasks send traces to X-Ray. */
  readonly xray: boolean;
  /** Whether a secret is a parameter of SSM. */
  readonly parameters: boolean;
  readonly enableExecuteCommand: boolean;
  readonly functions: FunctionsInside;
  /** Whether the number of workers follows demand. */
  readonly followsDemand: boolean;
}

/** The interface endpoints that a worker of this type uses, and its functions where they run in the VPC. */
function endpointsFor({ workerType, xray, parameters, enableExecuteCommand, functions, followsDemand }: EndpointsProps): readonly Endpoint[] {
  return [...new Set([
    ...FOR_EVERY_TASK,
    ...(workerType === WorkerType.ECS ? FOR_ECS_WORKERS : []),
    ...(xray ? [FOR_XRAY] : []),
    ...(parameters ? [FOR_PARAMETERS] : []),
    ...(enableExecuteCommand ? FOR_EXECUTE_COMMAND : []),
    ...(functions === 'none' ? [] : FOR_PUBLISHER),
    ...(functions === 'none' || !followsDemand ? [] : [FOR_AUTO_SCALING]),
    ...(functions === 'all' ? [FOR_PROVIDER] : []),
  ])];
}

/** Gives the endpoints and the S3 gateway, and makes those of them that `scope` doesn't have yet. */
export function addEndpoints(scope: Construct, props: EndpointsProps): IDependable[] {
  const { vpc, subnets } = props;
  const ranges = props.oneRange ? [vpc.vpcCidrBlock] : vpcRanges(vpc, props.users);
  return [s3Gateway(scope, props), ...endpointsFor(props).map(({ id, service, actions }) => {
    const endpoint = scope.node.tryFindChild(id) as ec2.InterfaceVpcEndpoint ?? makeEndpoint(scope, id, { vpc, service, subnets, actions });
    // Private DNS sends everything in the VPC through the endpoint, so the endpoint has to take it all:
    // other workers, flow runs in groups of your own, your databases' maintenance.
    for (const range of ranges) endpoint.connections.allowDefaultPortFrom(ec2.Peer.ipv4(range));
    return endpoint;
  })];
}

interface InterfaceEndpointProps extends Omit<Endpoint, 'id'> {
  readonly vpc: ec2.IVpc;
  readonly subnets: ec2.SubnetSelection;
}

function makeEndpoint(scope: Construct, id: string, { vpc, service, subnets, actions }: InterfaceEndpointProps): ec2.InterfaceVpcEndpoint {
  const group = new ec2.SecurityGroup(scope, `${id}SecurityGroup`, {
    vpc,
    description: `${service.shortName} endpoint: HTTPS from the VPC`,
    allowAllOutbound: false,
  });
  const endpoint = new ec2.InterfaceVpcEndpoint(scope, id, { vpc, service, subnets, securityGroups: [group], open: false });
  endpoint.addToPolicy(ownPrincipals(scope, actions));
  return endpoint;
}

function s3Gateway(scope: Construct, { vpc, functions }: EndpointsProps): IDependable {
  const gateway = scope.node.tryFindChild('S3Endpoint') as ec2.GatewayVpcEndpoint
    ?? new ec2.GatewayVpcEndpoint(scope, 'S3Endpoint', { vpc, service: ec2.GatewayVpcEndpointAwsService.S3 });
  gateway.addToPolicy(ownPrincipals(scope, 's3:*'));
  const allowEverybody = (sid: string, actions: string[], resource: string) =>
    gateway.addToPolicy(new iam.PolicyStatement({ sid, principals: [new iam.StarPrincipal()], actions, resources: [resource] }));
  // Others' data comes by presigned links or without any keys: layers of images, results of a warehouse, public data sets, packages.
  // https://docs.aws.amazon.com/AmazonECR/latest/userguide/vpc-endpoints.html#ecr-minimum-s3-perms
  allowEverybody('ReadAnywhere', ['s3:GetObject', 's3:GetObjectVersion', 's3:ListBucket'], '*');
  if (functions === 'all') allowEverybody('AnswerCloudFormation', ['s3:PutObject'], answersOfCustomResources(scope));
  return gateway;
}

/**
 * Where a custom resource's answer goes by a presigned link: a bucket of CloudFormation's, with the region in its name.
 *
 * @see https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/vpc-interface-endpoints.html
 */
function answersOfCustomResources(scope: Construct): string {
  const { partition, region } = Stack.of(scope);
  return `arn:${partition}:s3:::cloudformation-custom-resource-response-${Fn.join('', Fn.split('-', region))}/*`;
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
