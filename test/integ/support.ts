import { aws_ecs as ecs, aws_secretsmanager as secretsmanager, aws_ssm as ssm, Stack } from 'aws-cdk-lib';
import { PrefectApi } from '../../src';

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
