import { aws_cloudwatch as cloudwatch, aws_ec2 as ec2, aws_ecs as ecs, aws_elasticache as elasticache, aws_kms as kms, aws_secretsmanager as secretsmanager, Duration, RemovalPolicy } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { KeyedSecret } from './keyed-secret';
import { destination, ServerNetwork } from './server-network';
import { ServerRedisOptions } from './server-redis-options';
import { requireSecret } from '../private/secrets';
import { invalid, isResolved, requireWholeNumber } from '../private/validation';

export interface RedisProps {
  readonly network: ServerNetwork;
  readonly given?: ServerRedisOptions;
  readonly encryptionKey: kms.IKey;
}

const PORT = 6379;
/** Primary and replica. */
const NODES = 2;
/** Hosts of ElastiCache in cluster mode, and of its Serverless, which always is. */
const CLUSTER_MODE = /^clustercfg\.|\.serverless\.[^.]+\.cache\.amazonaws\.com/i;

/**
 * Redis or Valkey, which carries messages between the server's tasks: created or given.
 *
 * Prefect's keys are spread over slots without regard to each other, which cluster mode refuses: one primary, with a replica to take its place.
 */
export class Redis extends Construct {
  public readonly host: string;
  public readonly port: number;
  public readonly authToken?: ecs.Secret;
  public readonly replicationGroup?: elasticache.CfnReplicationGroup;

  constructor(scope: Construct, id: string, private readonly props: RedisProps) {
    super(scope, id);
    const { given, network } = props;
    const port = ec2.Port.tcp(given?.port ?? PORT);
    this.port = given?.port ?? PORT;
    if (given) {
      this.host = given.host;
      this.authToken = given.authToken;
      network.connections.allowTo(destination(this.port, given.securityGroups), port, 'Redis');
      return;
    }
    const securityGroup = new ec2.SecurityGroup(this, 'SecurityGroup', {
      vpc: network.vpc, description: `Valkey of the Prefect server ${scope.node.path}`, allowAllOutbound: false,
    });
    network.connections.allowTo(securityGroup, port, 'Valkey');
    const token = new secretsmanager.Secret(this, 'AuthToken', {
      description: `Password of Valkey, of the Prefect server ${scope.node.path}`,
      encryptionKey: props.encryptionKey,
      generateSecretString: { passwordLength: 64, excludePunctuation: true },
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.authToken = new KeyedSecret(token, props.encryptionKey);
    this.replicationGroup = this.created(securityGroup, token);
    this.host = this.replicationGroup.attrPrimaryEndPointAddress;
  }

  /**
   * That of the node which has the most of it. CloudWatch has the metrics of nodes, and none of the group; a group's nodes have its id and a number.
   *
   * @see https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/CacheMetrics.html
   */
  public metricOfFullestNode(metricName: string, options: { readonly period: Duration; readonly label: string }): cloudwatch.IMetric {
    const nodes = Array.from({ length: NODES }, (_, index) => new cloudwatch.Metric({
      namespace: 'AWS/ElastiCache',
      metricName,
      dimensionsMap: { CacheClusterId: `${this.replicationGroup!.ref}-00${index + 1}`, CacheNodeId: '0001' },
      statistic: cloudwatch.Stats.MAXIMUM,
      period: options.period,
    }));
    // Two of them may be in one graph, where ids are of one metric each.
    const id = metricName.charAt(0).toLowerCase() + metricName.slice(1);
    const usingMetrics = Object.fromEntries(nodes.map((metric, index) => [`${id}${index + 1}`, metric]));
    return new cloudwatch.MathExpression({ expression: `MAX([${Object.keys(usingMetrics).join(', ')}])`, usingMetrics, ...options });
  }

  /** There is no L2. */
  private created(securityGroup: ec2.SecurityGroup, token: secretsmanager.Secret): elasticache.CfnReplicationGroup {
    const { network, encryptionKey } = this.props;
    const description = `Messages of the Prefect server ${this.node.scope!.node.path}`;
    const subnets = new elasticache.CfnSubnetGroup(this, 'Subnets', { description, subnetIds: network.vpc.selectSubnets(network.subnetSelection).subnetIds });
    const parameters = new elasticache.CfnParameterGroup(this, 'Parameters', {
      description,
      cacheParameterGroupFamily: 'valkey8',
      // What is dropped for want of memory would be messages and leases.
      properties: { 'maxmemory-policy': 'noeviction' },
    });
    return new elasticache.CfnReplicationGroup(this, 'ReplicationGroup', {
      replicationGroupDescription: description,
      engine: 'valkey',
      engineVersion: '8.0',
      cacheNodeType: 'cache.t4g.micro',
      cacheParameterGroupName: parameters.ref,
      cacheSubnetGroupName: subnets.ref,
      securityGroupIds: [securityGroup.securityGroupId],
      port: PORT,
      clusterMode: 'disabled',
      numCacheClusters: NODES,
      automaticFailoverEnabled: true,
      multiAzEnabled: true,
      transitEncryptionEnabled: true,
      atRestEncryptionEnabled: true,
      kmsKeyId: encryptionKey.keyArn,
      // A dynamic reference: CloudFormation reads it, the template doesn't have it.
      authToken: token.secretValue.unsafeUnwrap(),
      autoMinorVersionUpgrade: true,
      snapshotRetentionLimit: 1,
    });
  }
}

/** Throws for a Redis that Prefect can't work with. */
export function requireRedis(given: ServerRedisOptions | undefined): void {
  if (!given) return;
  const { host, port, authToken } = given;
  requireSecret('redis.authToken', authToken);
  requireWholeNumber('redis.port', port, 1);
  if (!host || isResolved(host) && /[/:@]/.test(host)) {
    throw invalid('redis.host', /@/.test(host ?? '') ? '...' : host, 'give the host name alone, such as redis.example.com; port and password have props of their own.');
  }
  if (isResolved(host) && CLUSTER_MODE.test(host)) {
    throw invalid('redis.host', host, 'it is in cluster mode, in which Prefect\'s keys are of different slots; give the primary endpoint of a replication group with cluster mode disabled.');
  }
}
