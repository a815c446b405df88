import { App, Stack, aws_ecs as ecs, aws_secretsmanager as secretsmanager } from 'aws-cdk-lib';
import { PrefectApi, PrefectFargateWorker, WorkPool } from 'cdk-prefect-fargate-worker';

const app = new App();
const stack = new Stack(app, 'DataPlatform');

new PrefectFargateWorker(stack, 'Worker', {
  api: PrefectApi.cloud({
    accountId: '11111111-2222-3333-4444-555555555555',
    workspaceId: '66666666-7777-8888-9999-000000000000',
    apiKey: ecs.Secret.fromSecretsManager(secretsmanager.Secret.fromSecretNameV2(stack, 'ApiKey', 'prefect-api-key')),
  }),
  workPool: WorkPool.managed('etl'),
});

app.synth();
