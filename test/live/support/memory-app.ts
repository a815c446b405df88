import { App, aws_ec2 as ec2, aws_ecs as ecs, aws_secretsmanager as secretsmanager, Stack } from 'aws-cdk-lib';
import { PrefectApi, PrefectFargateWorker, WorkerType, WorkPool } from '../../../src';

/** The CDK app of the test of memory: one PROCESS worker with little of it. */
const app = new App();
const stack = new Stack(app, 'Memory');
new PrefectFargateWorker(stack, 'Worker', {
  api: PrefectApi.selfHosted({
    url: process.env.API_URL!,
    authString: ecs.Secret.fromSecretsManager(secretsmanager.Secret.fromSecretCompleteArn(stack, 'Secret', process.env.SECRET_ARN!)),
    privateNetwork: true,
  }),
  vpc: new ec2.Vpc(stack, 'Vpc', { maxAzs: 2, natGateways: 1 }),
  workPool: WorkPool.managed('memory'),
  workerType: WorkerType.PROCESS,
  cpu: 256,
  memoryLimitMiB: 1024,
  flowRunLimit: 4,
  scaling: { minWorkers: 1, maxWorkers: 1 },
});
