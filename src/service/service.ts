import { aws_ecs as ecs, aws_iam as iam, aws_servicediscovery as servicediscovery } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { capacityProviderStrategies } from './capacity';
import { CapacityOptions } from './capacity-options';
import { Network } from '../network/network';

export interface ServiceProps {
  readonly cluster: ecs.ICluster;
  readonly network: Network;
  readonly taskDefinition: ecs.FargateTaskDefinition;
  /** Those of the worker's tasks and of flow runs. */
  readonly roles: readonly iam.IRole[];
  readonly capacity?: CapacityOptions;
}

/** Keeps the wanted number of workers running, spread over the zones, and rolls a failed deployment back. */
export class Service extends Construct {
  public readonly service: ecs.FargateService;

  constructor(scope: Construct, id: string, props: ServiceProps) {
    super(scope, id);
    const { cluster, network } = props;
    // Your own cluster may have one for Service Connect, or a public one, where the addresses of workers have no business.
    const namespace = cluster.defaultCloudMapNamespace;

    this.service = new ecs.FargateService(this, 'Service', {
      cluster,
      taskDefinition: props.taskDefinition,
      // No desired count: a deployment would set it, and undo what scaling did. The first one starts one worker,
      // which shows that it can start, and scaling moves on from there.
      capacityProviderStrategies: capacityProviderStrategies(props.capacity),
      vpcSubnets: network.subnetSelection,
      securityGroups: network.workerSecurityGroups,
      assignPublicIp: network.assignPublicIp,
      circuitBreaker: { enable: true, rollback: true },
      minHealthyPercent: 100,
      maxHealthyPercent: 200,
      availabilityZoneRebalancing: ecs.AvailabilityZoneRebalancing.ENABLED,
      enableECSManagedTags: true,
      propagateTags: ecs.PropagatedTagSource.SERVICE,
      cloudMapOptions: namespace?.type === servicediscovery.NamespaceType.DNS_PRIVATE ? { cloudMapNamespace: namespace } : undefined,
    });
    // The first task pulls its image, reads its secrets and calls the API, and so does the first flow run: over these routes, with these permissions.
    this.service.node.addDependency(network.connectivity, ...props.roles);
    // The cluster keeps its capacity providers as long as the service uses them.
    if (props.capacity) this.service.node.addDependency(cluster);
  }
}
