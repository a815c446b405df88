import { aws_ec2 as ec2, aws_ecs as ecs, aws_kms as kms, aws_logs as logs, aws_servicediscovery as cloudmap, Names, RemovalPolicy } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { requireSameVpc } from '../private/same-vpc';

export interface ClusterProps {
  readonly vpc: ec2.IVpc;
  /** Whether the VPC was created for the worker, so that its DNS is known to be on. */
  readonly createsVpc: boolean;
  readonly cluster?: ecs.ICluster;
  readonly enableExecuteCommand?: boolean;
  readonly encryptionKey: kms.IKey;
  readonly logRetention: logs.RetentionDays;
}

/** The ECS cluster, and the Cloud Map namespace in which its services are found. */
export class Cluster extends Construct {
  public readonly cluster: ecs.ICluster;
  /** Whether the cluster is known to publish Container Insights. */
  public readonly containerInsights: boolean;

  constructor(scope: Construct, id: string, props: ClusterProps) {
    super(scope, id);

    if (props.cluster) {
      requireSameVpc('cluster', props.cluster.node.path, props.cluster.vpc, props.vpc, 'give a cluster of the same VPC, or only one of the two.');
      this.cluster = props.cluster;
      this.containerInsights = publishesContainerInsights(props.cluster);
      return;
    }
    const cluster = new ecs.Cluster(this, 'Cluster', {
      vpc: props.vpc,
      enableFargateCapacityProviders: true,
      containerInsightsV2: ecs.ContainerInsights.ENABLED,
      executeCommandConfiguration: props.enableExecuteCommand ? this.sessions(props) : undefined,
    });
    // A private DNS namespace needs DNS in the VPC, and a VPC of this account; in yours neither is known.
    if (props.createsVpc) {
      cluster.addDefaultCloudMapNamespace({
        name: `${Names.uniqueResourceName(this, { maxLength: 50, separator: '-' }).toLowerCase()}.internal`,
        type: cloudmap.NamespaceType.DNS_PRIVATE,
        vpc: props.vpc,
      });
    }
    this.cluster = cluster;
    this.containerInsights = true;
  }

  /** Sessions of ECS Exec are encrypted with our key, and what is said in them is logged. */
  private sessions({ encryptionKey, logRetention }: ClusterProps): ecs.ExecuteCommandConfiguration {
    const cloudWatchLogGroup = new logs.LogGroup(this, 'SessionLogs', { encryptionKey, retention: logRetention, removalPolicy: RemovalPolicy.DESTROY });
    return {
      kmsKey: encryptionKey,
      logging: ecs.ExecuteCommandLogging.OVERRIDE,
      logConfiguration: { cloudWatchLogGroup, cloudWatchEncryptionEnabled: true },
    };
  }
}

/** Of an imported cluster nothing is known. */
function publishesContainerInsights(cluster: ecs.ICluster): boolean {
  const resource = cluster.node.defaultChild;
  const settings = resource instanceof ecs.CfnCluster && Array.isArray(resource.clusterSettings) ? resource.clusterSettings : [];
  return settings.some(setting => 'name' in setting && setting.name === 'containerInsights' && setting.value !== 'disabled');
}
