import { App, aws_ec2 as ec2, aws_ecs as ecs, aws_secretsmanager as secretsmanager, Duration, Stack } from 'aws-cdk-lib';
import { PrefectApi, PrefectFargateWorker, WorkPool } from '../../../src';

/** The CDK app of the test of ECS workers that are there while there is something to do. */
const app = new App();
const stack = new Stack(app, 'FromZero');
new PrefectFargateWorker(stack, 'Worker', {
  api: PrefectApi.selfHosted({
    url: process.env.API_URL!,
    authString: ecs.Secret.fromSecretsManager(secretsmanager.Secret.fromSecretCompleteArn(stack, 'Secret', process.env.SECRET_ARN!)),
    privateNetwork: true,
  }),
  vpc: new ec2.Vpc(stack, 'Vpc', { maxAzs: 2, natGateways: 1 }),
  workPool: WorkPool.managed('from zero'),
  // The time to a worker on this machine, which is a busy one, and the shortest patience; all other settings of scaling are the defaults.
  scaling: { minWorkers: 0, leadTime: Duration.seconds(Number(process.env.LEAD_TIME)), scaleInAfter: Duration.minutes(1) },
});
