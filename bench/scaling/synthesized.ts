import { App, assertions, aws_ecs as ecs, aws_secretsmanager as secretsmanager, Stack } from 'aws-cdk-lib';
import { PrefectApi, PrefectFargateWorker, ScalingOptions, WorkerType, WorkPool } from '../../src';
import { Deployment } from './template/deployment';
import { readTemplate } from './template/read';

/** What the library makes of a worker with its defaults, or with other scaling. */
export function synthesized(scaling?: ScalingOptions, workerType = WorkerType.PROCESS): Deployment {
  const stack = new Stack(new App(), 'Stack');
  new PrefectFargateWorker(stack, 'Worker', {
    api: PrefectApi.cloud({
      accountId: '11111111-2222-3333-4444-555555555555',
      workspaceId: '66666666-7777-8888-9999-000000000000',
      apiKey: ecs.Secret.fromSecretsManager(new secretsmanager.Secret(stack, 'ApiKey')),
    }),
    workPool: WorkPool.managed('etl'),
    workerType,
    scaling,
  });
  return readTemplate(assertions.Template.fromStack(stack).toJSON() as any, workerType);
}
