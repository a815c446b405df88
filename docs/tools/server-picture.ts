import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { arrow, frame, GREY, INK, node, svg, text } from './drawing';
import { Inventory } from './inventory';
import { GREEN, ORANGE, Panel, PINK, plural, png, PREFECT, PURPLE, RED, row, ROW, TEAL, there, WIDTH } from './picture';
import { scenarios } from '../../test/scenarios';

/** Draws docs/server.png: what a public, highly available server holds, counted in its construct tree. `npm run picture` */
const HEIGHT = 956;

export function serverPicture(stack: Stack): string {
  const inventory = new Inventory(stack);
  const pieces = [...clients(inventory), ...network(inventory), ...panels(inventory)];
  const { missing } = inventory;
  if (missing.length > 0) throw new Error(`The picture shows no ${missing.join(', ')}: give each a place in docs/tools/server-picture.ts, or call it glue in inventory.ts.`);
  return svg(WIDTH, HEIGHT, [
    frame({ x: 258, y: 24, width: WIDTH - 282, height: HEIGHT - 48 }, 'AWS account', { stroke: INK }, 'architecture-group/AWSCloudlogo'),
    ...pieces,
    text(WIDTH - 48, HEIGHT - 36, `${inventory.size} resources of a public, highly available server, drawn from its synthesized stack`, { size: 12.5, color: GREY, anchor: 'end' }),
  ]);
}

/** Who comes from the internet, and by what. */
function clients(inventory: Inventory): string[] {
  const [listener] = inventory.take('AWS::ElasticLoadBalancingV2::Listener');
  const rules = inventory.take('AWS::ElasticLoadBalancingV2::ListenerRule');
  const signIn = rules.some(rule => JSON.stringify(inventory.properties(rule).Actions).includes('authenticate-'));
  const { Port, Protocol } = inventory.properties(listener);
  return [
    node(119, 110, 'resource/Users', 'People', signIn ? ['sign in at your identity', 'provider, then see the UI'] : ['see the UI']),
    node(119, 330, 'resource/Client', 'Programs', ['command lines, CI, other', 'workers: by the auth string']),
    arrow([[171, 136], [310, 136], [310, 190]], PREFECT, { x: 180, y: 128, lines: [`${Protocol} ${Port}`] }),
    arrow([[171, 356], [310, 356], [310, 298]], PREFECT),
  ];
}

function network(inventory: Inventory): string[] {
  inventory.take(['AWS::ECS::Cluster', 'AWS::ECS::TaskDefinition', 'AWS::ServiceDiscovery::Service', 'AWS::ElasticLoadBalancingV2::TargetGroup', 'AWS::WAFv2::WebACLAssociation', 'AWS::RDS::DBSubnetGroup']);
  inventory.take(['AWS::ElastiCache::SubnetGroup', 'AWS::ElastiCache::ParameterGroup', 'AWS::ApplicationAutoScaling::ScalingPolicy']);
  const [target] = inventory.take('AWS::ApplicationAutoScaling::ScalableTarget');
  const services = inventory.take('AWS::ECS::Service', '/Services/').map(service => inventory.properties(service).DesiredCount).filter(count => count !== undefined);
  const { MinCapacity, MaxCapacity } = inventory.properties(target);
  const [cluster] = inventory.take('AWS::RDS::DBCluster');
  const instances = inventory.count('AWS::RDS::DBInstance');
  const { MinCapacity: minUnits, MaxCapacity: maxUnits } = inventory.properties(cluster).ServerlessV2ScalingConfiguration;
  const [cache] = inventory.take('AWS::ElastiCache::ReplicationGroup');
  const [acl] = inventory.take('AWS::WAFv2::WebACL');
  const groups = inventory.count('AWS::EC2::SecurityGroup');
  inventory.take(['AWS::ElasticLoadBalancingV2::LoadBalancer', 'AWS::ServiceDiscovery::PrivateDnsNamespace']);

  return [
    node(310, 196, 'architecture-service/AWSWAF', 'AWS WAF', []),
    text(310, 284, plural(inventory.properties(acl).Rules.length, 'rule'), { size: 12.5, color: GREY, anchor: 'middle' }),
    frame({ x: 372, y: 80, width: 1220, height: 448 }, `Your VPC · ${plural(groups, 'security group')} of the server's own`, { stroke: PURPLE }, 'architecture-group/VirtualprivatecloudVPC'),
    frame({ x: 392, y: 128, width: 196, height: 380 }, 'Public subnets', { stroke: GREEN, fill: '#f2f8ee' }, 'architecture-group/Publicsubnet'),
    frame({ x: 608, y: 128, width: 964, height: 380 }, 'Private subnets, in two zones', { stroke: TEAL, fill: '#eef9f9' }, 'architecture-group/Privatesubnet'),
    node(490, 196, 'resource/ElasticLoadBalancingApplicationLoadBalancer', 'Load balancer', ['TLS, access logs,', 'health by /api/health']),
    arrow([[352, 222], [446, 222]], PREFECT),
    frame({ x: 640, y: 172, width: 420, height: 316 }, 'ECS cluster · Fargate, ARM', { stroke: ORANGE, dashed: true }),
    node(736, 206, 'architecture-service/AWSFargate', 'API and UI', [`${MinCapacity} to ${MaxCapacity} tasks,`, 'by their CPU']),
    node(960, 206, 'architecture-service/AWSFargate', 'Background services', [`${services.join(', ')} tasks: schedules,`, 'events, automations']),
    node(736, 352, 'architecture-service/AWSCloudMap', 'Private name', ['for workers and', 'functions of the VPC']),
    node(960, 352, 'resource/AmazonElasticContainerServiceTask', 'Migration', ['one task, before', 'the services change']),
    arrow([[534, 222], [698, 222]], PREFECT),
    node(1226, 180, 'resource/AmazonElastiCacheElastiCacheforValkey', 'Valkey', [plural(inventory.properties(cache).NumCacheClusters, 'node') + ', messages', 'and leases']),
    node(1440, 330, 'architecture-service/AmazonAurora', 'Aurora PostgreSQL', [`${plural(instances, 'instance')}, ${minUnits} to ${maxUnits} ACU,`, 'encrypted, backups,', 'leaves a snapshot']),
    arrow([[1060, 206], [1188, 206]], ORANGE, { x: 1124, y: 196, lines: ['TLS'], anchor: 'middle' }),
    arrow([[1060, 356], [1402, 356]], ORANGE, { x: 1231, y: 346, lines: ['TLS, verified'], anchor: 'middle' }),
  ];
}

function panels(inventory: Inventory): string[] {
  const ways: Panel[] = [
    {
      title: 'Its name',
      color: PURPLE,
      parts: [
        { icon: 'architecture-service/AmazonRoute53', title: 'Record', notes: ['in your zone'], count: inventory.count('AWS::Route53::RecordSet') },
        { icon: 'architecture-service/AWSCertificateManager', title: 'Certificate', notes: ['validated by', 'DNS'], count: inventory.count('AWS::CertificateManager::Certificate') },
        { icon: 'architecture-service/AmazonSimpleStorageService', title: 'Access logs', notes: ['kept for', '90 days'], count: inventory.count(['AWS::S3::Bucket', 'AWS::S3::BucketPolicy']) },
      ],
    },
    {
      title: 'Upgrades',
      color: ORANGE,
      parts: [
        { icon: 'architecture-service/AWSLambda', title: 'Migration function', notes: ['runs the task, fails', 'with its last words'], count: inventory.count(['Custom::PrefectMigration', 'AWS::Lambda::Function'], '/Migration/') },
        { icon: 'architecture-service/AmazonElasticContainerRegistry', title: 'Repository', notes: ['a copy of the', 'official image'], count: inventory.count(['AWS::ECR::Repository', 'Custom::ImageCopy', 'AWS::Lambda::Function'], 'PrefectImages') },
      ],
    },
    {
      title: 'Secrets and keys',
      color: RED,
      parts: [
        { icon: 'architecture-service/AWSSecretsManager', title: 'Secrets', notes: ['auth string, database', '(rotated), Valkey'], count: inventory.count('AWS::SecretsManager::Secret') },
        { icon: 'architecture-service/AWSLambda', title: 'Follower', notes: ['replaces tasks after', 'a rotation'], count: inventory.count(['AWS::Lambda::Function', 'AWS::Events::Rule'], 'SecretFollower') },
        { icon: 'architecture-service/AWSKeyManagementService', title: 'KMS key', notes: ['database, secrets,', 'logs'], count: inventory.count('AWS::KMS::Key') },
        { icon: 'architecture-service/AWSIdentityandAccessManagement', title: plural(inventory.count('AWS::IAM::Role'), 'role'), notes: ['each for one', 'thing'], count: inventory.count('AWS::IAM::Role') },
      ],
    },
  ];
  const operation: Panel[] = [{
    title: 'Operation',
    color: PINK,
    parts: [
      { icon: 'resource/AmazonCloudWatchLogs', title: 'Logs', notes: [`${plural(inventory.count('AWS::Logs::LogGroup'), 'group')}, as JSON;`, 'the firewall\'s, redacted'], count: inventory.count('AWS::WAFv2::LoggingConfiguration') },
      { icon: 'resource/AmazonCloudWatchAlarm', title: plural(inventory.count('AWS::CloudWatch::Alarm'), 'alarm'), notes: ['each with', 'its runbook'], count: inventory.count('AWS::CloudWatch::Alarm') },
      { icon: 'architecture-service/AmazonCloudWatch', title: 'Dashboard', notes: ['of the stack'], count: inventory.count('AWS::CloudWatch::Dashboard') },
      { icon: 'architecture-service/AmazonSimpleNotificationService', title: 'Topic', notes: ['tells you'], count: inventory.count('AWS::SNS::Topic') },
    ],
  }];
  return [...row(there(ways), 560), ...row(there(operation), 560 + ROW)];
}

if (require.main === module) {
  process.env.CDK_VALIDATION = 'false';
  const stack = scenarios.find(({ name }) => name === 'public-server')!.build(new App({ analyticsReporting: false }));
  writeFileSync(join(__dirname, '..', 'server.png'), png(serverPicture(stack)));
}
