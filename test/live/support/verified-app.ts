import { App, aws_ec2 as ec2, aws_ecr as ecr, aws_ecs as ecs, aws_lambda as lambda, aws_secretsmanager as secretsmanager, Duration, Stack } from 'aws-cdk-lib';
import { PrefectApi, PrefectFargateWorker, WorkerType, WorkPool } from '../../../src';

/** The CDK app of the test of deployments that prove themselves: a worker of the type under test. */
const { API_URL, SECRET_ARN, WORKER_TYPE, WORKERS, RELEASE, SECONDS, IMAGE, FLOW_RUN_IMAGE } = process.env;

const app = new App();
const stack = new Stack(app, 'Verified');
const repository = new ecr.Repository(stack, 'Images');
const flowRunDefaults = FLOW_RUN_IMAGE
  ? { image: FLOW_RUN_IMAGE === 'missing' ? ecs.ContainerImage.fromEcrRepository(repository, 'missing') : ecs.ContainerImage.fromRegistry(FLOW_RUN_IMAGE) }
  : undefined;
new PrefectFargateWorker(stack, 'Worker', {
  api: PrefectApi.selfHosted({
    url: API_URL!,
    authString: ecs.Secret.fromSecretsManager(secretsmanager.Secret.fromSecretCompleteArn(stack, 'Secret', SECRET_ARN!)),
    privateNetwork: true,
  }),
  vpc: new ec2.Vpc(stack, 'Vpc', { maxAzs: 2, natGateways: 1 }),
  // One that nobody has pushed.
  image: IMAGE ? ecs.ContainerImage.fromEcrRepository(repository, IMAGE) : undefined,
  // A name for each type: a pool keeps its type.
  workPool: WorkPool.managed(WORKER_TYPE === WorkerType.ECS ? 'tasks' : 'verified', { concurrencyLimit: 5, flowRunDefaults }),
  workerType: WORKER_TYPE as WorkerType,
  environment: { RELEASE: RELEASE! },
  // The shortest patience, where the number of workers follows demand.
  scaling: { minWorkers: Number(WORKERS), scaleInAfter: WORKER_TYPE === WorkerType.ECS ? undefined : Duration.minutes(1) },
  verify: true,
});

// Its patience is shortened as other tests shorten AWS's own times.
for (const child of stack.node.findAll()) {
  if (child instanceof lambda.Function && /\/Verification\/Function$/.test(child.node.path)) child.addEnvironment('VERIFICATION_SECONDS', SECONDS!);
}
