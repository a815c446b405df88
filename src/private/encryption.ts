import { aws_iam as iam, aws_kms as kms, Aws, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Construct, IConstruct } from 'constructs';
import { fingerprint } from './fingerprint';
import { addToPolicy } from './resource-policy';
import { isShared, shared } from './shared';

/**
 * The key that encrypts what the workers of a stack leave behind: logs, queues; or one of its own for somebody else. One key for all of it, so that
 * one key policy says who may read.
 *
 * CDK's log group gives CloudWatch Logs no right to its key; without it, creating the group fails.
 *
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
 */
export function encryptionKey(scope: Construct, given: kms.IKey | undefined, own?: string): kms.IKey {
  const key = given ?? (own === undefined
    ? shared(scope, 'Key', (stack, id) => makeKey(stack, id, `Logs and queues of the Prefect workers of ${Stack.of(scope).stackName}`))
    : makeKey(scope, 'Key', `${own} ${scope.node.path}`));
  const { partition, region, account } = Stack.of(scope);
  addToPolicy(scope, 'key', key, new iam.PolicyStatement({
    sid: 'CloudWatchLogs',
    principals: [new iam.ServicePrincipal(`logs.${region}.${Aws.URL_SUFFIX}`)],
    actions: ['kms:Encrypt', 'kms:Decrypt', 'kms:ReEncrypt*', 'kms:GenerateDataKey*', 'kms:DescribeKey'],
    resources: ['*'],
    conditions: { ArnLike: { 'kms:EncryptionContext:aws:logs:arn': `arn:${partition}:logs:${region}:${account}:log-group:*` } },
  }), 'CloudWatch Logs can\'t create log groups with it, and the deployment fails');
  return key;
}

/** The id of something that workers share, so that only those do whose key is the same: what it encrypts can't get another one. */
export function idByKey(scope: IConstruct, id: string, key: kms.IKey): string {
  return isShared(key) ? id : `${id}${fingerprint(scope, key.keyArn)}`;
}

function makeKey(scope: Construct, id: string, description: string): kms.Key {
  const key = new kms.Key(scope, id, {
    description,
    enableKeyRotation: true,
    // What it encrypts goes with the last that uses it; the key follows after the waiting period of KMS.
    removalPolicy: RemovalPolicy.DESTROY,
  });
  denyGrants(key);
  return key;
}

/**
 * A grant is a way around the key's policy, which nothing here needs but what AWS services make for their resources.
 *
 * @see https://docs.aws.amazon.com/controltower/latest/controlreference/kms-rules.html#ct-kms-pr-3-description
 */
export function denyGrants(key: kms.Key): void {
  key.addToResourcePolicy(new iam.PolicyStatement({
    sid: 'GrantsOnlyByAwsServices',
    effect: iam.Effect.DENY,
    principals: [new iam.AnyPrincipal()],
    actions: ['kms:CreateGrant'],
    resources: ['*'],
    conditions: { BoolIfExists: { 'kms:GrantIsForAWSResource': 'false', 'aws:PrincipalIsAWSService': 'false' } },
  }));
}
