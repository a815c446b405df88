import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { App, aws_ec2 as ec2, aws_ecs as ecs, aws_secretsmanager as secretsmanager, aws_ssm as ssm, Duration, Stack } from 'aws-cdk-lib';
import { addToFlowRuns } from './flow-run-additions';
import { PrefectApi, PrefectFargateWorker, Results, WorkerType, WorkPool } from '../../../src';

/** The CDK app of the live tests and the demo: a worker of each type, sharing a network, as a user would write it. */
const { API_URL, SECRET_ARN, HEADERS_ARN, MANAGEMENT_PARAMETER, CLOUD_ACCOUNT, CLOUD_WORKSPACE, WORKERS = '1', GREETING = 'hello' } = process.env;

/** Of a customer-managed Prefect Cloud: so Prefect's client knows that it speaks with Prefect Cloud. */
const CLOUD = 'https://prefect.company.example/api';

const app = new App();
const stack = new Stack(app, 'Live');
const secretOf = (id: string, arn: string | undefined) => arn === undefined
  ? undefined
  : ecs.Secret.fromSecretsManager(secretsmanager.Secret.fromSecretCompleteArn(stack, id, arn));
const secret = secretOf('Secret', SECRET_ARN);

const management = MANAGEMENT_PARAMETER
  ? ecs.Secret.fromSsmParameter(ssm.StringParameter.fromSecureStringParameterAttributes(stack, 'Management', { parameterName: MANAGEMENT_PARAMETER }))
  : undefined;

const api = CLOUD_ACCOUNT
  ? PrefectApi.cloud({
    accountId: CLOUD_ACCOUNT, workspaceId: CLOUD_WORKSPACE!, apiUrl: API_URL && CLOUD, apiKey: secret!, managementApiKey: management,
  })
  : PrefectApi.selfHosted({ url: API_URL!, authString: secret, customHeaders: secretOf('Headers', HEADERS_ARN), privateNetwork: true });
const scaling = { minWorkers: Number(WORKERS) };

const processes = new PrefectFargateWorker(stack, 'Processes', {
  api,
  // A server inside the network is reached from a VPC that is connected to it.
  vpc: CLOUD_ACCOUNT ? undefined : new ec2.Vpc(stack, 'Vpc', { maxAzs: 2, natGateways: 1 }),
  workPool: WorkPool.managed('live "processes"', { concurrencyLimit: 30, workQueues: [{ name: 'urgent', priority: 1 }] }),
  workerType: WorkerType.PROCESS,
  results: CLOUD_ACCOUNT ? undefined : Results.managed(),
  scaling,
});
const tasks = new PrefectFargateWorker(stack, 'Tasks', {
  api,
  workPool: WorkPool.managed('live tasks', {
    flowRunDefaults: { environment: { GREETING }, ephemeralStorageGiB: process.env.DATABASE_ARN ? 100 : undefined, maxRunTime: Duration.hours(2) },
  }),
  vpc: processes.vpc,
  cluster: processes.cluster,
  scaling,
});

if (process.env.DATABASE_ARN) addToFlowRuns(tasks, process.env.DATABASE_ARN);

// The tests' Prefect Cloud is a proxy on loopback: the one thing that is changed in what was synthesized.
const assembly = app.synth();
if (API_URL && CLOUD_ACCOUNT) {
  for (const file of readdirSync(assembly.directory).filter(name => name.endsWith('.template.json'))) {
    const path = join(assembly.directory, file);
    writeFileSync(path, readFileSync(path, 'utf8').replaceAll(CLOUD, API_URL.replace(/\/accounts\/.*/, '')));
  }
}
