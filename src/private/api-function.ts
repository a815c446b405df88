import { aws_iam as iam, aws_kms as kms, aws_logs as logs, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { ApiLocation, API_VARIABLE } from './prefect-connection';
import type { Network } from '../network/network';
import type { PrefectApi } from '../prefect-api';

export interface ApiFunctionOptions {
  readonly api: PrefectApi;
  readonly network: Network;
  readonly encryptionKey: kms.IKey;
  readonly logRetention: logs.RetentionDays;
  /** What the role is for. */
  readonly purpose: string;
}

/** Role, logs and network of a function that speaks with the Prefect API. */
export function apiFunction(scope: Construct, options: ApiFunctionOptions) {
  const { api, network } = options;
  const logGroup = functionLogs(scope, 'Logs', options);
  const role = new iam.Role(scope, 'Role', {
    description: options.purpose,
    assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com'),
  });
  if (network.functionsInVpc) letLambdaAttach(role);
  logGroup.grantWrite(role);
  Object.values(api._functionSecrets).forEach(secret => secret.grantRead(role));
  return { ...network.functionOptions, role, logGroup };
}

/**
 * Lambda uses the function's role to attach it to a VPC. The managed policy AWSLambdaVPCAccessExecutionRole would let it create log
 * groups too, and AWSLambdaENIManagementAccess lacks DescribeSubnets. EC2 has no resource-level permissions for most of these.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-permissions
 */
export function letLambdaAttach(role: iam.Role): void {
  role.addManagedPolicy(iam.ManagedPolicy.fromAwsManagedPolicyName('service-role/AWSLambdaENIManagementAccess'));
  role.addToPolicy(new iam.PolicyStatement({ sid: 'FindSubnets', actions: ['ec2:DescribeSubnets'], resources: ['*'] }));
}

/** The log group of a function. */
export function functionLogs(scope: Construct, id: string, options: Pick<ApiFunctionOptions, 'encryptionKey' | 'logRetention'>): logs.LogGroup {
  return new logs.LogGroup(scope, id, {
    encryptionKey: options.encryptionKey,
    retention: options.logRetention,
    removalPolicy: RemovalPolicy.DESTROY,
  });
}

/** What a function is told of the API. */
export function apiLocation(api: PrefectApi): ApiLocation {
  return {
    url: api.url,
    isCloud: api.isCloud,
    tlsCaCertificate: api._tlsCaCertificate,
    proxyUrl: api._proxyUrl,
    secrets: Object.fromEntries(Object.entries(api._functionSecrets).map(([variable, secret]) => [variable, secret.arn])),
  };
}

/** The variables of a function that speaks with one API, for whichever pool it is called. */
export function apiEnvironment(scope: Construct, api: PrefectApi): Record<string, string> {
  return { [API_VARIABLE]: Stack.of(scope).toJsonString(apiLocation(api)) };
}
