import { aws_iam as iam, aws_kms as kms, aws_logs as logs, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Construct, IConstruct } from 'constructs';
import { API_VARIABLE, ApiLocation } from './api-location';
import { isResolved } from './validation';
import type { PrefectApi } from '../prefect-api';

/**
 * Lambda uses the function's role to attach it to a VPC. The managed policy AWSLambdaVPCAccessExecutionRole would let it create log
 * groups too, and AWSLambdaENIManagementAccess lacks DescribeSubnets. EC2 has no resource-level permissions for most of these.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-permissions
 */
export function letLambdaAttach(role: iam.IRole): void {
  role.addManagedPolicy(iam.ManagedPolicy.fromAwsManagedPolicyName('service-role/AWSLambdaENIManagementAccess'));
  role.addToPrincipalPolicy(new iam.PolicyStatement({ sid: 'FindSubnets', actions: ['ec2:DescribeSubnets'], resources: ['*'] }));
}

/** What encrypts the log of a function, and how long it is kept. */
interface FunctionLogs {
  readonly encryptionKey: kms.IKey;
  readonly logRetention: logs.RetentionDays;
}

/** The log group of a function. */
export function functionLogs(scope: Construct, id: string, options: FunctionLogs): logs.LogGroup {
  return new logs.LogGroup(scope, id, {
    encryptionKey: options.encryptionKey,
    retention: options.logRetention,
    removalPolicy: RemovalPolicy.DESTROY,
  });
}

/** Has the log groups in a construct that several workers share keep their logs as long as any of them asks for. */
export function keepLogs(scope: IConstruct, retention: logs.RetentionDays): void {
  for (const group of scope.node.findAll()) {
    // Without a number, for ever.
    if (!(group instanceof logs.CfnLogGroup) || !isResolved(retention) || !isResolved(group.retentionInDays)) continue;
    group.retentionInDays = retention === logs.RetentionDays.INFINITE ? undefined : Math.max(group.retentionInDays, retention);
  }
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
