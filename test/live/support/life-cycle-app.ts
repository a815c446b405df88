import { App, aws_ec2 as ec2, aws_ecs as ecs, aws_lambda as lambda, aws_secretsmanager as secretsmanager, Stack } from 'aws-cdk-lib';
import { PrefectApi, PrefectFargateWorker, WorkPool } from '../../../src';

/** The CDK app of the test of a stack's end: an ECS worker, with nothing of the user's but the VPC. */
const app = new App();
const stack = new Stack(app, 'LifeCycle');
new PrefectFargateWorker(stack, 'Worker', {
  api: PrefectApi.selfHosted({
    url: process.env.API_URL!,
    authString: ecs.Secret.fromSecretsManager(secretsmanager.Secret.fromSecretCompleteArn(stack, 'Secret', process.env.SECRET_ARN!)),
    privateNetwork: true,
  }),
  vpc: new ec2.Vpc(stack, 'Vpc', { maxAzs: 2, natGateways: 1 }),
  workPool: WorkPool.managed('life cycle'),
  scaling: { minWorkers: 1 },
});

// Its patience is shortened as other tests shorten AWS's own times.
(stack.node.findAll().find(({ node }) => node.path.endsWith('/WorkPool/Function')) as lambda.Function)
  .addEnvironment('FLOW_RUN_PATIENCE_SECONDS', process.env.PATIENCE_SECONDS!);
