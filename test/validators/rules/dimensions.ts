import { NAMESPACE, UNITS } from '../../../src/demand/metrics';
import { documentsOf } from '../documents';
import { Identities, type Form } from '../identities';
import { Resolver } from '../intrinsics';
import { metricUses, type MetricUse } from '../metric-uses';
import { nearerTwin } from '../neighbours';
import { asArray, ofType } from '../template';
import type { Remark, Rule, Template } from '../types';

/** What a dimension's value is the name or id of. */
const DIMENSIONS: Record<string, [type: string, form: Form]> = {
  'QueueName': ['AWS::SQS::Queue', 'name'],
  'FunctionName': ['AWS::Lambda::Function', 'name'],
  'NatGatewayId': ['AWS::EC2::NatGateway', 'id'],
  'LogGroupName': ['AWS::Logs::LogGroup', 'name'],
  'RuleName': ['AWS::Events::Rule', 'name'],
  'TopicName': ['AWS::SNS::Topic', 'name'],
  'DeliveryStreamName': ['AWS::KinesisFirehose::DeliveryStream', 'name'],
  'DBInstanceIdentifier': ['AWS::RDS::DBInstance', 'name'],
  'DBClusterIdentifier': ['AWS::RDS::DBCluster', 'name'],
  'CertificateArn': ['AWS::CertificateManager::Certificate', 'arn'],
  'VPC Id': ['AWS::EC2::VPC', 'id'],
  'VPC Endpoint Id': ['AWS::EC2::VPCEndpoint', 'id'],
};

/** An alarm, a scaling policy or a graph follows what this template has: another value has no data, and looks fine. */
export const dimensions: Rule = (template, { named }) => {
  const resolver = new Resolver(template, { imports: named.imports });
  const publishers = publishersOf(resolver);
  const services = servicesOf(resolver);
  return metricUses(resolver).flatMap((use) =>
    [
      ...ofPublisher(template, use, publishers),
      ...ofService(template, use, services),
      ...[ofResource, ofCacheNode, ofWebAcl, ofLoadBalancer, measured].flatMap((check) => check(resolver, use)),
    ].map(
      (message): Remark => ({
        logicalId: use.logicalId,
        message: `${use.namespace} ${use.name}: ${message}`,
      }),
    ),
  );
};

interface Publisher {
  readonly logicalId: string;
  readonly publishes: readonly string[];
  readonly workPool: string;
  readonly worker: string;
}

/** Settings that name a pool and a worker are those of a publisher, which publishes under these names: the demand, or what another function logs. */
function publishersOf(resolver: Resolver): Publisher[] {
  return documentsOf(resolver)
    .documents.flatMap(({ logicalId, value }) => asArray<any>(value.pools ?? value).map((settings) => ({ logicalId, settings })))
    .map(({ logicalId, settings }) => {
      const { workPool = settings.check?.name, worker } = settings;
      return { logicalId, publishes: publishedBy(settings), workPool, worker };
    })
    .filter(({ workPool, worker }) => typeof workPool === 'string' && typeof worker === 'string');
}

function publishedBy(settings: any): string[] {
  if (settings.leadTimeSeconds !== undefined) {
    return Object.keys(UNITS).filter((name) =>
      (settings.pricedTask || name !== 'WorkerCost') && (settings.warmTaskHours || !/^(Unscheduled|Warm)Workers$/.test(name)));
  }
  if (settings.family !== undefined) return ['Cost'];
  return settings.check !== undefined ? ['WorkPoolChanges'] : ['ReconcilerErrors'];
}

function ofPublisher(template: Template, { logicalId, namespace, name, dimensions: given }: MetricUse, publishers: Publisher[]): string[] {
  const { WorkPool, Worker } = given;
  if (namespace !== NAMESPACE) return [];
  const publisher = publishers.find(({ publishes, workPool, worker }) => workPool === WorkPool && worker === Worker && publishes.includes(name));
  if (!publisher) return [`nobody publishes it for the pool "${WorkPool}" and the worker "${Worker}".`];
  const twin = nearerTwin(template, logicalId, publisher.logicalId);
  return twin ? [`it follows the worker of ${publisher.logicalId}, where ${twin} is its own.`] : [];
}

/** Container Insights has data of clusters where it is on. */
function measured({ template }: Resolver, { namespace, dimensions: { ClusterName } }: MetricUse): string[] {
  const settings = template.Resources[ClusterName]?.Properties?.ClusterSettings;
  const off =
    template.Resources[ClusterName] &&
    ![settings ?? []].flat().some(({ Name, Value }: any) => Name === 'containerInsights' && /^(enabled|enhanced)$/.test(Value));
  return namespace === 'ECS/ContainerInsights' && off ? [`Container Insights is off for ${ClusterName}.`] : [];
}

interface Service {
  readonly logicalId: string;
  readonly name: string;
  readonly cluster: string;
}

function servicesOf(resolver: Resolver): Service[] {
  return ofType(resolver.template, 'AWS::ECS::Service').map(([logicalId, { Properties = {} }]) => ({
    logicalId,
    name: resolver.resolve({ 'Fn::GetAtt': [logicalId, 'Name'] }),
    cluster: String(resolver.resolve(Properties.Cluster)).split('/').pop()!,
  }));
}

function ofService(template: Template, { logicalId, dimensions: { ClusterName, ServiceName } }: MetricUse, services: Service[]): string[] {
  if (ClusterName === undefined) return [];
  const inCluster = services.filter(({ cluster }) => cluster === ClusterName);
  if (inCluster.length === 0) return [`no service is in the cluster ${ClusterName}.`];
  if (ServiceName === undefined) return [];
  const service = inCluster.find(({ name }) => name === ServiceName);
  if (!service) return [`the cluster ${ClusterName} has no service ${ServiceName}.`];
  const twin = nearerTwin(template, logicalId, service.logicalId);
  return twin ? [`it follows the service ${service.logicalId}, where ${twin} is its own.`] : [];
}

/** Nodes of a replication group are called by its id and their number; a node of Redis or Valkey is the only one of its cache cluster. */
function ofCacheNode(resolver: Resolver, { dimensions: { CacheClusterId, CacheNodeId } }: MetricUse): string[] {
  if (CacheClusterId === undefined) return [];
  const nodes = ofType(resolver.template, 'AWS::ElastiCache::ReplicationGroup').flatMap(([id, { Properties = {} }]) =>
    Array.from({ length: Properties.NumCacheClusters }, (_, index) => `${resolver.resolve({ Ref: id })}-00${index + 1}`));
  return nodes.includes(CacheClusterId) && CacheNodeId === '0001' ? [] : [`no replication group has a node ${CacheClusterId} ${CacheNodeId}.`];
}

/** CloudWatch knows a web ACL and its rules by the names that they are given for it. */
function ofWebAcl(resolver: Resolver, { dimensions: { WebACL, Rule: rule } }: MetricUse): string[] {
  if (WebACL === undefined) return [];
  const acl = ofType(resolver.template, 'AWS::WAFv2::WebACL').map(([, { Properties }]) => resolver.resolve(Properties)).find(({ VisibilityConfig }) => VisibilityConfig?.MetricName === WebACL);
  if (!acl) return [`no web ACL has the metric name ${WebACL}.`];
  const rules = ['ALL', ...asArray<any>(acl.Rules).map(({ VisibilityConfig }) => VisibilityConfig?.MetricName)];
  return rule === undefined || rules.includes(rule) ? [] : [`the web ACL ${WebACL} has no rule with the metric name ${rule}.`];
}

/** A load balancer and a target group by the ends of their ARNs. */
function ofLoadBalancer(resolver: Resolver, { namespace, dimensions: { LoadBalancer, TargetGroup } }: MetricUse): string[] {
  if (namespace !== 'AWS/ApplicationELB') return [];
  const ends = (type: string, from: RegExp) => ofType(resolver.template, type).map(([id]) => resolver.arn(id).replace(from, ''));
  return [
    ...(ends('AWS::ElasticLoadBalancingV2::LoadBalancer', /^.*:loadbalancer\//).includes(LoadBalancer) ? [] : [`${LoadBalancer} is the full name of no load balancer of the template.`]),
    ...(TargetGroup === undefined || ends('AWS::ElasticLoadBalancingV2::TargetGroup', /^.*:/).includes(TargetGroup) ? [] : [`${TargetGroup} is the full name of no target group of the template.`]),
  ];
}

function ofResource(resolver: Resolver, { logicalId, dimensions: given }: MetricUse): string[] {
  return Object.entries(given)
    .filter(([name]) => name in DIMENSIONS)
    .flatMap(([name, value]) => {
      const [type, form] = DIMENSIONS[name];
      const found = Identities.of(resolver).named(value, type, form);
      if (!found) return [`${value} is the ${form} of no ${type} of the template, as ${name} has to be.`];
      const twin = nearerTwin(resolver.template, logicalId, found);
      return twin ? [`it follows ${found}, where ${twin} is its own.`] : [];
    });
}
