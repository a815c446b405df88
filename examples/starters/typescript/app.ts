import { App, aws_ecs as ecs, aws_secretsmanager as secretsmanager, Stack } from 'aws-cdk-lib';
import { PrefectApi, PrefectFargateWorker, WorkPool } from 'cdk-prefect-fargate-worker';

const app = new App();
const stack = new Stack(app, 'PrefectWorker');

new PrefectFargateWorker(stack, 'Worker', {
  api: PrefectApi.cloud({
    accountId: app.node.tryGetContext('prefectAccountId'),
    workspaceId: app.node.tryGetContext('prefectWorkspaceId'),
    apiKey: ecs.Secret.fromSecretsManager(secretsmanager.Secret.fromSecretNameV2(stack, 'ApiKey', 'prefect-api-key')),
  }),
  workPool: WorkPool.managed('etl'),
});

app.synth();
