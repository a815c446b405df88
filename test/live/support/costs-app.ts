import { App, aws_ec2 as ec2, aws_ecs as ecs, aws_secretsmanager as secretsmanager, Stack } from 'aws-cdk-lib';
import { PrefectApi, PrefectFargateWorker, WorkPool } from '../../../src';

/** Two ECS workers of one cluster, whose flow runs have a price; those of the second are on ARM, with a larger disk. */
const { API_URL, SECRET_ARN } = process.env;

const app = new App();
const stack = new Stack(app, 'Costs');
const api = PrefectApi.selfHosted({
  url: API_URL!, authString: ecs.Secret.fromSecretsManager(secretsmanager.Secret.fromSecretCompleteArn(stack, 'Secret', SECRET_ARN!)), privateNetwork: true,
});
const vpc = new ec2.Vpc(stack, 'Vpc', { maxAzs: 2, natGateways: 1 });
const scaling = { minWorkers: 1 };
const { cluster } = new PrefectFargateWorker(stack, 'Plain', { api, vpc, scaling, workPool: WorkPool.managed('plain "tasks"') });
new PrefectFargateWorker(stack, 'Arm', {
  api,
  vpc,
  cluster,
  scaling,
  workPool: WorkPool.managed('arm', { flowRunDefaults: { ephemeralStorageGiB: 100 } }),
  cpuArchitecture: ecs.CpuArchitecture.ARM64,
  observability: { monthlyBudget: 100 },
});
app.synth();
