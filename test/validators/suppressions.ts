import { serverSuppressions } from './server-suppressions';
import type { Finding } from './types';

/** An exception from what the engines and rules ask for. One that matches nothing any more fails the tests. */
export interface Suppression {
  readonly engine: string;
  /** The rule's id, or a pattern for ids that carry details, such as cdk-nag's `AwsSolutions-IAM5[...]`. */
  readonly rule: string | RegExp;
  /** Where: matched against the construct path, and the logical id. */
  readonly where: RegExp;
  /** What the finding's message has to say, where the rule's id is too wide. */
  readonly message?: RegExp;
  /** Why it is right as it is, in a sentence. */
  readonly reason: string;
}

/** What the same finding on a function is called by cdk-nag, checkov and Control Tower. */
function lambda(nag: RegExp, checkov: string, controlTower?: string) {
  return [
    { engine: 'cdk-nag', rule: nag, where: /.*/ },
    { engine: 'checkov', rule: checkov, where: /.*/ },
    ...(controlTower ? [{ engine: 'control-tower', rule: controlTower, where: /.*/ }] : []),
  ];
}

export const suppressions: Suppression[] = [
  {
    engine: 'cdk-nag',
    rule: 'AwsSolutions-SMG4',
    where: /\/(ApiKey|AuthString|Headers)\/Resource$/,
    reason: 'The scenario\'s secrets hold what Prefect or its proxy issues, so Secrets Manager has nothing to rotate them with.',
  },
  {
    engine: 'cdk-nag',
    rule: 'AwsSolutions-ECS2',
    where: /\/TaskDefinition\/Resource$/,
    reason: 'The variables hold settings; credentials are container secrets, which the rule "secrets" checks.',
  },
  {
    engine: 'cdk-nag',
    rule: /^AwsSolutions-IAM5\[Resource::\*\]$/,
    where: /WorkerRole\/DefaultPolicy/,
    reason: 'ECS and EC2 have no resource-level permissions for these actions, which the rule "iam" checks against IAM\'s own data.',
  },
  {
    engine: 'cdk-nag',
    rule: /^AwsSolutions-IAM5\[Resource::\*\]$/,
    where: /FlowRunRole\/DefaultPolicy/,
    reason: 'xray:PutTraceSegments, which tracing needs, has no resource-level permissions.',
  },
  {
    engine: 'cdk-nag',
    rule: /^AwsSolutions-IAM5\[Resource::\*\]$/,
    where: /ExecutionRole\/DefaultPolicy/,
    reason: 'ecr:GetAuthorizationToken, which an image in Amazon ECR needs, has no resource-level permissions.',
  },
  {
    engine: 'cdk-nag',
    rule: /^AwsSolutions-IAM5\[Resource::arn:<AWS::Partition>:ecs:.*:task(-definition)?\/[^*]+\*(:\*)?\]$/,
    where: /(WorkerRole|(Rescue|Verification)\/Role)\/DefaultPolicy|\/WorkPool\/EndFlowRunsIn/,
    reason: 'Tasks have random ids and task definitions get their revision when they are registered; cluster and family are fixed.',
  },
  {
    engine: 'cdk-nag',
    rule: /^AwsSolutions-IAM5\[Resource::\*\]$/,
    where: /(Rescue|Verification)\/Role\/DefaultPolicy/,
    reason: 'Only ecs:ListTasks, for one cluster by a condition; the rule "iam" checks the rest.',
  },
  {
    engine: 'rules',
    rule: 'iam',
    where: /(Rescue|Verification)\/Role\/DefaultPolicy|\/WorkPool\/EndFlowRunsIn/,
    message: /ecs:ListTasks/,
    reason: 'ECS asks for ecs:ListTasks on * where no container instance is named, and Fargate has none; a condition fixes the cluster.',
  },
  {
    engine: 'rules',
    rule: 'dependencies',
    where: /\/(WorkPool|WorkPoolProvider)\/Function\/Resource$|\/WorkPool\/(Managed\/Kept|FlowRunTasks)\/Resource\/Default$/,
    message: /before \w+(WorkPoolCall|WorkPoolEndFlowRunsIn|VerificationCall)/,
    reason: 'Of several APIs or clusters each brings its policy, and the resources that need it depend on it.',
  },
  {
    engine: 'cdk-nag',
    rule: /^AwsSolutions-IAM4\[.*AWSLambda(BasicExecutionRole|VPCAccessExecutionRole|ENIManagementAccess)\]$/,
    where: /.*/,
    reason: 'The policy holds the logging and network rights that every function needs, and follows Lambda when it needs others.',
  },
  {
    engine: 'cdk-nag',
    rule: /^AwsSolutions-IAM5\[Resource::<.*Function.*\.Arn>:\*\]$/,
    where: /\/Provider\/framework-onEvent\/ServiceRole\/DefaultPolicy/,
    reason: 'The CDK\'s provider framework may call every version of the one function that it wraps.',
  },
  {
    engine: 'cdk-nag',
    rule: /^AwsSolutions-IAM5\[Resource::\*\]$/,
    where: /\/WorkPool\/EndFlowRunsIn|\/(WorkPool\/Role|WorkPoolProvider\/(Role|Provider\/framework-onEvent\/ServiceRole))\/DefaultPolicy/,
    reason: 'Only ecs:ListTasks, for one cluster by a condition, and in a VPC ec2:DescribeSubnets, which has no resource-level permissions; the rule "iam" checks the rest.',
  },
  {
    engine: 'cdk-nag',
    rule: /^AwsSolutions-IAM5\[Resource::\*\]$/,
    where: /\/PrefectImages\w*\/Role\/DefaultPolicy/,
    reason: 'Only ec2:DescribeSubnets, by which AWS Lambda attaches the function to the VPC, and which has no resource-level permissions; the rule "iam" checks the rest.',
  },
  {
    engine: 'cdk-nag',
    rule: /^(NIST\.800\.53\.R5|PCI\.DSS\.321|HIPAA\.Security)-VPCDefaultSecurityGroupClosed$/,
    where: /^EverythingOn\/Worker\/Network\/Vpc\/Resource$/,
    reason: 'With network.functionsInVpc the CDK\'s function that takes the rules away is not there, because it runs outside of the VPC; nothing is in the group.',
  },
  {
    engine: 'cdk-nag',
    rule: /^AwsSolutions-IAM5\[Resource::\*\]$/,
    where: /\/Demand\/Role\/DefaultPolicy/,
    reason: 'cloudwatch:PutMetricData has no resources; the namespace is fixed by a condition, which the rule "iam" checks.',
  },
  ...[
    { engine: 'cdk-nag', rule: /^(AwsSolutions-S1|.*-S3BucketLoggingEnabled)$/ },
    { engine: 'checkov', rule: 'CKV_AWS_18' },
    { engine: 'control-tower', rule: 'CT.S3.PR.2' },
  ].map((exception) => ({
    ...exception,
    where: /LogArchive\/Bucket\/Resource$/,
    reason: 'Access logs would need a second bucket with the same question; who reads the archive is among CloudTrail\'s data events.',
  })),
  {
    engine: 'cdk-nag',
    rule: /-S3BucketReplicationEnabled$/,
    where: /LogArchive\/Bucket\/Resource$/,
    reason: 'A second region for logs is a decision of its own: give logArchive.bucket a bucket that replicates.',
  },
  {
    engine: 'control-tower',
    rule: 'CT.S3.PR.9',
    where: /LogArchive\/Bucket\/Resource$/,
    reason: 'A lock can\'t be taken back before its time; who must have one gives logArchive.bucket a bucket with it.',
  },
  {
    engine: 'control-tower',
    rule: 'CT.S3.PR.4',
    where: /LogArchive\/Bucket\/Resource$/,
    reason: 'Nothing waits for the archive\'s objects.',
  },
  {
    engine: 'cdk-nag',
    rule: /^AwsSolutions-IAM5\[Resource::<.*LogArchiveBucket.*\.Arn>\/\*\]$/,
    where: /LogArchive\/WriterRole\/DefaultPolicy/,
    reason: 'Firehose names the objects by their time.',
  },
  {
    engine: 'cdk-nag',
    rule: 'AwsSolutions-EC23',
    where: /EndpointSecurityGroup\/Resource$/,
    message: /threw an error/,
    reason: 'cdk-nag can\'t read an address range that is a reference to the VPC\'s own; the rule "no-ingress" does.',
  },
  {
    engine: 'cdk-nag',
    rule: 'AwsSolutions-L1',
    where: /.*/,
    reason: 'The functions stay on a runtime that all regions and partitions have.',
  },
  ...lambda(/^(NIST\.800\.53\.R5|PCI\.DSS\.321|HIPAA\.Security)-LambdaInsideVPC$/, 'CKV_AWS_117', 'CT.LAMBDA.PR.3').map((exception) => ({
    ...exception,
    reason: 'A function is in the VPC where the API is (privateNetwork), or with network.functionsInVpc. Others call AWS and Prefect Cloud, for which a VPC would only add what can fail.',
  })),
  ...lambda(/^(NIST\.800\.53\.R5|HIPAA\.Security)-LambdaConcurrency$/, 'CKV_AWS_115').map((exception) => ({
    ...exception,
    reason: 'Reserved concurrency comes out of what the account has for all functions; deployments fail where that is little, and one call at a time needs none.',
  })),
  ...lambda(/^(NIST\.800\.53\.R5|HIPAA\.Security)-LambdaDLQ$/, 'CKV_AWS_116').map((exception) => ({
    ...exception,
    where: /\/Rescue\/Function/,
    reason: 'The function looks at what there is; a minute later it looks again, and an old look is of no use.',
  })),
  ...lambda(/^(NIST\.800\.53\.R5|HIPAA\.Security)-LambdaDLQ$/, 'CKV_AWS_116').map((exception) => ({
    ...exception,
    where: /\/((WorkPool|Verification)\/Function\/.*|WorkPoolProvider\/.*|PrefectImages\w*\/.*|Custom::.*CustomResourceProvider\/Handler)/,
    reason: 'CloudFormation waits for the answer of a custom resource and fails the deployment without it; nobody would look into a queue.',
  })),
  ...lambda(/^(NIST\.800\.53\.R5|HIPAA\.Security)-LambdaDLQ$/, 'CKV_AWS_116').map((exception) => ({
    ...exception,
    where: /\/Demand\/Function\/Resource$/,
    reason: 'The publisher counts anew at its next call, within a minute: an old call has nothing left to say.',
  })),
  {
    engine: 'checkov',
    rule: 'CKV_AWS_173',
    where: /.*/,
    reason: 'The variables hold settings and references, and are encrypted with Lambda\'s own key.',
  },
  {
    engine: 'cdk-nag',
    rule: /^(NIST\.800\.53\.R5|PCI\.DSS\.321|HIPAA\.Security)-IAMNoInlinePolicy$/,
    where: /\/(DefaultPolicy|(WorkPool|Verification)\/(Call|EndFlowRunsIn\w+))\/Resource$/,
    reason: 'Each policy is of one role, made of the grants that it needs, and goes with it; a managed policy would outlive that and could be attached elsewhere.',
  },
  {
    engine: 'cdk-nag',
    rule: /^(NIST\.800\.53\.R5|PCI\.DSS\.321|HIPAA\.Security)-EC2Restricted(CommonPorts|SSH)$/,
    where: /EndpointSecurityGroup\/Resource$/,
    message: /threw an error/,
    reason: 'cdk-nag can\'t read an address range that is a reference to the VPC\'s own; the rule "no-ingress" does.',
  },
  {
    engine: 'cdk-nag',
    rule: /^(NIST\.800\.53\.R5|PCI\.DSS\.321|HIPAA\.Security)-VPCNoUnrestrictedRouteToIGW$/,
    where: /\/Vpc\/PublicSubnet\d+\/DefaultRoute$/,
    reason: 'The public subnets hold the NAT gateways, whose way to the internet this is; no task is in them.',
  },
  {
    engine: 'cdk-nag',
    rule: /^(NIST\.800\.53\.R5|HIPAA\.Security)-SecretsManagerRotationEnabled$/,
    where: /\/(ApiKey|AuthString|Headers)\/Resource$/,
    reason: 'The scenario\'s secrets hold what Prefect or its proxy issues, so Secrets Manager has nothing to rotate them with.',
  },
  {
    engine: 'cdk-nag',
    rule: /^(NIST\.800\.53\.R5|PCI\.DSS\.321|HIPAA\.Security)-SecretsManagerUsingKMSKey$/,
    where: /\/(ApiKey|AuthString|Headers)\/Resource$/,
    reason: 'The secrets are yours, and so is the choice of their key; the library reads them with any.',
  },
  {
    engine: 'checkov',
    rule: 'CKV_AWS_149',
    where: /\/(ApiKey|AuthString|Headers)\/Resource$/,
    reason: 'The secrets are yours, and so is the choice of their key; the library reads them with any.',
  },
  {
    engine: 'control-tower',
    rule: 'CT.CLOUDWATCH.PR.2',
    where: /Logs\/Resource$/,
    reason: 'Logs are kept for 30 days where you don\'t say otherwise; observability.logRetention takes a year and more.',
  },
  {
    engine: 'control-tower',
    rule: 'CT.ECS.PR.7',
    where: /\/TaskDefinition\/Resource$/,
    reason: 'On Fargate the task\'s memory is the limit, and the worker may have all that its sidecars leave.',
  },
  {
    engine: 'control-tower',
    rule: 'CT.ECS.PR.3',
    where: /\/TaskDefinition\/Resource$/,
    message: /container ca-certificate/,
    reason: 'ECS gives the volume that the certificate is written to to root. The container ends before the worker starts.',
  },
  {
    engine: 'control-tower',
    rule: /^CT\.ECS\.PR\.(3|6)$/,
    where: /\/TaskDefinition\/Resource$/,
    message: /container (worker|prefect)/,
    reason: 'Flow runs and PROCESS workers run your flows, which write and install where their image lets them; their user and file system are the image\'s. The rule "containers" checks ECS workers.',
  },
  {
    engine: 'control-tower',
    rule: 'CT.SQS.PR.1',
    where: /DeadLetterQueue\/Resource$/,
    reason: 'It is the dead-letter queue.',
  },
  {
    engine: 'cloudformation-validate',
    rule: 'W3005',
    where: /.*/,
    reason: 'A DependsOn that a reference implies already comes from the CDK when it depends on a whole construct, and is harmless.',
  },
  {
    engine: 'cfn-lint',
    rule: 'W3005',
    where: /.*/,
    reason: 'A DependsOn that a reference implies already comes from the CDK when it depends on a whole construct, and is harmless.',
  },
  ...serverSuppressions,
];

/** Divides findings into those that stay and the suppressions that were used. */
export function suppress(findings: readonly Finding[], pathOf: (finding: Finding) => string): { left: Finding[]; used: Set<Suppression> } {
  const used = new Set<Suppression>();
  const left = findings.filter((finding) => {
    const matching = suppressions.filter((suppression) => matches(suppression, finding, pathOf(finding)));
    matching.forEach((suppression) => used.add(suppression));
    return matching.length === 0;
  });
  return { left, used };
}

function matches({ engine, rule, where, message }: Suppression, finding: Finding, path: string): boolean {
  return engine === finding.engine
    && (typeof rule === 'string' ? rule === finding.rule : rule.test(finding.rule))
    && (where.test(path) || where.test(finding.logicalId))
    && (message === undefined || message.test(finding.message));
}
