import { App, aws_ec2 as ec2, aws_ecs as ecs, aws_events as events, aws_lambda as lambda, aws_secretsmanager as secretsmanager, Stack } from 'aws-cdk-lib';
import { PrefectApi, PrefectFargateWorker, Results, WorkerType, WorkPool } from '../../../src';

/** The CDK app of the faults: one worker service of the type under test, with or without the measures against lost runs. */
const { API_URL, SECRET_ARN, WORKERS, WORKER_TYPE, MEASURES, REALTIME, FLOW_RUN_LIMIT, WORKER_ENVIRONMENT = '{}' } = process.env;

const app = new App();
const stack = new Stack(app, 'Faults');
const worker = new PrefectFargateWorker(stack, 'Worker', {
  api: PrefectApi.selfHosted({
    url: API_URL!, authString: ecs.Secret.fromSecretsManager(secretsmanager.Secret.fromSecretCompleteArn(stack, 'Secret', SECRET_ARN!)), privateNetwork: true,
  }),
  vpc: new ec2.Vpc(stack, 'Vpc', { maxAzs: 2, natGateways: 1 }),
  workPool: WorkPool.managed('faults', WORKER_TYPE === WorkerType.ECS ? { flowRunDefaults: { outOfMemory: { maxMemoryMiB: 4096 } } } : {}),
  workerType: WORKER_TYPE as WorkerType,
  // Enough memory for 50 runs a worker.
  ...(WORKER_TYPE === WorkerType.PROCESS && { flowRunLimit: Number(FLOW_RUN_LIMIT), memoryLimitMiB: 8192 }),
  ...(MEASURES === 'on' && { results: Results.managed() }),
  scaling: { minWorkers: Number(WORKERS) },
  environment: JSON.parse(WORKER_ENVIRONMENT),
});

const reconciler = stack.node.findAll().find(({ node }) => node.path.endsWith('/Rescue/Function')) as lambda.Function;
// Its times are shortened like those of AWS.
if (REALTIME === 'off') reconciler.addEnvironment('LIMITS', JSON.stringify({ settle: 10, claimed: 75, starting: 40, cancelling: 40, preparing: 25 }));
if (MEASURES === 'off') (worker.node.findChild('Rescue').node.findChild('Schedule').node.defaultChild as events.CfnRule).state = 'DISABLED';

if (MEASURES === 'off' && WORKER_TYPE === WorkerType.PROCESS) {
  // The worker as others run it: Prefect's own command line, and nothing around it.
  const definition = worker.taskDefinition.node.defaultChild as ecs.CfnTaskDefinition;
  definition.addPropertyOverride('ContainerDefinitions.0.Command', plainCommand());
}

function plainCommand(): string[] {
  const { command } = (worker.taskDefinition.defaultContainer as any).props as ecs.ContainerDefinitionProps;
  return command!.slice(command!.indexOf('prefect'));
}

app.synth();
