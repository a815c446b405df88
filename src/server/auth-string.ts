import { aws_ecs as ecs, aws_kms as kms, aws_secretsmanager as secretsmanager, RemovalPolicy, SecretValue } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { KeyedSecret } from './keyed-secret';

/**
 * A secret with `prefect:<password>` as one text, as clients take it. Secrets Manager generates passwords alone, so a second secret has
 * that, and CloudFormation puts it behind the user.
 */
export function createdAuthString(scope: Construct, encryptionKey: kms.IKey): { authString: ecs.Secret; secret: secretsmanager.ISecret } {
  const common = { encryptionKey, removalPolicy: RemovalPolicy.DESTROY };
  const password = new secretsmanager.Secret(scope, 'Password', {
    ...common,
    description: `Password in the authentication string of the Prefect server ${scope.node.path}`,
    // Letters and digits: other characters than ASCII, the server would answer with errors.
    generateSecretString: { passwordLength: 48, excludePunctuation: true },
  });
  const secret = new secretsmanager.Secret(scope, 'AuthString', {
    ...common,
    description: `User and password of the Prefect server ${scope.node.path}`,
    // A dynamic reference, which the template has in the place of the value.
    secretStringValue: SecretValue.unsafePlainText(`prefect:${password.secretValue.unsafeUnwrap()}`),
  });
  return { authString: new KeyedSecret(secret, encryptionKey), secret };
}
