import { Stack, StackProps, aws_ecs as ecs, aws_secretsmanager as secretsmanager } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { PrefectApi, PrefectFargateWorker, WorkPool } from 'cdk-prefect-fargate-worker';

/** A worker of a Prefect Cloud workspace. */
export class PrefectCloud extends Stack {
  constructor(scope: Construct, id: string, props?: StackProps) {
    super(scope, id, props);

    // The secret is {"worker": "pnu_...", "management": "pnu_..."}.
    const keys = secretsmanager.Secret.fromSecretNameV2(this, 'PrefectSecret', 'prefect');
    new PrefectFargateWorker(this, 'Worker', {
      api: PrefectApi.cloud({
        accountId: '11111111-2222-3333-4444-555555555555',
        workspaceId: '66666666-7777-8888-9999-000000000000',
        apiKey: ecs.Secret.fromSecretsManager(keys, 'worker'),
        managementApiKey: ecs.Secret.fromSecretsManager(keys, 'management'),
      }),
      workPool: WorkPool.managed('etl', {
        concurrencyLimit: 50,
        workQueues: [{ name: 'urgent', priority: 1 }, { name: 'backfill', priority: 9, concurrencyLimit: 5 }],
      }),
    });
  }
}
