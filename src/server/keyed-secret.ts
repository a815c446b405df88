import { aws_ecs as ecs, aws_iam as iam, aws_kms as kms, aws_secretsmanager as secretsmanager } from 'aws-cdk-lib';

/**
 * A secret of the server, for containers. What reads it has the permission for its key in policies of its own: the CDK writes it into the
 * key's, which would have to know the worker of another stack, while that stack waits for this one.
 */
export class KeyedSecret extends ecs.Secret {
  public readonly arn: string;
  public readonly hasField: boolean;

  constructor(private readonly secret: secretsmanager.ISecret, private readonly key: kms.IKey, field?: string) {
    super();
    this.hasField = field !== undefined;
    this.arn = field === undefined ? secret.secretArn : `${secret.secretArn}:${field}::`;
  }

  public grantRead(grantee: iam.IGrantable): iam.Grant {
    const grant = iam.Grant.addToPrincipal({
      grantee, actions: ['secretsmanager:GetSecretValue', 'secretsmanager:DescribeSecret'], resourceArns: [this.secret.secretArn],
    });
    iam.Grant.addToPrincipal({ grantee, actions: ['kms:Decrypt'], resourceArns: [this.key.keyArn] });
    return grant;
  }
}
