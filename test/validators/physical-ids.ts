import { createHash } from 'crypto';
import type { Resolver } from './intrinsics';

/**
 * The ids that AWS would give a resource, made from its logical id so that they are the same at each run.
 * `ref` is what CloudFormation's Ref returns, `arn` is the ARN, given that Ref.
 */
interface Shape {
  ref(id: string, resolver: Resolver, logicalId: string): string;
  arn(ref: string, resolver: Resolver, logicalId: string): string;
}

const named = (service: string, prefix = ''): Shape => ({
  ref: (id) => id,
  arn: (ref, resolver) => ref.startsWith('arn:') ? ref : resolver.formatArn(service, `${prefix}${ref}`),
});

const byArn = (service: string, rest: (id: string, resolver: Resolver, logicalId: string) => string): Shape => ({
  ref: (id, resolver, logicalId) => resolver.formatArn(service, rest(id, resolver, logicalId)),
  arn: (ref) => ref,
});

const ec2 = (prefix: string, type: string): Shape => ({
  ref: (_, __, logicalId) => `${prefix}-${hex(logicalId, 17)}`,
  arn: (ref, resolver) => resolver.formatArn('ec2', `${type}/${ref}`),
});

const global = (rest: string): Shape => ({
  ref: (id) => id,
  arn: (ref, resolver) => resolver.formatArn('iam', `${rest}/${ref}`, { region: '' }),
});

const SHAPES: Record<string, Shape> = {
  'AWS::IAM::Role': global('role'),
  'AWS::IAM::User': global('user'),
  'AWS::IAM::ManagedPolicy': { ref: (id, resolver) => resolver.formatArn('iam', `policy/${id}`, { region: '' }), arn: (ref) => ref },
  'AWS::ECR::Repository': named('ecr', 'repository/'),
  'AWS::ECS::Cluster': named('ecs', 'cluster/'),
  'AWS::ECS::Service': byArn('ecs', (id, resolver, logicalId) => `service/${clusterName(resolver, logicalId)}/${id}`),
  'AWS::ECS::TaskDefinition': byArn('ecs', (id, resolver, logicalId) => {
    const family = resolver.resolve(resolver.template.Resources[logicalId].Properties?.Family);
    return `task-definition/${family ?? id}:1`;
  }),
  'AWS::Logs::LogGroup': { ref: (id) => id, arn: (ref, resolver) => resolver.formatArn('logs', `log-group:${ref}:*`) },
  'AWS::SecretsManager::Secret': byArn('secretsmanager', (id) => `secret:${id}-${hex(id, 6)}`),
  'AWS::KMS::Key': {
    ref: (_, __, logicalId) => `${hex(logicalId, 8)}-0000-4000-8000-${hex(logicalId, 12)}`,
    arn: (ref, resolver) => resolver.formatArn('kms', `key/${ref}`),
  },
  'AWS::SQS::Queue': {
    ref: (id, resolver) => `https://sqs.${resolver.deployment.region}.${resolver.deployment.urlSuffix}/${resolver.deployment.account}/${id}`,
    arn: (ref, resolver) => resolver.formatArn('sqs', ref.slice(ref.lastIndexOf('/') + 1)),
  },
  'AWS::SNS::Topic': byArn('sns', (id) => id),
  'AWS::ElasticLoadBalancingV2::LoadBalancer': byArn('elasticloadbalancing', (id, _, logicalId) => `loadbalancer/app/${id.slice(0, 32)}/${hex(logicalId, 16)}`),
  // Its ARN goes on from that of its load balancer.
  'AWS::ElasticLoadBalancingV2::Listener': byArn('elasticloadbalancing', (_, resolver, logicalId) =>
    `listener/${String(resolver.resolve(resolver.template.Resources[logicalId].Properties?.LoadBalancerArn)).split(':loadbalancer/').pop()}/${hex(logicalId, 16)}`),
  'AWS::ElasticLoadBalancingV2::TargetGroup': byArn('elasticloadbalancing', (id, _, logicalId) => `targetgroup/${id.slice(0, 32)}/${hex(logicalId, 16)}`),
  'AWS::CertificateManager::Certificate': byArn('acm', (_, __, logicalId) => `certificate/${hex(logicalId, 8)}`),
  'AWS::Events::Rule': named('events', 'rule/'),
  'AWS::Lambda::Function': named('lambda', 'function:'),
  'AWS::KinesisFirehose::DeliveryStream': named('firehose', 'deliverystream/'),
  'AWS::CloudWatch::Alarm': named('cloudwatch', 'alarm:'),
  'AWS::CloudWatch::CompositeAlarm': named('cloudwatch', 'alarm:'),
  'AWS::S3::Bucket': {
    ref: (id) => id.toLowerCase().slice(0, 63),
    arn: (ref, resolver) => resolver.formatArn('s3', ref, { region: '', account: '' }),
  },
  'AWS::DynamoDB::Table': named('dynamodb', 'table/'),
  'AWS::EC2::VPC': ec2('vpc', 'vpc'),
  'AWS::EC2::Subnet': ec2('subnet', 'subnet'),
  'AWS::EC2::SecurityGroup': ec2('sg', 'security-group'),
  'AWS::EC2::VPCEndpoint': ec2('vpce', 'vpc-endpoint'),
  'AWS::EC2::RouteTable': ec2('rtb', 'route-table'),
  'AWS::EC2::NatGateway': ec2('nat', 'natgateway'),
  'AWS::EC2::InternetGateway': ec2('igw', 'internet-gateway'),
};

/** The property by which a resource's author may fix its name: `QueueName` of a queue. On others it is a queue that they name. */
function nameProperty(type: string): string {
  return type === 'AWS::Events::Rule' ? 'Name' : `${type.split('::').pop()}Name`;
}

function hex(text: string, length: number): string {
  return createHash('sha256').update(text).digest('hex').slice(0, length);
}

function clusterName(resolver: Resolver, serviceId: string): string {
  const cluster = resolver.resolve(resolver.template.Resources[serviceId].Properties?.Cluster) ?? 'default';
  return String(cluster).split('/').pop()!;
}

function shapeOf(resolver: Resolver, logicalId: string): Shape {
  const type = resolver.template.Resources[logicalId]?.Type ?? '';
  const service = type.split('::')[1]?.toLowerCase() ?? 'unknown';
  return SHAPES[type] ?? named(service);
}

/** What `Ref` returns for a resource. */
export function physicalIdOf(resolver: Resolver, logicalId: string): string {
  const given = resolver.deployment.physicalIds[logicalId];
  if (given !== undefined) {
    return given;
  }
  const resource = resolver.template.Resources[logicalId];
  if (!resource) {
    throw new Error(`The template refers to "${logicalId}", which it does not define.`);
  }
  const name = resource.Properties?.[nameProperty(resource.Type)];
  return shapeOf(resolver, logicalId).ref(String(name === undefined ? logicalId : resolver.resolve(name)), resolver, logicalId);
}

export function arnOf(resolver: Resolver, logicalId: string): string {
  return shapeOf(resolver, logicalId).arn(physicalIdOf(resolver, logicalId), resolver, logicalId);
}

/** What `Fn::GetAtt` returns for a resource's attribute. */
export function attributeOf(resolver: Resolver, logicalId: string, attribute: string): any {
  const ref = physicalIdOf(resolver, logicalId);
  const type = resolver.template.Resources[logicalId]?.Type;
  switch (attribute) {
    case 'Arn':
    case 'TopicArn':
    case 'TaskDefinitionArn':
      return arnOf(resolver, logicalId);
    case 'Tag':
      // Of a copied image: what the function is told.
      return resolver.resolve(resolver.template.Resources[logicalId].Properties?.Tag);
    case 'MasterUserSecret.SecretArn':
      // Of the secret that Amazon RDS keeps a database's password in.
      return resolver.formatArn('secretsmanager', `secret:rds!${hex(logicalId, 8)}-${hex(logicalId, 6)}`);
    case 'LoadBalancerFullName':
      return ref.split(':loadbalancer/').pop();
    case 'TargetGroupFullName':
      return ref.split(':').pop();
    case 'QueueName':
    case 'TopicName':
      return ref.slice(Math.max(ref.lastIndexOf('/'), ref.lastIndexOf(':')) + 1);
    case 'QueueUrl':
    case 'GroupId':
    case 'VpcId':
    case 'SubnetId':
    case 'KeyId':
      return ref;
    case 'CidrBlock':
      return resolver.resolve(resolver.template.Resources[logicalId].Properties?.CidrBlock);
    case 'Name':
      return type === 'AWS::ECS::Service' ? ref.split('/').pop() : ref;
    case 'Id':
      return ref;
    default:
      return `${ref}.${attribute}`;
  }
}
