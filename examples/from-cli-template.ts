import { Stack, StackProps, aws_ec2 as ec2, aws_ecs as ecs, aws_secretsmanager as secretsmanager } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { PrefectApi, PrefectFargateWorker, WorkPool } from 'cdk-prefect-fargate-worker';

/** Takes over from a stack that `prefect-aws ecs-worker deploy-service` made: its pool, its VPC, its key. */
export class FromCliTemplate extends Stack {
  constructor(scope: Construct, id: string, props: StackProps) {
    super(scope, id, props);

    new PrefectFargateWorker(this, 'Worker', {
      api: PrefectApi.cloud({
        accountId: '11111111-2222-3333-4444-555555555555',
        workspaceId: '66666666-7777-8888-9999-000000000000',
        apiKey: ecs.Secret.fromSecretsManager(secretsmanager.Secret.fromSecretNameV2(this, 'ApiKey', 'prefect-api-key')), // PrefectApiKeySecretArn
      }),
      workPool: WorkPool.managed('my-ecs-pool'), // WorkPoolName
      vpc: ec2.Vpc.fromLookup(this, 'Vpc', { vpcId: 'vpc-0a1b2c3d' }), // ExistingVpcId
      scaling: { minWorkers: 2 }, // MinCapacity; what MaxCapacity was for is not needed: two start all flow runs
    });
  }
}
