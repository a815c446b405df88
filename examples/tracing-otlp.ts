import * as path from 'node:path';
import { Stack, StackProps, aws_ecs as ecs, aws_secretsmanager as secretsmanager } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { PrefectApi, PrefectFargateWorker, Tracing, WorkPool } from 'cdk-prefect-fargate-worker';

/** Every flow run in ten is traced to a vendor, whose API key is a secret of the collector. */
export class TracedElsewhere extends Stack {
  constructor(scope: Construct, id: string, props?: StackProps) {
    super(scope, id, props);
    const secret = (name: string) => ecs.Secret.fromSecretsManager(secretsmanager.Secret.fromSecretNameV2(this, name, name));

    new PrefectFargateWorker(this, 'Worker', {
      api: PrefectApi.cloud({
        accountId: '11111111-2222-3333-4444-555555555555',
        workspaceId: '66666666-7777-8888-9999-000000000000',
        apiKey: secret('prefect-api-key'),
      }),
      workPool: WorkPool.managed('etl', {
        flowRunDefaults: { image: ecs.ContainerImage.fromAsset(path.join(__dirname, 'images', 'traced-flows')) },
      }),
      observability: {
        tracing: Tracing.otlp({
          endpoint: 'https://api.honeycomb.io',
          headers: { 'x-honeycomb-team': secret('honeycomb-api-key') },
          samplingRatio: 0.1,
        }),
      },
    });
  }
}
