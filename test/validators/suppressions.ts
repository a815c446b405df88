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
    where: /ExecutionRole\/DefaultPolicy/,
    reason: 'ecr:GetAuthorizationToken, which an image in Amazon ECR needs, has no resource-level permissions.',
  },
  {
    engine: 'cdk-nag',
    rule: /^AwsSolutions-IAM5\[Resource::arn:<AWS::Partition>:ecs:.*:task(-definition)?\/[^*]+\*(:\*)?\]$/,
    where: /WorkerRole\/DefaultPolicy/,
    reason: 'Tasks have random ids and task definitions get their revision when they are registered; cluster and family are fixed.',
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
];

/** Divides findings into those that stay and the suppressions that were used. */
export function suppress(findings: Finding[], pathOf: (finding: Finding) => string): { left: Finding[]; used: Set<Suppression> } {
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
