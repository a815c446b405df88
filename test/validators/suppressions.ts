import { serverSuppressions } from './server-suppressions';
import type { Finding } from './types';
import { FINDINGS } from '../../src/private/acknowledged-findings';

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

/** What other checkers than cdk-nag call a finding that the library acknowledges, for the reason that it gives there. */
function alike(nag: string, checkov: string, controlTower?: string): Suppression[] {
  const { reason } = FINDINGS.find(({ rules }) => rules.some(rule => rule.endsWith(`-${nag}`)))!;
  return [
    { engine: 'checkov', rule: checkov, where: /.*/, reason },
    ...(controlTower ? [{ engine: 'control-tower', rule: controlTower, where: /.*/, reason }] : []),
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
    engine: 'rules',
    rule: 'iam',
    where: /(Rescue|Verification)\/Role\/DefaultPolicy|\/WorkPool\/EndFlowRunsIn/,
    message: /ecs:ListTasks/,
    reason: 'ECS asks for ecs:ListTasks on * where no container instance is named, and Fargate has none; a condition fixes the cluster.',
  },
  {
    engine: 'rules',
    rule: 'iam',
    where: /Demand\/Role\/DefaultPolicy/,
    message: /cloudwatch:GetMetricData/,
    reason: 'A dataset is what queries in PromQL name; metrics by namespace and dimension have no resources.',
  },
  {
    engine: 'rules',
    rule: 'dependencies',
    where: /\/(WorkPool|WorkPoolProvider)\/Function\/Resource$|\/WorkPool\/(Managed\/Kept|FlowRunTasks)\/Resource\/Default$/,
    message: /before \w+(WorkPoolCall|WorkPoolEndFlowRunsIn|VerificationCall)/,
    reason: 'Of several APIs or clusters each brings its policy, and the resources that need it depend on it.',
  },
  ...[
    { engine: 'checkov', rule: 'CKV_AWS_18' },
    { engine: 'control-tower', rule: 'CT.S3.PR.2' },
  ].map((exception) => ({
    ...exception,
    where: /(LogArchive|Results)\/Bucket\/Resource$/,
    reason: 'Access logs would need a second bucket with the same question; who reads the archive is among CloudTrail\'s data events.',
  })),
  {
    engine: 'control-tower',
    rule: 'CT.S3.PR.9',
    where: /(LogArchive|Results)\/Bucket\/Resource$/,
    reason: 'A lock can\'t be taken back before its time; who must have one gives logArchive.bucket a bucket with it.',
  },
  {
    engine: 'control-tower',
    rule: 'CT.S3.PR.4',
    where: /(LogArchive|Results)\/Bucket\/Resource$/,
    reason: 'Nothing waits for the archive\'s objects.',
  },
  ...alike('LambdaInsideVPC', 'CKV_AWS_117', 'CT.LAMBDA.PR.3'),
  ...alike('LambdaConcurrency', 'CKV_AWS_115'),
  ...alike('LambdaDLQ', 'CKV_AWS_116'),
  {
    engine: 'checkov',
    rule: 'CKV_AWS_173',
    where: /.*/,
    reason: 'The variables hold settings and references, and are encrypted with Lambda\'s own key.',
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
