import { App, aws_ec2 as ec2, aws_ecs as ecs, aws_secretsmanager as secretsmanager, Stack } from 'aws-cdk-lib';
import { PrefectApi, PrefectFargateWorker, PrefectFargateWorkerProps, Results, WorkerType, WorkPool } from '../../../src';

/** Workers whose server, whose image or whose flow runs' image is the lowest that is supported, each beside today's of the others. */
const { API_URL, TODAYS_API_URL, SECRET_ARN, LOWEST_IMAGE } = process.env;

const stack = new Stack(new App(), 'Versions');
const authString = ecs.Secret.fromSecretsManager(secretsmanager.Secret.fromSecretCompleteArn(stack, 'Secret', SECRET_ARN!));
const lowestImage = ecs.ContainerImage.fromRegistry(LOWEST_IMAGE!);

const ofLowestServer = new PrefectFargateWorker(stack, 'lowest-server', {
  vpc: new ec2.Vpc(stack, 'Vpc', { maxAzs: 2, natGateways: 1 }),
  api: PrefectApi.selfHosted({ url: API_URL!, authString, privateNetwork: true }),
  workPool: WorkPool.managed('lowest server'),
  results: Results.managed(),
  scaling: { minWorkers: 1 },
});

function addWorker(workPool: WorkPool, props: Partial<PrefectFargateWorkerProps>): void {
  new PrefectFargateWorker(stack, workPool.name.replaceAll(' ', '-'), {
    api: PrefectApi.selfHosted({ url: TODAYS_API_URL!, privateNetwork: true }),
    workPool,
    results: Results.managed(),
    scaling: { minWorkers: 1 },
    vpc: ofLowestServer.vpc,
    cluster: ofLowestServer.cluster,
    ...props,
  });
}

addWorker(WorkPool.managed('lowest ECS worker'), { image: lowestImage });
addWorker(WorkPool.managed('lowest PROCESS worker'), { image: lowestImage, workerType: WorkerType.PROCESS, environment: { WORKER_DRAIN_SECONDS: '1' } });
addWorker(WorkPool.managed('lowest flow runs', { flowRunDefaults: { image: lowestImage } }), {});
