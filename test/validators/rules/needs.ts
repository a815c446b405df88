import { NAMESPACE } from '../../../src/demand/metrics';
import { PolicySimulator, type IamRequest } from '../../policy/simulate';
import { Identities } from '../identities';
import { Resolver } from '../intrinsics';
import { asArray, ofType, props, targetOf } from '../template';
import type { Remark, Rule, Template } from '../types';
import { familyPrefixesOf, followsDemand, settingsOf, under, workersOf } from '../workers';
import { serverNeeds } from './server-needs';

/** Something that one part of the template does, as another part says it: `who` in the role, or the service. */
export interface Need {
  readonly logicalId: string;
  readonly role?: string;
  readonly service?: string;
  readonly request: IamRequest;
}

/** What roles and services are told to do, their policies let them do, by IAM's own logic. */
export const needs: Rule = async (template, { named }) => {
  const simulator = new PolicySimulator(template, { imports: named.imports });
  const resolver = simulator.resolver;
  const wanted = [...functions(resolver), ...tasks(resolver), ...pools(resolver), ...services(resolver), ...serverNeeds(resolver)];
  const remarks: Remark[] = [];
  for (const { logicalId, role, service, request } of wanted) {
    const decision = await answer(simulator, role, service, request);
    if (decision) remarks.push({ logicalId, message: `${role ?? service} may not ${request.action} on ${request.resource}: ${decision}.` });
  }
  return remarks;
};

async function answer(
  simulator: PolicySimulator,
  role: string | undefined,
  service: string | undefined,
  request: IamRequest,
): Promise<string | undefined> {
  try {
    const decision =
      request.action === 'sts:AssumeRole'
        ? await simulator.mayAssume(service!, role!, request.context)
        : role
          ? await simulator.decide(role, request)
          : await simulator.decideForService(service!, request);
    // The account itself may do what no policy denies: its roles get the rest from policies of their own.
    const allowed = service?.endsWith(':root') ? decision.result !== 'ExplicitlyDenied' : decision.allowed;
    return allowed ? undefined : decision.result;
  } catch (error) {
    return (error as Error).message;
  }
}

function assumed(resolver: Resolver, logicalId: string, role: string | undefined, service: string): Need[] {
  const { account } = resolver.deployment;
  const context = {
    'aws:SourceAccount': account,
    'aws:SourceArn': resolver.formatArn(service === 'ecs-tasks.amazonaws.com' ? 'ecs' : service.split('.')[0], 'any'),
    'sts:ExternalId': account,
  };
  return role === undefined ? [] : [{ logicalId, role, service, request: { action: 'sts:AssumeRole', resource: resolver.arn(role), context } }];
}

function asks(logicalId: string, role: string | undefined, resource: string, actions: string[], context?: IamRequest['context']): Need[] {
  return role === undefined ? [] : actions.map((action) => ({ logicalId, role, request: { action, resource, context } }));
}

/** Writing to a log group, which may be named by anybody. */
function logging(
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
function reading(resolver: Resolver, logicalId: string, role: string | undefined, text: unknown): Need[] {
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

function functions(resolver: Resolver): Need[] {
  const { template } = resolver;
  const lambdas = ofType(template, 'AWS::Lambda::Function');
  return lambdas.flatMap(([id, { Properties = {} }]) => {
    const role = targetOf(template, Properties.Role);
    const settings = settingsOf(resolver, id).map(({ value }) => value);
    const called = Object.values(Properties.Environment?.Variables ?? {})
      .map((value) => targetOf(template, value))
      .filter((other) => lambdas.some(([lambda]) => lambda === other));
    // What wraps another function only hands on what that one is told.
    const told = called.length > 0 ? [] : settings;
    return [
      ...assumed(resolver, id, role, 'lambda.amazonaws.com'),
      ...logging(resolver, id, role, resolver.resolve(Properties.LoggingConfig?.LogGroup) ?? `/aws/lambda/${id}`),
      ...called.flatMap((other) => asks(id, role, resolver.arn(other!), ['lambda:InvokeFunction'])),
      ...told.flatMap((value) => Object.values<unknown>((value.api ?? value).secrets ?? {})).flatMap((secret) => reading(resolver, id, role, secret)),
      ...told
        .filter(({ cluster, service }) => cluster && service)
        .flatMap(({ cluster, service }) =>
          asks(id, role, resolver.formatArn('ecs', `service/${String(cluster).split('/').pop()}/${service}`), ['ecs:DescribeServices'], {
            'ecs:cluster': String(cluster),
          }),
        ),
      ...told.filter(followsDemand).flatMap((value) => scaling(resolver, id, role, value)),
      ...(told.some(({ workPool, leadTimeSeconds }) => workPool && leadTimeSeconds !== undefined)
        ? asks(id, role, '*', ['cloudwatch:PutMetricData'], { 'cloudwatch:namespace': NAMESPACE })
        : []),
    ];
  });
}

/** What the function asks that sets how many workers a service keeps. */
function scaling(resolver: Resolver, id: string, role: string | undefined, { cluster, service, flowRunLimit }: any): Need[] {
  const name = String(cluster).split('/').pop();
  const inCluster = { 'ecs:cluster': String(cluster) };
  return [
    ...asks(id, role, resolver.formatArn('ecs', `service/${name}/${service}`), ['ecs:UpdateService'], inCluster),
    ...asks(id, role, '*', ['application-autoscaling:DescribeScalableTargets', 'cloudwatch:GetMetricData']),
    ...(flowRunLimit === undefined
      ? []
      : asks(id, role, resolver.formatArn('ecs', `task/${name}/0123456789abcdef0123456789abcdef`), ['ecs:DescribeTasks', 'ecs:GetTaskProtection'], inCluster)),
  ];
}

function tasks(resolver: Resolver): Need[] {
  const { template } = resolver;
  return ofType(template, 'AWS::ECS::TaskDefinition').flatMap(([id, { Properties = {} }]) => {
    const [role, execution] = [Properties.TaskRoleArn, Properties.ExecutionRoleArn].map((value) => targetOf(template, value));
    const containers = asArray<any>(resolver.resolve(Properties.ContainerDefinitions));
    const queues = containers
      .flatMap(({ Environment }) => asArray<any>(Environment))
      .filter(({ Name }) => /SQS_QUEUE_NAME$/.test(Name))
      .map(({ Value }) => Value);
    return [
      ...[role, execution].flatMap((either) => assumed(resolver, id, either, 'ecs-tasks.amazonaws.com')),
      ...containers.flatMap(({ LogConfiguration }) => logging(resolver, id, execution, LogConfiguration?.Options?.['awslogs-group'])),
      ...containers.flatMap(({ Secrets }) => asArray<any>(Secrets)).flatMap(({ ValueFrom }) => reading(resolver, id, execution, ValueFrom)),
      ...containers.flatMap(({ Image }) => pulling(resolver, id, execution, Image)),
      ...queues.flatMap((name) => observing(resolver, id, role, name)),
    ];
  });
}

function pulling(resolver: Resolver, logicalId: string, role: string | undefined, image: unknown): Need[] {
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

function observing(resolver: Resolver, logicalId: string, role: string | undefined, name: string): Need[] {
  const queue = Identities.of(resolver).named(name, 'AWS::SQS::Queue', 'name');
  const key = queue && targetOf(resolver.template, props(resolver.template, queue).KmsMasterKeyId);
  return [
    ...asks(logicalId, role, resolver.formatArn('sqs', name), [
      'sqs:GetQueueUrl',
      'sqs:ReceiveMessage',
      'sqs:ChangeMessageVisibility',
      'sqs:DeleteMessage',
    ]),
    ...(key ? asks(logicalId, role, resolver.arn(key), ['kms:Decrypt']) : []),
  ];
}

/** Writing and reading results, with the bucket's key. */
function keeping(resolver: Resolver, logicalId: string, role: string | undefined, results?: { bucket: string; folder: string }): Need[] {
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

/** What a pool's template tells the worker to start, and what ECS then needs. */
function pools(resolver: Resolver): Need[] {
  return workersOf(resolver).flatMap(({ taskRole, type, clusterArn, clusterName, managed }) => {
    if (!managed) return [];
    const { logicalId, value } = managed;
    const identities = Identities.of(resolver);
    const role = (text: unknown) => identities.named(text, 'AWS::IAM::Role', 'arn');
    if (type !== 'ecs') return keeping(resolver, logicalId, taskRole, value.results);
    const inCluster = { 'ecs:cluster': clusterArn };
    const task = resolver.formatArn('ecs', `task/${clusterName}/0123456789abcdef0123456789abcdef`);
    const families = familyPrefixesOf(value).map((prefix) => resolver.formatArn('ecs', `task-definition/${prefix}-a-deployments-own:1`));
    const [flowRuns, executions] = [under(value, 'task_role_arn', 'taskRoleArn'), under(value, 'execution_role_arn', 'executionRoleArn')];
    return [
      ...families.flatMap((family) => [
        ...asks(logicalId, taskRole, family, ['ecs:RegisterTaskDefinition']),
        ...asks(logicalId, taskRole, family, ['ecs:RunTask'], inCluster),
      ]),
      ...asks(logicalId, taskRole, task, ['ecs:DescribeTasks', 'ecs:StopTask'], inCluster),
      ...asks(logicalId, taskRole, task, ['ecs:TagResource'], { 'ecs:CreateAction': 'RunTask' }),
      ...asks(logicalId, taskRole, '*', ['ecs:DescribeTaskDefinition']),
      ...[...flowRuns, ...executions].flatMap((arn) =>
        asks(logicalId, taskRole, String(arn), ['iam:PassRole'], { 'iam:PassedToService': 'ecs-tasks.amazonaws.com' }),
      ),
      ...flowRuns.flatMap((arn) => keeping(resolver, logicalId, role(arn), value.results)),
      ...[...flowRuns, ...executions].flatMap((arn) => assumed(resolver, logicalId, role(arn), 'ecs-tasks.amazonaws.com')),
      ...executions.flatMap((arn) => [
        ...under(value, 'awslogs-group').flatMap((group) => logging(resolver, logicalId, role(arn), group)),
        ...under(value, 'valueFrom', 'prefect_api_key_secret_arn', 'prefect_api_auth_string_secret_arn').flatMap((secret) =>
          reading(resolver, logicalId, role(arn), secret),
        ),
        ...under(value, 'image').flatMap((image) => pulling(resolver, logicalId, role(arn), image)),
      ]),
      ...under(value, 'awslogs-group').flatMap((group) => logging(resolver, logicalId, taskRole, group, ['logs:GetLogEvents'])),
    ];
  });
}

/** Flow logs, archives and events, which AWS services write. */
function services(resolver: Resolver): Need[] {
  const { template } = resolver;
  const roleOf = (value: unknown) => targetOf(template, value);
  return [
    ...ofType(template, 'AWS::EC2::FlowLog').flatMap(([id, { Properties = {} }]) => [
      ...assumed(resolver, id, roleOf(Properties.DeliverLogsPermissionArn), 'vpc-flow-logs.amazonaws.com'),
      ...logging(resolver, id, roleOf(Properties.DeliverLogsPermissionArn), resolver.resolve(Properties.LogGroupName)),
    ]),
    ...ofType(template, 'AWS::KinesisFirehose::DeliveryStream').flatMap(([id, { Properties = {} }]) => {
      const { BucketARN, RoleARN, CloudWatchLoggingOptions } = Properties.ExtendedS3DestinationConfiguration ?? {};
      const role = roleOf(RoleARN);
      return [
        ...assumed(resolver, id, role, 'firehose.amazonaws.com'),
        ...asks(id, role, `${resolver.resolve(BucketARN)}/any`, ['s3:PutObject', 's3:AbortMultipartUpload']),
        ...asks(id, role, String(resolver.resolve(BucketARN)), ['s3:ListBucket', 's3:GetBucketLocation', 's3:ListBucketMultipartUploads']),
        ...logging(resolver, id, role, resolver.resolve(CloudWatchLoggingOptions?.LogGroupName), ['logs:PutLogEvents']),
        ...keysOf(template, roleOf(BucketARN)).flatMap((key) => asks(id, role, resolver.arn(key), ['kms:GenerateDataKey', 'kms:Decrypt'])),
      ];
    }),
    ...ofType(template, 'AWS::Logs::SubscriptionFilter')
      .filter(([, { Properties = {} }]) => Properties.RoleArn !== undefined)
      .flatMap(([id, { Properties = {} }]) => [
        ...assumed(resolver, id, roleOf(Properties.RoleArn), 'logs.amazonaws.com'),
        ...asks(id, roleOf(Properties.RoleArn), String(resolver.resolve(Properties.DestinationArn)), [
          'firehose:PutRecord',
          'firehose:PutRecordBatch',
        ]),
      ]),
    ...ofType(template, 'AWS::KMS::Key').map(([id]): Need => ({
      logicalId: id,
      service: resolver.formatArn('iam', 'root', { region: '' }),
      // AWS services hand the use of a key on to themselves: Lambda to a function, Firehose to a stream.
      request: {
        action: 'kms:CreateGrant',
        resource: resolver.arn(id),
        context: { 'kms:GrantIsForAWSResource': 'true', 'aws:PrincipalIsAWSService': 'false' },
      },
    })),
    ...ofType(template, 'AWS::Events::Rule').flatMap(([id, { Properties = {} }]) =>
      asArray<any>(Properties.Targets).flatMap(({ Arn }) => sending(resolver, id, 'events.amazonaws.com', Arn)),
    ),
    ...ofType(template, /^AWS::CloudWatch::(Composite)?Alarm$/).flatMap(([id, { Properties = {} }]) =>
      [Properties.AlarmActions, Properties.OKActions]
        .flatMap((list) => asArray<any>(list))
        .flatMap((action) => sending(resolver, id, 'cloudwatch.amazonaws.com', action)),
    ),
  ];
}

function keysOf(template: Template, id: string | undefined): string[] {
  const text = JSON.stringify(id === undefined ? {} : props(template, id));
  return ofType(template, 'AWS::KMS::Key')
    .map(([key]) => key)
    .filter((key) => text.includes(`"${key}"`));
}

/** An event to a queue or a topic, which its policy and its key's have to let in. */
function sending(resolver: Resolver, logicalId: string, service: string, to: unknown): Need[] {
  const {
    template,
    deployment: { account },
  } = resolver;
  const id = targetOf(template, to);
  const type = id && template.Resources[id].Type;
  if (type !== 'AWS::SQS::Queue' && type !== 'AWS::SNS::Topic') return [];
  // EventBridge gives topics and their keys no source.
  const source: IamRequest['context'] =
    service === 'events.amazonaws.com' && type === 'AWS::SNS::Topic'
      ? {}
      : { 'aws:SourceAccount': account, 'aws:SourceArn': resolver.arn(logicalId) };
  const topic: IamRequest['context'] = type === 'AWS::SNS::Topic' ? { 'kms:EncryptionContext:aws:sns:topicArn': resolver.arn(id!) } : {};
  return [
    {
      logicalId,
      service,
      request: { action: type === 'AWS::SQS::Queue' ? 'sqs:SendMessage' : 'sns:Publish', resource: resolver.arn(id!), context: source },
    },
    ...keysOf(template, id).flatMap((key) =>
      ['kms:GenerateDataKey', 'kms:Decrypt'].map((action): Need => ({
        logicalId,
        service,
        request: { action, resource: resolver.arn(key), context: { ...source, ...topic } },
      })),
    ),
  ];
}
