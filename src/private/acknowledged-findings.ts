/** A finding of cdk-nag that is right as it is, of every resource of a type that the library creates. */
export interface Finding {
  readonly type: string;
  /** Which of them, by their construct path. @default - all */
  readonly path?: RegExp;
  /** Ids as cdk-nag reports them, with what was found where a rule has several findings. */
  readonly rules: readonly string[];
  readonly reason: string;
}

/** A wildcard in the resources of a policy, with the actions for which it is right as it is. */
export interface Wildcard {
  readonly resource: RegExp;
  readonly actions: readonly string[];
  readonly reason: string;
}

/** The ids that a rule has in the packs of industries. */
export function industries(...rules: string[]): string[] {
  return rules.flatMap(rule => ['HIPAA.Security', 'NIST.800.53.R5', 'PCI.DSS.321'].map(pack => `${pack}-${rule}`));
}

export const FINDINGS: readonly Finding[] = [
  {
    type: 'AWS::Lambda::Function',
    rules: ['AwsSolutions-L1'],
    reason: 'The functions use a runtime that every region and partition has.',
  },
  {
    type: 'AWS::Lambda::Function',
    rules: industries('LambdaInsideVPC'),
    reason: 'A function runs in the VPC where the Prefect API is, or with network.functionsInVpc. Others call AWS and Prefect Cloud, for which a VPC would only add what can fail.',
  },
  {
    type: 'AWS::Lambda::Function',
    rules: industries('LambdaConcurrency'),
    reason: 'Reserved concurrency is taken from what the account has for all functions, and fails the deployment where that is little; one call at a time needs none.',
  },
  {
    type: 'AWS::Lambda::Function',
    rules: industries('LambdaDLQ'),
    reason: 'The functions that run every minute start from what is there, so an old call has nothing left to say. Of a custom resource CloudFormation waits for the answer, and fails the deployment without it.',
  },
  {
    type: 'AWS::IAM::Role',
    rules: ['AWSLambdaBasicExecutionRole', 'AWSLambdaVPCAccessExecutionRole', 'AWSLambdaENIManagementAccess']
      .map(policy => `AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/${policy}]`),
    reason: 'The policy holds the logging and network permissions that every function needs, and follows AWS Lambda when it needs others.',
  },
  {
    type: 'AWS::IAM::Policy',
    rules: industries('IAMNoInlinePolicy'),
    reason: 'Each policy belongs to one role, holds what that role needs, and is deleted with it; a managed policy could be attached elsewhere.',
  },
  {
    type: 'AWS::ECS::TaskDefinition',
    rules: ['AwsSolutions-ECS2'],
    reason: 'The variables hold settings; credentials are container secrets.',
  },
  {
    type: 'AWS::EC2::SecurityGroup',
    path: /EndpointSecurityGroup\/Resource$/,
    rules: ['AwsSolutions-EC23', ...industries('EC2RestrictedCommonPorts', 'EC2RestrictedSSH')],
    reason: 'The group lets in HTTPS from the address range of the VPC, a reference that cdk-nag cannot read.',
  },
  {
    type: 'AWS::EC2::Route',
    path: /\/PublicSubnet\d+\/DefaultRoute$/,
    rules: industries('VPCNoUnrestrictedRouteToIGW'),
    reason: 'The public subnets hold the NAT gateways, for which this is the route to the internet; no task is in them.',
  },
  {
    type: 'AWS::EC2::VPC',
    rules: industries('VPCDefaultSecurityGroupClosed'),
    reason: 'With network.functionsInVpc the CDK\'s function that would remove the rules of the default group is left out, because it runs outside a VPC; nothing uses the group.',
  },
  {
    type: 'AWS::S3::Bucket',
    path: /\/LogArchive\/Bucket\/Resource$/,
    rules: ['AwsSolutions-S1', ...industries('S3BucketLoggingEnabled', 'S3BucketReplicationEnabled')],
    reason: 'Access logs would need a second bucket with the same question; CloudTrail\'s data events tell who reads the archive. For a second region give logArchive.bucket a bucket that replicates.',
  },
  {
    type: 'AWS::S3::Bucket',
    path: /\/Results\/Bucket\/Resource$/,
    rules: ['AwsSolutions-S1', ...industries('S3BucketLoggingEnabled', 'S3BucketReplicationEnabled')],
    reason: 'Results are there for a flow run that starts again, in this region, and expire. Who wants access logs gives Results.bucket() a bucket with them.',
  },
];

const TASKS = 'Tasks have random ids and task definitions get their revision when they are registered; the cluster, the family or a condition on the cluster limits the permission.';
const NO_RESOURCES = 'These actions have no resource-level permissions; a condition limits them where AWS has one.';

export const WILDCARDS: readonly Wildcard[] = [
  {
    resource: /^\*$/,
    actions: [
      'application-autoscaling:DescribeScalableTargets', 'cloudwatch:GetMetricData', 'cloudwatch:PutMetricData', 'ec2:DescribeSubnets', 'ec2:DescribeVpcs', 'ecr:GetAuthorizationToken', 'ecs:DeregisterTaskDefinition', 'ecs:DescribeTaskDefinition', 'ecs:ListTasks',
      'logs:DescribeLogGroups', 'xray:PutTraceSegments',
      'ssmmessages:CreateControlChannel', 'ssmmessages:CreateDataChannel', 'ssmmessages:OpenControlChannel', 'ssmmessages:OpenDataChannel',
    ],
    reason: NO_RESOURCES,
  },
  {
    resource: /:task\/[^*]+\/\*$|:task-definition\/[^*]+\*(:\*)?$/,
    actions: ['ecs:DescribeTasks', 'ecs:GetTaskProtection', 'ecs:RegisterTaskDefinition', 'ecs:RunTask', 'ecs:StopTask', 'ecs:TagResource', 'ecs:UpdateTaskProtection'],
    reason: TASKS,
  },
  {
    resource: /^<\w+Function\w+\.Arn>:\*$/,
    actions: ['lambda:InvokeFunction'],
    reason: 'The CDK\'s provider framework may call every version of the one function that it wraps.',
  },
  {
    resource: /^<\w+LogArchiveBucket\w+\.Arn>\/\*$/,
    actions: ['s3:AbortMultipartUpload', 's3:GetObject', 's3:PutObject'],
    reason: 'Amazon Data Firehose names the objects by their time.',
  },
  {
    resource: /^<\w+ResultsBucket\w+\.Arn>\/prefect-results\/[^*]+\/\*$/,
    actions: ['s3:AbortMultipartUpload', 's3:GetObject', 's3:PutObject'],
    reason: 'Prefect names results by what they are of, below the folder of one worker.',
  },
];
