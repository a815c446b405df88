import { aws_ecs as ecs, aws_servicediscovery as cloudmap, Duration, Names } from 'aws-cdk-lib';
import { Construct, IDependable } from 'constructs';
import { SERVER_PORT, ServerNetwork } from './server-network';
import { ServerSize } from './server-size';
import { CONTAINER, ServerTask } from './server-task';

export interface ServerServicesProps {
  readonly cluster: ecs.ICluster;
  readonly network: ServerNetwork;
  readonly size: ServerSize;
  readonly apiTask: ServerTask;
  /** Undefined where the background services are in the API's task. */
  readonly servicesTask?: ServerTask;
  /** What the services wait for. */
  readonly after: readonly IDependable[];
  /** Whether clients find the tasks by a private name. */
  readonly privateName: boolean;
}

/** How busy API tasks are, in percent of their CPU, when another one is started. */
const CPU_TARGET = 60;

/** Keeps the server's tasks running. */
export class ServerServices extends Construct {
  public readonly api: ecs.FargateService;
  /** That of the background services, where they are in tasks of their own. */
  public readonly services?: ecs.FargateService;
  public readonly scalableTaskCount?: ecs.ScalableTaskCount;
  /** By which clients in the VPC find the API. */
  public readonly privateHost?: string;

  constructor(scope: Construct, id: string, private readonly props: ServerServicesProps) {
    super(scope, id);
    const { size } = props;
    const single = size._maxApiTasks === 1;
    // Two tasks with messages in their memory would each know half of them, also for the time of a deployment.
    this.api = this.service('Api', props.apiTask, single
      ? { desiredCount: 1, minHealthyPercent: 0, maxHealthyPercent: 100 }
      : { minHealthyPercent: 100, maxHealthyPercent: 200 });
    if (props.privateName) this.privateHost = this.name();
    if (props.servicesTask) {
      this.services = this.service('Services', props.servicesTask, { desiredCount: size._servicesTasks, minHealthyPercent: 100, maxHealthyPercent: 200 });
    }
    if (!single) this.scalableTaskCount = this.scale();
  }

  private service(id: string, { taskDefinition }: ServerTask, counts: Pick<ecs.FargateServiceProps, 'desiredCount' | 'minHealthyPercent' | 'maxHealthyPercent'>): ecs.FargateService {
    const { cluster, network, after } = this.props;
    const service = new ecs.FargateService(this, id, {
      ...counts,
      cluster,
      taskDefinition,
      vpcSubnets: network.subnetSelection,
      securityGroups: [network.securityGroup],
      assignPublicIp: false,
      circuitBreaker: { enable: true, rollback: true },
      // Zones are balanced by a further task for a while, which a single one must not have.
      availabilityZoneRebalancing: counts.maxHealthyPercent === 100 ? undefined : ecs.AvailabilityZoneRebalancing.ENABLED,
      enableECSManagedTags: true,
      propagateTags: ecs.PropagatedTagSource.SERVICE,
    });
    service.node.addDependency(...after);
    return service;
  }

  private scale(): ecs.ScalableTaskCount {
    const { _minApiTasks: minCapacity, _maxApiTasks: maxCapacity } = this.props.size;
    const target = this.api.autoScaleTaskCount({ minCapacity, maxCapacity });
    target.scaleOnCpuUtilization('Cpu', { targetUtilizationPercent: CPU_TARGET, scaleInCooldown: Duration.minutes(5), scaleOutCooldown: Duration.minutes(1) });
    return target;
  }

  /** A private zone of the server's own, so that its names clash with no others. */
  private name(): string {
    const { network } = this.props;
    const zone = `${Names.uniqueResourceName(this, { maxLength: 50, separator: '-' }).toLowerCase()}.internal`;
    const cloudMapNamespace = new cloudmap.PrivateDnsNamespace(this, 'Namespace', { name: zone, vpc: network.vpc });
    this.api.enableCloudMap({
      cloudMapNamespace,
      name: 'prefect',
      dnsRecordType: cloudmap.DnsRecordType.A,
      // Clients don't ask a task for long that has gone.
      dnsTtl: Duration.seconds(10),
    });
    return `prefect.${zone}`;
  }
}

/** For load balancers: the container and the port that they forward to. */
export const TARGET = { containerName: CONTAINER, containerPort: SERVER_PORT };
