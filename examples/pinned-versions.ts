import { Stack, StackProps, aws_ecs as ecs, aws_secretsmanager as secretsmanager } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { PrefectApi, PrefectFargateWorker, WorkPool } from 'cdk-prefect-fargate-worker';

/** Prefect's version is yours to choose, and doesn't move when the library does. */
export class PinnedVersions extends Stack {
  constructor(scope: Construct, id: string, props?: StackProps) {
    super(scope, id, props);

    // Docker Hub limits pulls without an account. {"username": "...", "password": "an access token"}
    const credentials = secretsmanager.Secret.fromSecretNameV2(this, 'DockerHub', 'docker-hub');

    new PrefectFargateWorker(this, 'Worker', {
      api: PrefectApi.cloud({
        accountId: '11111111-2222-3333-4444-555555555555',
        workspaceId: '66666666-7777-8888-9999-000000000000',
        apiKey: ecs.Secret.fromSecretsManager(secretsmanager.Secret.fromSecretNameV2(this, 'ApiKey', 'prefect-api-key')),
      }),
      image: ecs.ContainerImage.fromRegistry('prefecthq/prefect-aws:0.7.12-python3.12-prefect3.9.1', { credentials }),
      workPool: WorkPool.managed('etl', {
        flowRunDefaults: { image: ecs.ContainerImage.fromRegistry('prefecthq/prefect:3.9.1-python3.12', { credentials }) },
      }),
    });
  }
}
