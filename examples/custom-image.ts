import * as path from 'node:path';
import { Stack, StackProps, aws_ecr_assets as assets, aws_ecs as ecs, aws_secretsmanager as secretsmanager } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { PrefectApi, PrefectFargateWorker, WorkerType, WorkPool } from 'cdk-prefect-fargate-worker';

/** A PROCESS worker whose image holds your flows and what they import; `cdk deploy` builds it. */
export class CustomImage extends Stack {
  constructor(scope: Construct, id: string, props?: StackProps) {
    super(scope, id, props);

    new PrefectFargateWorker(this, 'Worker', {
      api: PrefectApi.cloud({
        accountId: '11111111-2222-3333-4444-555555555555',
        workspaceId: '66666666-7777-8888-9999-000000000000',
        apiKey: ecs.Secret.fromSecretsManager(secretsmanager.Secret.fromSecretNameV2(this, 'ApiKey', 'prefect-api-key')),
      }),
      workPool: WorkPool.managed('quick'),
      workerType: WorkerType.PROCESS,
      image: ecs.ContainerImage.fromAsset(path.join(__dirname, 'images', 'worker'), { platform: assets.Platform.LINUX_ARM64 }),
      cpuArchitecture: ecs.CpuArchitecture.ARM64, // a fifth cheaper than X86_64
      cpu: 2048,
      memoryLimitMiB: 8192,
    });
  }
}
