import { App, aws_ec2 as ec2, aws_ecs as ecs, aws_events as events, aws_secretsmanager as secretsmanager, Stack } from 'aws-cdk-lib';
import { TRACED_IMAGE } from './collector';
import { PrefectApi, PrefectFargateWorker, Tracing, WorkerType, WorkPool } from '../../../src';

/** The CDK app of the test of traces over OTLP: a worker of each type, whose flow runs have an image that sends traces. */
const app = new App();
const stack = new Stack(app, 'Traced');
const secret = (id: string, arn: string) => ecs.Secret.fromSecretsManager(secretsmanager.Secret.fromSecretCompleteArn(stack, id, arn));
const common = {
  api: PrefectApi.selfHosted({ url: process.env.API_URL!, authString: secret('Secret', process.env.SECRET_ARN!), privateNetwork: true }),
  scaling: { minWorkers: 1 },
  observability: { tracing: Tracing.otlp({ endpoint: process.env.RECEIVER_URL!, headers: { 'x-api-key': secret('Key', process.env.KEY_ARN!) } }) },
};
const image = ecs.ContainerImage.fromRegistry(TRACED_IMAGE);

const processes = new PrefectFargateWorker(stack, 'Processes', {
  ...common, vpc: new ec2.Vpc(stack, 'Vpc', { maxAzs: 2, natGateways: 1 }), workPool: WorkPool.managed('traced processes'), workerType: WorkerType.PROCESS, image,
});
new PrefectFargateWorker(stack, 'Tasks', {
  ...common, workPool: WorkPool.managed('traced tasks', { flowRunDefaults: { image } }), vpc: processes.vpc, cluster: processes.cluster,
});

// What looks after demand and lost runs once a minute is of no interest here.
for (const rule of stack.node.findAll().filter(construct => construct instanceof events.CfnRule)) {
  if (rule.scheduleExpression) rule.state = 'DISABLED';
}
