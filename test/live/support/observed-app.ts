import { App, aws_ecs as ecs, aws_secretsmanager as secretsmanager, Stack } from 'aws-cdk-lib';
import { TRACED_IMAGE } from './collector';
import { PrefectApi, PrefectFargateWorker, Tracing, WorkerType, WorkPool } from '../../../src';

/** The CDK app of the test of traces: a worker of each type, of which the PROCESS worker has an image that sends traces. */
const app = new App();
const stack = new Stack(app, 'Traced');
const api = PrefectApi.selfHosted({
  url: process.env.API_URL!,
  authString: secretsmanager.Secret.fromSecretCompleteArn(stack, 'Secret', process.env.SECRET_ARN!),
  privateNetwork: true,
});
const common = { api, scaling: { minWorkers: 1 }, observability: { tracing: Tracing.xray() } };

const processes = new PrefectFargateWorker(stack, 'Processes', {
  ...common,
  workPool: WorkPool.managed('traced processes'),
  workerType: WorkerType.PROCESS,
  image: ecs.ContainerImage.fromRegistry(TRACED_IMAGE),
});
new PrefectFargateWorker(stack, 'Tasks', { ...common, workPool: WorkPool.managed('traced tasks'), vpc: processes.vpc, cluster: processes.cluster });
