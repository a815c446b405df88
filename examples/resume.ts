import { Duration, Stack, StackProps, aws_ecs as ecs, aws_secretsmanager as secretsmanager } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { PrefectApi, PrefectFargateWorker, Results, WorkPool } from 'cdk-prefect-fargate-worker';

/** Flow runs that go on where they were interrupted: tasks that had finished are not repeated. */
export class Resume extends Stack {
  constructor(scope: Construct, id: string, props?: StackProps) {
    super(scope, id, props);

    new PrefectFargateWorker(this, 'Worker', {
      api: PrefectApi.cloud({
        accountId: '11111111-2222-3333-4444-555555555555',
        workspaceId: '66666666-7777-8888-9999-000000000000',
        apiKey: ecs.Secret.fromSecretsManager(secretsmanager.Secret.fromSecretNameV2(this, 'ApiKey', 'prefect-api-key')),
      }),
      workPool: WorkPool.managed('batch', { flowRunDefaults: { capacity: { spotWeight: 1, onDemandWeight: 0 } } }),
      results: Results.managed({ expiration: Duration.days(14) }),
    });
  }
}
