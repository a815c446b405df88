import { Stack, StackProps, aws_ec2 as ec2, aws_ecr as ecr, aws_iam as iam, aws_rds as rds, aws_s3 as s3, aws_ecs as ecs, aws_secretsmanager as secretsmanager } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { PrefectApi, PrefectFargateWorker, WorkPool } from 'cdk-prefect-fargate-worker';

/** Flow runs that read a bucket, query a database and pull images of their own. */
export class Permissions extends Stack {
  constructor(scope: Construct, id: string, props?: StackProps) {
    super(scope, id, props);

    const worker = new PrefectFargateWorker(this, 'Worker', {
      api: PrefectApi.cloud({
        accountId: '11111111-2222-3333-4444-555555555555',
        workspaceId: '66666666-7777-8888-9999-000000000000',
        apiKey: ecs.Secret.fromSecretsManager(secretsmanager.Secret.fromSecretNameV2(this, 'ApiKey', 'prefect-api-key')),
      }),
      workPool: WorkPool.managed('etl'),
    });

    // A worker is a grantee: whatever has a grant method takes it.
    const bucket = new s3.Bucket(this, 'Lake', { blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL, enforceSSL: true });
    bucket.grantRead(worker);

    // It has connections, as a database has.
    const database = new rds.DatabaseInstance(this, 'Warehouse', {
      engine: rds.DatabaseInstanceEngine.postgres({ version: rds.PostgresEngineVersion.VER_17 }),
      vpc: worker.vpc,
      instanceType: ec2.InstanceType.of(ec2.InstanceClass.T4G, ec2.InstanceSize.MEDIUM),
      storageEncrypted: true,
    });
    database.connections.allowDefaultPortFrom(worker);
    database.secret!.grantRead(worker);

    // What no grant method covers.
    worker.grantPrincipal.addToPrincipalPolicy(new iam.PolicyStatement({
      actions: ['athena:StartQueryExecution', 'athena:GetQueryExecution', 'athena:GetQueryResults'],
      resources: [this.formatArn({ service: 'athena', resource: 'workgroup', resourceName: 'flows' })],
    }));

    // A role that deployments may name, with the job variable `task_role_arn`.
    worker.allowFlowRunRole(new iam.Role(this, 'Payroll', { assumedBy: new iam.ServicePrincipal('ecs-tasks.amazonaws.com') }));

    // Images that deployments name for themselves are pulled by the role that starts their tasks.
    ecr.Repository.fromRepositoryName(this, 'Flows', 'flows').grantPull(worker.flowRunExecutionRole);
  }
}
