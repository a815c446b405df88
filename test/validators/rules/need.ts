import { type IamRequest } from '../../policy/simulate';
import { Identities } from '../identities';
import type { Resolver } from '../intrinsics';
import { asArray, props, targetOf } from '../template';

/** Something that one part of the template does, as another part says it: `who` in the role, or the service. */
export interface Need {
  readonly logicalId: string;
  readonly role?: string;
  readonly service?: string;
  readonly request: IamRequest;
}

export function assumed(resolver: Resolver, logicalId: string, role: string | undefined, service: string): Need[] {
  const { account } = resolver.deployment;
  const context = {
    'aws:SourceAccount': account,
    'aws:SourceArn': resolver.formatArn(service === 'ecs-tasks.amazonaws.com' ? 'ecs' : service.split('.')[0], 'any'),
    'sts:ExternalId': account,
  };
  return role === undefined ? [] : [{ logicalId, role, service, request: { action: 'sts:AssumeRole', resource: resolver.arn(role), context } }];
}

export function asks(logicalId: string, role: string | undefined, resource: string, actions: string[], context?: IamRequest['context']): Need[] {
  return role === undefined ? [] : actions.map((action) => ({ logicalId, role, request: { action, resource, context } }));
}

/** Writing to a log group, which may be named by anybody. */
export function logging(
  resolver: Resolver,
  logicalId: string,
  role: string | undefined,
  group: unknown,
  actions = ['logs:CreateLogStream', 'logs:PutLogEvents'],
): Need[] {
  const arn = resolver.formatArn('logs', `log-group:${group}:log-stream:any`);
  return group === undefined ? [] : asks(logicalId, role, arn, actions);
}

/** Reading a secret, and decrypting it where a key of the template encrypts it. */
export function reading(resolver: Resolver, logicalId: string, role: string | undefined, text: unknown): Need[] {
  if (typeof text !== 'string' || !/^arn:[^:]+:secretsmanager:/.test(text)) return [];
  const arn = text.split(':').slice(0, 7).join(':');
  const secret = Identities.of(resolver).named(arn, 'AWS::SecretsManager::Secret');
  const key = secret && targetOf(resolver.template, props(resolver.template, secret).KmsKeyId);
  return [
    // A secret by its name has an ARN without the six characters that AWS gives.
    ...asks(logicalId, role, secret || /-\w{6}$/.test(arn) ? arn : `${arn}-abcdef`, ['secretsmanager:GetSecretValue']),
    ...(key ? asks(logicalId, role, resolver.arn(key), ['kms:Decrypt']) : []),
  ];
}

export function pulling(resolver: Resolver, logicalId: string, role: string | undefined, image: unknown): Need[] {
  const [, account, region, repository] = /^(\d+)\.dkr\.ecr\.([^.]+)\.[^/]+\/([^:@]+)/.exec(String(image)) ?? [];
  if (!repository) return [];
  return [
    ...asks(logicalId, role, resolver.formatArn('ecr', `repository/${repository}`, { account, region }), [
      'ecr:BatchCheckLayerAvailability',
      'ecr:GetDownloadUrlForLayer',
      'ecr:BatchGetImage',
    ]),
    ...asks(logicalId, role, '*', ['ecr:GetAuthorizationToken']),
  ];
}

/** Writing and reading results, with the bucket's key. */
export function keeping(resolver: Resolver, logicalId: string, role: string | undefined, results?: { bucket: string; folder: string }): Need[] {
  if (!results) return [];
  const arn = resolver.formatArn('s3', results.bucket, { region: '', account: '' });
  const bucket = Identities.of(resolver).named(results.bucket, 'AWS::S3::Bucket');
  const [rule] = asArray<any>(bucket && props(resolver.template, bucket).BucketEncryption?.ServerSideEncryptionConfiguration);
  const key = targetOf(resolver.template, rule?.ServerSideEncryptionByDefault?.KMSMasterKeyID);
  const forThat = { 'kms:ViaService': `s3.${resolver.deployment.region}.amazonaws.com`, 'kms:EncryptionContext:aws:s3:arn': arn };
  return [
    ...asks(logicalId, role, `${arn}/${results.folder}/0123456789abcdef`, ['s3:GetObject', 's3:PutObject', 's3:AbortMultipartUpload']),
    ...(key ? asks(logicalId, role, resolver.arn(key), ['kms:Decrypt', 'kms:GenerateDataKey'], forThat) : []),
  ];
}
