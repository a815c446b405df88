import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { App, aws_ec2 as ec2, aws_ecs as ecs, aws_secretsmanager as secretsmanager, Stack } from 'aws-cdk-lib';
import { PrefectApi, PrefectFargateWorker, PrefectServer, ServerDatabase, ServerSize, WorkerType, WorkPool } from '../../../src';

/** The CDK app of the live tests of a server: with a database and a Redis on loopback, and with a worker of each type where it is asked for. */
const { IMAGE, POSTGRES_PORT, DATABASE, CREDENTIALS_ARN, AUTHORITY, REDIS_PORT, REDIS_TOKEN_ARN, NAME_PORT, AUTH_STRING_ARN, WORKERS } = process.env;

const app = new App();
const stack = new Stack(app, 'Live');
const secret = (id: string, arn: string, field?: string) =>
  ecs.Secret.fromSecretsManager(secretsmanager.Secret.fromSecretCompleteArn(stack, id, arn), field);

const server = new PrefectServer(stack, 'Server', {
  vpc: new ec2.Vpc(stack, 'Vpc', { maxAzs: 2, natGateways: 1, restrictDefaultSecurityGroup: false }),
  size: REDIS_PORT ? ServerSize.highlyAvailable() : ServerSize.small(),
  image: ecs.ContainerImage.fromRegistry(IMAGE!),
  database: ServerDatabase.fromEndpoint({
    host: '127.0.0.1',
    port: Number(POSTGRES_PORT),
    databaseName: DATABASE,
    credentials: { username: secret('User', CREDENTIALS_ARN!, 'username'), password: secret('Password', CREDENTIALS_ARN!, 'password') },
    tlsCaCertificate: AUTHORITY,
  }),
  redis: REDIS_PORT ? { host: '127.0.0.1', port: Number(REDIS_PORT), authToken: secret('Token', REDIS_TOKEN_ARN!) } : undefined,
  authString: AUTH_STRING_ARN ? secret('Given', AUTH_STRING_ARN) : undefined,
  // The authority of the database signed for Redis too, where in AWS it is a public one.
  environment: { SSL_CERT_FILE: '/prefect-tls/ca.pem' },
});
if (WORKERS) {
  for (const [id, workerType] of [['Processes', WorkerType.PROCESS], ['Tasks', WorkerType.ECS]] as const) {
    new PrefectFargateWorker(stack, id, {
      api: PrefectApi.fromServer(server),
      workPool: WorkPool.managed(id.toLowerCase()),
      workerType,
      cluster: server.cluster,
      scaling: { minWorkers: 1 },
    });
  }
}

// No name server knows the private name on this machine: the one thing that is changed in what was synthesized.
const name = new URL(server.apiUrl).host;
const { directory } = app.synth();
for (const file of readdirSync(directory).filter(found => found.endsWith('.template.json'))) {
  const path = join(directory, file);
  writeFileSync(path, readFileSync(path, 'utf8').replaceAll(name, `127.0.0.1:${NAME_PORT}`));
}
