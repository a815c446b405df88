import { Stack, StackProps, aws_ec2 as ec2 } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { PrefectApi, PrefectFargateWorker, WorkPool } from 'cdk-prefect-fargate-worker';

export interface VpcPeeringProps extends StackProps {
  /** The VPC with the Prefect server and the database, such as `vpc-0a1b2c3d`, in this account and region. */
  readonly peerVpcId: string;
  /** Its range. It must not overlap the worker's. */
  readonly peerCidr: string;
}

/** A worker of a Prefect server in another VPC, whose flow runs reach a database there. */
export class VpcPeering extends Stack {
  constructor(scope: Construct, id: string, props: VpcPeeringProps) {
    super(scope, id, props);

    const vpc = new ec2.Vpc(this, 'Vpc', { ipAddresses: ec2.IpAddresses.cidr('10.50.0.0/16'), maxAzs: 2 });
    const peering = new ec2.CfnVPCPeeringConnection(this, 'Peering', { vpcId: vpc.vpcId, peerVpcId: props.peerVpcId });
    const routes = vpc.privateSubnets.map((subnet, index) => new ec2.CfnRoute(this, `ToPeer${index}`, {
      routeTableId: subnet.routeTable.routeTableId,
      destinationCidrBlock: props.peerCidr,
      vpcPeeringConnectionId: peering.attrId,
    }));

    const worker = new PrefectFargateWorker(this, 'Worker', {
      api: PrefectApi.selfHosted({ url: 'http://prefect.internal:4200/api', privateNetwork: true }),
      workPool: WorkPool.managed('etl'),
      vpc,
    });
    // The deployment itself asks the server for the work pool: over these routes.
    worker.node.addDependency(...routes);
    worker.connections.allowTo(ec2.Peer.ipv4(props.peerCidr), ec2.Port.POSTGRES, 'the warehouse');
  }
}
