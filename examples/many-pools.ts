import { Stack, StackProps, aws_ecs as ecs, aws_secretsmanager as secretsmanager } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { PrefectApi, PrefectFargateWorker, WorkerType, WorkPool } from 'cdk-prefect-fargate-worker';

/** A pool for each kind of flow run, all in one VPC and one cluster. */
export class ManyPools extends Stack {
  constructor(scope: Construct, id: string, props?: StackProps) {
    super(scope, id, props);

    const api = PrefectApi.cloud({
      accountId: '11111111-2222-3333-4444-555555555555',
      workspaceId: '66666666-7777-8888-9999-000000000000',
      apiKey: ecs.Secret.fromSecretsManager(secretsmanager.Secret.fromSecretNameV2(this, 'ApiKey', 'prefect-api-key')),
    });

    // Short flows: processes that start within seconds.
    const { vpc, cluster } = new PrefectFargateWorker(this, 'Quick', {
      api,
      workPool: WorkPool.managed('quick'),
      workerType: WorkerType.PROCESS,
    });

    // Flow runs with a task each, in two sizes and with two sets of permissions.
    new PrefectFargateWorker(this, 'Standard', { api, vpc, cluster, workPool: WorkPool.managed('standard') });
    new PrefectFargateWorker(this, 'Training', {
      api,
      vpc,
      cluster,
      workPool: WorkPool.managed('training', { flowRunDefaults: { cpu: 8192, memoryLimitMiB: 61440 }, concurrencyLimit: 4 }),
    });
  }
}
