import { App, aws_ec2 as ec2, aws_ecs as ecs, aws_secretsmanager as secretsmanager, Stack } from 'aws-cdk-lib';
import { PrefectApi, PrefectFargateWorker, WorkerType, WorkPool } from '../../../src';

/** The CDK app of the test behind a proxy: a worker of each type, whose functions, workers and flow runs reach the API over it alone. */
const { API_URL, PROXY_URL, SECRET_ARN } = process.env;
const app = new App();
const stack = new Stack(app, 'Proxied');
const environment = { HTTP_PROXY: PROXY_URL!, HTTPS_PROXY: PROXY_URL! };
const common = {
  api: PrefectApi.selfHosted({
    url: API_URL!,
    authString: ecs.Secret.fromSecretsManager(secretsmanager.Secret.fromSecretCompleteArn(stack, 'Secret', SECRET_ARN!)),
    privateNetwork: true,
    proxyUrl: PROXY_URL,
  }),
  environment,
  scaling: { minWorkers: 1 },
};

const processes = new PrefectFargateWorker(stack, 'Processes', {
  ...common,
  vpc: new ec2.Vpc(stack, 'Vpc', { maxAzs: 2, natGateways: 1 }),
  workPool: WorkPool.managed('proxied processes'),
  workerType: WorkerType.PROCESS,
});
new PrefectFargateWorker(stack, 'Tasks', {
  ...common,
  workPool: WorkPool.managed('proxied tasks', { flowRunDefaults: { environment } }),
  vpc: processes.vpc,
  cluster: processes.cluster,
});
