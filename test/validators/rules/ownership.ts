import { documentsOf } from '../documents';
import { Identities } from '../identities';
import { Resolver } from '../intrinsics';
import { nearerTwin, twinsOf } from '../neighbours';
import { policiesOfRole } from '../statements';
import { asArray, eachString, ofType, props, references, targetOf } from '../template';
import type { Remark, Rule, Template } from '../types';
import { workersOf } from '../workers';

/** Types whose resources are of no use until something but a policy or a permission names them. */
const USED = [
  'AWS::IAM::Role',
  'AWS::Logs::LogGroup',
  'AWS::EC2::SecurityGroup',
  'AWS::EC2::EIP',
  'AWS::EC2::RouteTable',
  'AWS::EC2::NatGateway',
  'AWS::EC2::Subnet',
  'AWS::EC2::InternetGateway',
  'AWS::KMS::Key',
  'AWS::SQS::Queue',
  'AWS::SNS::Topic',
  'AWS::Lambda::Function',
  'AWS::S3::Bucket',
  'AWS::ECS::Cluster',
  'AWS::KinesisFirehose::DeliveryStream',
  'AWS::ServiceDiscovery::PrivateDnsNamespace',
  'AWS::ServiceDiscovery::Service',
  'AWS::Logs::LogStream',
];
/** Types that only speak of others, and make no use of them. */
const SPEAKERS =
  /^AWS::(IAM::(Policy|ManagedPolicy)|Lambda::(Permission|EventInvokeConfig)|SQS::QueuePolicy|SNS::TopicPolicy|S3::BucketPolicy|CloudWatch::Dashboard|Logs::(QueryDefinition|MetricFilter)|Config::ConfigRule)$/;

/** Nothing is made for nobody, and what is one's own is not another's. */
export const ownership: Rule = (template, { named }) => {
  const resolver = new Resolver(template, { imports: named.imports });
  return [...unused(resolver), ...logGroups(resolver), ...roles(template), ...twins(template)];
};

function unused(resolver: Resolver): Remark[] {
  const { template } = resolver;
  const used = new Set<string>();
  for (const [id, resource] of Object.entries(template.Resources)) {
    if (SPEAKERS.test(resource.Type)) continue;
    const own = { ...resource.Properties, ...(resource.Type === 'AWS::CloudWatch::Alarm' ? { Dimensions: undefined, Metrics: undefined } : {}) };
    references(own).forEach((other) => {
      if (other !== id) used.add(other);
    });
  }
  documentsOf(resolver)
    .documents.filter(({ logicalId }) => !SPEAKERS.test(template.Resources[logicalId].Type))
    .forEach(({ value }) =>
      eachString(value, (text) => {
        const found = Identities.of(resolver).of(text);
        if (found) used.add(found.logicalId);
      }),
    );
  rolesForOthers(resolver).forEach((role) => used.add(role));
  return USED.flatMap((type) => ofType(template, type))
    .filter(([id]) => !used.has(id))
    .map(([logicalId]) => ({ logicalId, message: 'Nothing uses it.' }));
}

/** Roles that a worker may pass, where its pool is made elsewhere and so names them there. */
function rolesForOthers(resolver: Resolver): string[] {
  const { template } = resolver;
  return workersOf(resolver)
    .filter(({ type, managed }) => type === 'ecs' && !managed)
    .flatMap(({ taskRole }) => policiesOfRole(template, taskRole!))
    .flatMap(({ document }) => asArray<any>(document.Statement))
    .filter(({ Action }) => asArray(Action).includes('iam:PassRole'))
    .flatMap(({ Resource }) => [...references(Resource)]);
}

/** Each function writes to a group of its own, and no two kinds of writers share one. */
function logGroups(resolver: Resolver): Remark[] {
  const { template } = resolver;
  const writers = new Map<string, string[]>();
  const write = (writer: string, group: string | undefined) => {
    if (group) writers.set(group, [...(writers.get(group) ?? []), writer]);
  };
  ofType(template, 'AWS::Lambda::Function').forEach(([id, { Properties = {} }]) => write(id, targetOf(template, Properties.LoggingConfig?.LogGroup)));
  ofType(template, 'AWS::EC2::FlowLog').forEach(([id, { Properties = {} }]) => write(id, targetOf(template, Properties.LogGroupName)));
  ofType(template, 'AWS::KinesisFirehose::DeliveryStream').forEach(([id, { Properties = {} }]) =>
    write(id, targetOf(template, Properties.ExtendedS3DestinationConfiguration?.CloudWatchLoggingOptions?.LogGroupName)),
  );
  ofType(template, 'AWS::ECS::Service').forEach(([id, { Properties = {} }]) => {
    const task = targetOf(template, Properties.TaskDefinition);
    const groups = asArray<any>(task && props(template, task).ContainerDefinitions).map(({ LogConfiguration }) =>
      targetOf(template, LogConfiguration?.Options?.['awslogs-group']),
    );
    new Set(groups).forEach((group) => write(id, group));
  });
  const shared = [...writers]
    .filter(([, who]) => who.length > 1)
    .flatMap(([group, who]) =>
      who.map((logicalId) => ({ logicalId, message: `It writes to ${group}, as do ${who.filter((other) => other !== logicalId).join(', ')}.` })),
    );
  const wrong = [...writers]
    .filter(([group]) => template.Resources[group].Type !== 'AWS::Logs::LogGroup')
    .map(([group, [logicalId]]) => ({ logicalId, message: `It writes its logs to ${group}, which is no log group.` }));
  return [...shared, ...wrong];
}

/** Functions and tasks have a role each: with another's they may do what that one does. */
function roles(template: Template): Remark[] {
  const holders = new Map<string, string[]>();
  const hold = (holder: string, value: unknown) => {
    const role = value === undefined ? undefined : targetOf(template, value);
    if (role) holders.set(role, [...(holders.get(role) ?? []), holder]);
  };
  ofType(template, 'AWS::Lambda::Function').forEach(([id, { Properties = {} }]) => hold(id, Properties.Role));
  ofType(template, 'AWS::ECS::TaskDefinition').forEach(([id, { Properties = {} }]) => {
    hold(id, Properties.TaskRoleArn);
    hold(id, Properties.ExecutionRoleArn);
  });
  return [...holders]
    .filter(([, who]) => who.length > 1)
    .flatMap(([role, who]) =>
      who.map((logicalId) => ({
        logicalId,
        message: `Its role ${role} is also that of ${who.filter((other) => other !== logicalId).join(', ') || 'the same for another purpose'}.`,
      })),
    );
}

/** Where a construct has one of its own, it doesn't use its neighbour's instead. */
function twins(template: Template): Remark[] {
  return Object.entries(template.Resources).flatMap(([logicalId, { Properties }]) => {
    const named = references(Properties);
    return [...named]
      .filter((id) => id in template.Resources && id !== logicalId && twinsOf(template, id).length > 0)
      .flatMap((id) => {
        const twin = nearerTwin(template, logicalId, id);
        return twin && twin !== logicalId && !named.has(twin) ? [{ logicalId, message: `It uses ${id}, where ${twin} is its own.` }] : [];
      });
  });
}
