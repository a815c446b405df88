import { Annotations, aws_ecs as ecs, aws_iam as iam, Stack } from 'aws-cdk-lib';
import { Construct, IConstruct } from 'constructs';
import { policyResourcesOf, RecordedRole } from './recorded-role';
import { isResolved } from './validation';

/**
 * How CDK allows the reading of a secret that was imported by its name, where that ends in a hyphen and six characters. AWS takes
 * such a name in an ARN for the end of a complete one: it would read another secret, which the policy doesn't allow.
 *
 * @see https://docs.aws.amazon.com/secretsmanager/latest/userguide/troubleshoot.html#ARN_secretnamehyphen
 */
const NAMED_LIKE_AN_ARN = /:secret:([^:]+-[A-Za-z0-9]{6})-\?{6}$/;

/**
 * An error at synth for each secret that neither ECS nor the functions may read: of the API, of `secrets`, of registries, and what
 * users add to the task definitions. The worker's roles read all of them, but for the two that are for the code in the tasks: that
 * may ask for a secret by its name.
 *
 * @param places the worker, and other constructs in which roles of its functions are
 */
export function requireReadableSecrets(places: readonly IConstruct[], executionRoles: readonly iam.IRole[], taskRoles: readonly iam.IRole[]): void {
  places[0].node.addValidation({
    validate: () => {
      const created = places.flatMap(place => place.node.findAll()).filter(child => child instanceof iam.Role);
      const roles = new Set<IConstruct>([...created, ...executionRoles]);
      taskRoles.forEach(role => roles.delete(role));
      const names = [...roles].flatMap(secretsOf).map(text => NAMED_LIKE_AN_ARN.exec(text)?.[1]).filter(name => name !== undefined);
      return [...new Set(names)].map(name =>
        `The secret ${JSON.stringify(name)} is imported by its name, which ends in a hyphen and six characters. AWS takes such a name for a complete ARN, so neither Amazon ECS `
        + 'nor the functions could read the secret: import it with Secret.fromSecretCompleteArn(), or give it a name that ends differently.');
    },
  });
}

/** What a role may do. */
function statementsOf(role: IConstruct): any[] {
  return role instanceof RecordedRole
    ? role.statements.map(statement => statement.toStatementJson())
    : policyResourcesOf(role).flatMap(({ policyDocument }) => policyDocument instanceof iam.PolicyDocument
      ? policyDocument.toJSON()?.Statement ?? []
      : Stack.of(role).resolve(policyDocument)?.Statement ?? []);
}

/** Whose secrets it may read. Not every policy has to be resolved for that. */
function secretsOf(role: IConstruct): string[] {
  const readable = statementsOf(role).filter(({ Action = [] }) => [Action].flat().some(action => /^secretsmanager:/.test(action)));
  return readable.flatMap(({ Resource }) => texts(Stack.of(role).resolve(Resource)));
}

function texts(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(texts) : [];
}

/** ECS reads secrets of any region, but the endpoints of a VPC lead to those of their own only. */
export function warnOfDistantSecrets(worker: Construct, secrets: readonly ecs.Secret[]): void {
  const { region } = Stack.of(worker);
  for (const { arn } of secrets) {
    const other = arn.split(':')[3];
    if (!isResolved(arn) || !isResolved(region) || !other || other === region) continue;
    Annotations.of(worker).addWarningV2('cdk-prefect-fargate-worker:secretOfAnotherRegion',
      `The secret ${arn} is in ${other}. Tasks in subnets without a route to the internet can't read it, because VPC endpoints lead to ${region} only. `
      + `Replicate it to ${region} and give the replica.`);
  }
}
