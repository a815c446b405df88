import { Stack, StackProps, aws_ec2 as ec2, aws_ecs as ecs, aws_secretsmanager as secretsmanager } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { PrefectApi, PrefectFargateWorker, WorkPool } from 'cdk-prefect-fargate-worker';

export interface VpcPeeringProps extends StackProps {
  /** The VPC to reach, such as `vpc-0a1b2c3d`, in this account and region. */
  readonly peerVpcId: string;
  /** Its range. It must not overlap the worker's. */
  readonly peerCidr: string;
}

/** Flow runs that reach a database in another VPC. */
export class VpcPeering extends Stack {
  constructor(scope: Construct, id: string, props: VpcPeeringProps) {
    super(scope, id, props);

    const worker = new PrefectFargateWorker(this, 'Worker', {
      api: PrefectApi.cloud({
        accountId: '11111111-2222-3333-4444-555555555555',
        workspaceId: '66666666-7777-8888-9999-000000000000',
        apiKey: ecs.Secret.fromSecretsManager(secretsmanager.Secret.fromSecretNameV2(this, 'ApiKey', 'prefect-api-key')),
      }),
      workPool: WorkPool.managed('etl'),
      network: { cidr: '10.50.0.0/16' },
    });

    const peering = new ec2.CfnVPCPeeringConnection(this, 'Peering', { vpcId: worker.vpc.vpcId, peerVpcId: props.peerVpcId });
    worker.vpc.privateSubnets.forEach((subnet, index) => new ec2.CfnRoute(this, `ToPeer${index}`, {
      routeTableId: subnet.routeTable.routeTableId,
      destinationCidrBlock: props.peerCidr,
      vpcPeeringConnectionId: peering.attrId,
    }));
    worker.connections.allowTo(ec2.Peer.ipv4(props.peerCidr), ec2.Port.POSTGRES, 'the warehouse');
  }
}
