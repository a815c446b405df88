import { App, aws_ec2 as ec2, aws_ecs as ecs, aws_secretsmanager as secretsmanager, Stack } from 'aws-cdk-lib';
import { PrefectApi, PrefectFargateWorker, WorkerType, WorkPool } from '../../../src';

/** Twenty workers in one VPC and cluster: more than a stack may have resources for, so five in each. */
const IN_A_STACK = 5;
const { API_URL, SECRET_ARN, EACH } = process.env;

const app = new App();
const network = new Stack(app, 'ManyNetwork');
const vpc = new ec2.Vpc(network, 'Vpc', { maxAzs: 2, natGateways: 1 });
const cluster = new ecs.Cluster(network, 'Cluster', { vpc });

const stacks = Array.from({ length: Math.ceil(Number(EACH) / IN_A_STACK) }, (_, place) => place);
const places = [WorkerType.ECS, WorkerType.PROCESS].flatMap(workerType => stacks.map(place => ({ workerType, place })));
for (const { workerType, place } of places) {
  const stack = new Stack(app, `Many${workerType}${place}`);
  const api = PrefectApi.selfHosted({
    url: API_URL!, authString: ecs.Secret.fromSecretsManager(secretsmanager.Secret.fromSecretCompleteArn(stack, 'Secret', SECRET_ARN!)), privateNetwork: true,
  });
  for (let index = place * IN_A_STACK; index < Math.min(Number(EACH), (place + 1) * IN_A_STACK); index++) {
    // Without workers at first: the test has a run for a few of them at a time.
    new PrefectFargateWorker(stack, `Worker${index}`, {
      api, vpc, cluster, workerType, workPool: WorkPool.managed(`${workerType}-${index}`), scaling: { minWorkers: 0 },
    });
  }
}
app.synth();
