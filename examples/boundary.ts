import { Aspects, CfnResource, IAspect, Stack, StackProps, aws_ecs as ecs, aws_iam as iam, aws_secretsmanager as secretsmanager } from 'aws-cdk-lib';
import { Construct, IConstruct } from 'constructs';
import { PrefectApi, PrefectFargateWorker, WorkPool } from 'cdk-prefect-fargate-worker';

/** Puts all roles under a path. */
class RolePath implements IAspect {
  constructor(private readonly path: string) {}

  public visit(node: IConstruct): void {
    // By the resource's type, because the CDK's own providers have roles that are no iam.CfnRole.
    if (CfnResource.isCfnResource(node) && node.cfnResourceType === 'AWS::IAM::Role') node.addPropertyOverride('Path', this.path);
  }
}

/** A stack whose roles have the company's permissions boundary, and a path. */
export class Boundary extends Stack {
  constructor(scope: Construct, id: string, props?: StackProps) {
    super(scope, id, props);

    new PrefectFargateWorker(this, 'Worker', {
      api: PrefectApi.cloud({
        accountId: '11111111-2222-3333-4444-555555555555',
        workspaceId: '66666666-7777-8888-9999-000000000000',
        apiKey: ecs.Secret.fromSecretsManager(secretsmanager.Secret.fromSecretNameV2(this, 'ApiKey', 'prefect-api-key')),
      }),
      workPool: WorkPool.managed('etl'),
    });

    iam.PermissionsBoundary.of(this).apply(iam.ManagedPolicy.fromManagedPolicyName(this, 'Company', 'team-boundary'));
    Aspects.of(this).add(new RolePath('/teams/data/'));
  }
}
