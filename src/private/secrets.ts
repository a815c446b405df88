import { aws_ecs as ecs } from 'aws-cdk-lib';
import { invalid, isResolved, ValidationError } from './validation';

/**
 * Throws unless `value` is an `ecs.Secret` (or is absent). Languages without types let everything through, and CDK's own error
 * would be about a property of undefined. The value is never shown.
 */
export function requireSecret(prop: string, value: ecs.Secret | undefined): void {
  if (value === undefined || value === null) return;
  if (isSecret(value)) {
    requireArn(prop, value);
    return;
  }
  const { kind, fix } = kindOf(value);
  throw new ValidationError(`${prop} is ${kind} (its value is not shown here): ${fix}`);
}

/** Throws also where there is none. */
export function requireGivenSecret(prop: string, value: ecs.Secret | undefined): void {
  if (value === undefined || value === null) {
    throw new ValidationError(`${prop} is missing: give ecs.Secret.fromSecretsManager(secret) or ecs.Secret.fromSsmParameter(parameter).`);
  }
  requireSecret(prop, value);
}

/** What was imported with the deprecated `Secret.fromSecretName()` has its name for an ARN, which ECS takes for an SSM parameter's. */
function requireArn(prop: string, { arn }: ecs.Secret): void {
  if (isResolved(arn) && !arn.startsWith('arn:')) {
    throw invalid(prop, arn, 'ECS finds a secret by its ARN; import it with Secret.fromSecretNameV2() or Secret.fromSecretCompleteArn().');
  }
}

/** Not by its class, of which there may be two where two copies of the CDK are installed. */
function isSecret(value: any): boolean {
  return typeof value.arn === 'string' && typeof value.grantRead === 'function';
}

function kindOf(value: any): { kind: string; fix: string } {
  if (typeof value === 'object' && typeof value.grantRead === 'function') {
    if ('secretArn' in value) return { kind: 'a secret of AWS Secrets Manager', fix: 'give ecs.Secret.fromSecretsManager(secret), with the name of a field where the secret is a JSON object.' };
    if ('parameterArn' in value) return { kind: 'an SSM parameter', fix: 'give ecs.Secret.fromSsmParameter(parameter).' };
  }
  if (/^Cfn(Secret|Parameter)$/.test(value.constructor?.name ?? '')) {
    return { kind: `the L1 construct ${value.constructor.name}`, fix: 'give ecs.Secret.fromSecretsManager() with secretsmanager.Secret.fromSecretCompleteArn(), whose ARN is its ref.' };
  }
  const kind = typeof value === 'string' ? 'a string' : value.constructor?.name === 'SecretValue' ? 'a SecretValue' : `of the type ${typeof value}`;
  return {
    kind,
    fix: 'a value in the template is readable by whoever reads the template; put it into AWS Secrets Manager, and give ecs.Secret.fromSecretsManager(secret).',
  };
}

/** Whether some of the secrets are SSM parameters. */
export function hasParameters(...secrets: readonly ({ readonly [variable: string]: ecs.Secret } | undefined)[]): boolean {
  return secrets.some(some => Object.values(some ?? {}).some(({ arn }) => /^arn:[^:]*:ssm:/.test(arn)));
}
