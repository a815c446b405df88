import { aws_ecs as ecs, aws_secretsmanager as secretsmanager, aws_ssm as ssm, Stack, Token } from 'aws-cdk-lib';
import { PrefectApi, ServerDatabase } from '../../src';
import { FLOW_RUN_IMAGE } from '../../src/task/images';

/**
 * The Prefect server that the integration tests talk to is given by the account: a parameter with its URL and a secret with its
 * authentication string. So the same cases deploy to the stand-in and to a sandbox account, and their snapshots stay the same.
 */
export const API_URL_PARAMETER = '/cdk-prefect-fargate-worker/integ/api-url';
export const AUTH_STRING_SECRET = 'cdk-prefect-fargate-worker/integ/auth';

export function integApi(stack: Stack): PrefectApi {
  return PrefectApi.selfHosted({
    url: ssm.StringParameter.valueForStringParameter(stack, API_URL_PARAMETER),
    authString: ecs.Secret.fromSecretsManager(secretsmanager.Secret.fromSecretNameV2(stack, 'AuthString', AUTH_STRING_SECRET)),
  });
}

/** Pulled from its registry: the copies of images in Amazon ECR are the workers' cases'. */
export const SERVER_IMAGE = FLOW_RUN_IMAGE;

/**
 * The PostgreSQL that the server of the integration tests uses is given by the account, too: its address and the authority that signs its
 * certificate in parameters, user and password in a secret.
 */
export const DATABASE = '/cdk-prefect-fargate-worker/integ/database';
export const DATABASE_SECRET = 'cdk-prefect-fargate-worker/integ/database';

export function integDatabase(stack: Stack): ServerDatabase {
  const parameter = (name: string) => ssm.StringParameter.valueForStringParameter(stack, `${DATABASE}/${name}`);
  const secret = secretsmanager.Secret.fromSecretNameV2(stack, 'DatabaseSecret', DATABASE_SECRET);
  return ServerDatabase.fromEndpoint({
    host: parameter('host'),
    port: Token.asNumber(parameter('port')),
    databaseName: 'postgres',
    credentials: { username: ecs.Secret.fromSecretsManager(secret, 'username'), password: ecs.Secret.fromSecretsManager(secret, 'password') },
    tlsCaCertificate: parameter('authority'),
  });
}
