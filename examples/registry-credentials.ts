import { Stack, StackProps, aws_ecs as ecs, aws_secretsmanager as secretsmanager } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { PrefectApi, PrefectFargateWorker, WorkerType, WorkPool } from 'cdk-prefect-fargate-worker';

/** The worker's image is in a registry outside AWS that asks for a user name and a password. */
export class RegistryCredentials extends Stack {
  constructor(scope: Construct, id: string, props?: StackProps) {
    super(scope, id, props);

    // {"username": "...", "password": "..."}
    const credentials = secretsmanager.Secret.fromSecretNameV2(this, 'Registry', 'registry');

    new PrefectFargateWorker(this, 'Worker', {
      api: PrefectApi.cloud({
        accountId: '11111111-2222-3333-4444-555555555555',
        workspaceId: '66666666-7777-8888-9999-000000000000',
        apiKey: ecs.Secret.fromSecretsManager(secretsmanager.Secret.fromSecretNameV2(this, 'ApiKey', 'prefect-api-key')),
      }),
      workPool: WorkPool.managed('quick'),
      workerType: WorkerType.PROCESS,
      image: ecs.ContainerImage.fromRegistry('registry.example.com/data/flows:1.0.0', { credentials }),
    });
  }
}
