import { NAMESPACE } from '../../../src/demand/metrics';
import { PolicySimulator, type IamRequest } from '../../policy/simulate';
import { asArray, ofType, targetOf } from '../template';
import type { Remark, Rule, Template } from '../types';
import { workersOf } from '../workers';

/** Something that must not be possible. */
interface Refusal {
  readonly logicalId: string;
  readonly what: string;
  readonly role?: string;
  readonly service?: string;
  readonly request: IamRequest;
}

const ELSEWHERE = '999999999999';

/** Conditions hold: what they are there to keep out is refused, by IAM's own logic. */
export const refusals: Rule = async (template, { named }) => {
  const simulator = new PolicySimulator(template, { imports: named.imports });
  const remarks: Remark[] = [];
  for (const { logicalId, what, role, service, request } of [...trusts(simulator), ...resources(simulator), ...workers(simulator)]) {
    const allowed = await asked(simulator, role, service, request);
    if (allowed) remarks.push({ logicalId, message: `${what}: ${request.action} on ${request.resource} is allowed.` });
  }
  return remarks;
};

async function asked(simulator: PolicySimulator, role: string | undefined, service: string | undefined, request: IamRequest): Promise<boolean> {
  try {
    if (request.action === 'sts:AssumeRole') return (await simulator.mayAssume(service!, role!, request.context)).allowed;
    if (!role && !service) return false;
    const { allowed, result } = await (role ? simulator.decide(role, request) : simulator.decideForService(service!, request));
    // The account's own roles may do what no policy denies.
    return service?.endsWith(':root') ? result !== 'ExplicitlyDenied' : allowed;
  } catch {
    // A policy that the simulator can't read allows nothing; the rule "needs" tells of it.
    return false;
  }
}

/** Services that act for many accounts assume a role for this one only. */
function trusts({ resolver }: PolicySimulator): Refusal[] {
  const context = (service: string) => ({
    'aws:SourceAccount': ELSEWHERE,
    'aws:SourceArn': `arn:aws:${service}:us-east-1:${ELSEWHERE}:any`,
    'sts:ExternalId': ELSEWHERE,
  });
  return ofType(resolver.template, 'AWS::IAM::Role').flatMap(([role]) =>
    ['ecs-tasks', 'vpc-flow-logs', 'firehose', 'logs', 'events'].map((service): Refusal => ({
      logicalId: role,
      what: `${service} may act for another account`,
      role,
      service: `${service}.amazonaws.com`,
      request: { action: 'sts:AssumeRole', resource: resolver.arn(role), context: context(service === 'ecs-tasks' ? 'ecs' : service) },
    })),
  );
}

/** Queues, topics, buckets and keys are for this account, over TLS. */
function resources({ resolver }: PolicySimulator): Refusal[] {
  const { template } = resolver;
  const foreign = { 'aws:SourceAccount': ELSEWHERE, 'aws:SourceArn': `arn:aws:events:us-east-1:${ELSEWHERE}:rule/any` };
  const plain = { 'aws:SecureTransport': 'false', 'aws:SourceAccount': resolver.deployment.account };
  const feeding = (id: string) =>
    ofType(template, 'AWS::Events::Rule').find(([, { Properties = {} }]) =>
      asArray<any>(Properties.Targets).some(({ Arn }) => targetOf(template, Arn) === id),
    )?.[0];
  return [
    ...ofType(template, 'AWS::SQS::Queue').flatMap(([id]): Refusal[] => {
      const send = (what: string, context: IamRequest['context']) => ({
        logicalId: id,
        what,
        service: 'events.amazonaws.com',
        request: { action: 'sqs:SendMessage', resource: resolver.arn(id), context },
      });
      const rule = feeding(id);
      return [
        send('A rule of another account sends to it', foreign),
        send('Another rule sends to it', {
          'aws:SourceAccount': resolver.deployment.account,
          'aws:SourceArn': resolver.formatArn('events', 'rule/other'),
        }),
        ...(rule ? [send('It takes events without TLS', { ...plain, 'aws:SourceArn': resolver.arn(rule) })] : []),
      ];
    }),
    ...ofType(template, 'AWS::SNS::Topic').flatMap(([id]) => [
      {
        logicalId: id,
        what: 'Alarms of another account reach it',
        service: 'cloudwatch.amazonaws.com',
        request: { action: 'sns:Publish', resource: resolver.arn(id), context: foreign },
      },
      {
        logicalId: id,
        what: 'It takes alarms without TLS',
        service: 'cloudwatch.amazonaws.com',
        request: { action: 'sns:Publish', resource: resolver.arn(id), context: plain },
      },
    ]),
    ...ofType(template, 'AWS::S3::Bucket').map(([id]) => ({
      logicalId: id,
      what: 'It answers requests without TLS',
      role: archivist(template, id),
      request: { action: 's3:PutObject', resource: `${resolver.arn(id)}/any`, context: plain },
    })),
    ...ofType(template, 'AWS::KMS::Key').flatMap(([id]): Refusal[] => [
      {
        logicalId: id,
        what: 'Roles of the account hand its use on',
        service: resolver.formatArn('iam', 'root', { region: '' }),
        request: {
          action: 'kms:CreateGrant',
          resource: resolver.arn(id),
          context: { 'kms:GrantIsForAWSResource': 'false', 'aws:PrincipalIsAWSService': 'false' },
        },
      },
      {
        logicalId: id,
        what: 'Events of another account use it',
        service: 'events.amazonaws.com',
        request: { action: 'kms:Decrypt', resource: resolver.arn(id), context: foreign },
      },
      {
        logicalId: id,
        what: 'Log groups of another account use it',
        service: `logs.${resolver.deployment.region}.amazonaws.com`,
        request: {
          action: 'kms:Decrypt',
          resource: resolver.arn(id),
          context: { 'kms:EncryptionContext:aws:logs:arn': `arn:aws:logs:us-east-1:${ELSEWHERE}:log-group:any` },
        },
      },
    ]),
  ];
}

/** The role that writes to a bucket, whose own policy would let it. */
function archivist(template: Template, bucket: string): string | undefined {
  const streams = ofType(template, 'AWS::KinesisFirehose::DeliveryStream').map(
    ([, { Properties = {} }]) => Properties.ExtendedS3DestinationConfiguration ?? {},
  );
  return targetOf(template, streams.find(({ BucketARN }) => targetOf(template, BucketARN) === bucket)?.RoleARN);
}

/** A worker starts flow runs of its own family in its own cluster, and passes their roles to ECS. */
function workers(simulator: PolicySimulator): Refusal[] {
  const { resolver } = simulator;
  const arn = (service: string, rest: string) => resolver.formatArn(service, rest);
  const inOther = { 'ecs:cluster': arn('ecs', 'cluster/other') };
  const functions = ofType(resolver.template, 'AWS::Lambda::Function').map(([, { Properties = {} }]) => targetOf(resolver.template, Properties.Role));
  return [
    ...workersOf(resolver).flatMap(({ taskRole, clusterArn, clusterName }) => {
      const task = arn('ecs', `task/${clusterName}/0123456789abcdef0123456789abcdef`);
      const may = (what: string, action: string, resource: string, context?: IamRequest['context']): Refusal[] =>
        taskRole ? [{ logicalId: taskRole, what, role: taskRole, request: { action, resource, context } }] : [];
      return [
        ...granted(simulator, taskRole, 'ecs:RunTask').flatMap((resource) =>
          may('A worker starts tasks in another cluster', 'ecs:RunTask', resource, inOther),
        ),
        ...may('A worker stops tasks of another cluster', 'ecs:StopTask', task, inOther),
        ...may("A worker tags tasks that it doesn't start", 'ecs:TagResource', task),
        ...granted(simulator, taskRole, 'iam:PassRole').flatMap((resource) =>
          may('A worker passes roles to Lambda', 'iam:PassRole', resource, { 'iam:PassedToService': 'lambda.amazonaws.com' }),
        ),
        ...may('A worker starts tasks of another family', 'ecs:RunTask', arn('ecs', 'task-definition/other:1'), { 'ecs:cluster': clusterArn }),
      ];
    }),
    ...functions
      .filter((role): role is string => role !== undefined)
      .flatMap((role) => [
        {
          logicalId: role,
          what: `Its function publishes in other namespaces than ${NAMESPACE}`,
          role,
          request: { action: 'cloudwatch:PutMetricData', resource: '*', context: { 'cloudwatch:namespace': 'AWS/ECS' } },
        },
        ...(ofType(resolver.template, 'AWS::ECS::Service').length === 0 ? [] : [{
          logicalId: role,
          what: 'Its function sets how many tasks another service keeps',
          role,
          request: { action: 'ecs:UpdateService', resource: arn('ecs', 'service/other/other'), context: inOther },
        }]),
        ...granted(simulator, role, 'ecs:StopTask').map((resource) => ({
          logicalId: role,
          what: 'Its function stops tasks of another cluster',
          role,
          request: { action: 'ecs:StopTask', resource, context: inOther },
        })),
      ]),
  ];
}

/** The resources that a role's policies name for an action, with something in place of each `*`. */
function granted({ resolver }: PolicySimulator, role: string | undefined, action: string): string[] {
  if (!role) return [];
  return ofType(resolver.template, 'AWS::IAM::Policy')
    .filter(([, { Properties = {} }]) => asArray<any>(Properties.Roles).some((holder) => targetOf(resolver.template, holder) === role))
    .flatMap(([, { Properties = {} }]) => asArray<any>(resolver.resolve(Properties.PolicyDocument)?.Statement))
    .filter(({ Action }) => asArray(Action).includes(action))
    .flatMap(({ Resource }) => asArray<string>(Resource))
    .map((resource) => resource.replace(/\*/g, '1'));
}
