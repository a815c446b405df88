import { aws_iam as iam, aws_kms as kms, aws_lambda as lambda, aws_logs as logs, RemovalPolicy } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type { ApiLocation } from './prefect-connection';
import type { Network } from '../network/network';
import type { PrefectApi } from '../prefect-api';

export interface ApiFunctionOptions {
  readonly api: PrefectApi;
  readonly network: Network;
  readonly encryptionKey: kms.IKey;
  readonly logRetention: logs.RetentionDays;
  /** What the role is for. */
  readonly purpose: string;
  /** Id and owner of the security group, where the function runs in the VPC. */
  readonly securityGroup: readonly [id: string, whose: string];
}

/** Role, logs and network of a function that speaks with the Prefect API: in the VPC where the API is inside the network. */
export function apiFunction(scope: Construct, options: ApiFunctionOptions) {
  const { api, network } = options;
  const logGroup = functionLogs(scope, 'Logs', options);
  const role = new iam.Role(scope, 'Role', {
    description: options.purpose,
    assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com'),
    // Lambda needs EC2's network interface actions on everything to attach a function to a VPC.
    managedPolicies: api._privateNetwork ? [iam.ManagedPolicy.fromAwsManagedPolicyName('service-role/AWSLambdaENIManagementAccess')] : [],
  });
  logGroup.grantWrite(role);
  Object.values(api._functionSecrets).forEach(secret => secret.grantRead(role));
  const vpcOptions: Partial<lambda.FunctionOptions> = api._privateNetwork ? {
    vpc: network.vpc,
    vpcSubnets: network.subnetSelection,
    securityGroups: [network.securityGroup(...options.securityGroup)],
    allowPublicSubnet: network.assignPublicIp,
  } : {};
  return { ...vpcOptions, role, logGroup };
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
    secrets: Object.fromEntries(Object.entries(api._functionSecrets).map(([variable, secret]) => [variable, secret.arn])),
  };
}
