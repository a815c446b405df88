import { App, aws_ec2 as ec2, aws_ecs as ecs, aws_events as events, aws_secretsmanager as secretsmanager, aws_sns_subscriptions as subscriptions, aws_sqs as sqs, Stack } from 'aws-cdk-lib';
import { TRACED_IMAGE } from './collector';
import { PrefectApi, PrefectFargateWorker, Tracing, WorkerType, WorkPool } from '../../../src';

/** The CDK app of the test of traces and health: a worker of each type, of which the PROCESS worker has an image that sends traces. */
const app = new App();
const stack = new Stack(app, 'Observed');
const api = PrefectApi.selfHosted({
  url: process.env.API_URL!,
  authString: ecs.Secret.fromSecretsManager(secretsmanager.Secret.fromSecretCompleteArn(stack, 'Secret', process.env.SECRET_ARN!)),
  privateNetwork: true,
});
const common = {
  api,
  scaling: { minWorkers: 1 },
  observability: { tracing: Tracing.xray() },
  environment: JSON.parse(process.env.WORKER_ENVIRONMENT ?? '{}'),
};

const processes = new PrefectFargateWorker(stack, 'Processes', {
  ...common,
  vpc: new ec2.Vpc(stack, 'Vpc', { maxAzs: 2, natGateways: 1 }),
  workPool: WorkPool.managed('observed processes'),
  workerType: WorkerType.PROCESS,
  image: ecs.ContainerImage.fromRegistry(TRACED_IMAGE),
});
new PrefectFargateWorker(stack, 'Tasks', { ...common, workPool: WorkPool.managed('observed tasks'), vpc: processes.vpc, cluster: processes.cluster });

const pager = new sqs.Queue(stack, 'Pager');
// The workers of a stack share it.
processes.alarmTopic!.addSubscription(new subscriptions.SqsSubscription(pager, { rawMessageDelivery: true }));

// What looks after demand and lost runs once a minute would do so every few seconds here, and no test of this app needs it.
for (const rule of stack.node.findAll().filter(construct => construct instanceof events.CfnRule)) {
  if (rule.scheduleExpression) rule.state = 'DISABLED';
}
