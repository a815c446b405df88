import { aws_ec2 as ec2 } from 'aws-cdk-lib';
import { Construct, DependencyGroup, IDependable } from 'constructs';
import { invalid } from '../private/validation';

export interface ServerNetworkProps {
  readonly vpc: ec2.IVpc;
  readonly vpcSubnets?: ec2.SubnetSelection;
}

/** The port on which the server listens. */
export const SERVER_PORT = 4200;

/** Where the server's tasks run, and what they may reach. */
export class ServerNetwork extends Construct {
  public readonly vpc: ec2.IVpc;
  public readonly subnetSelection: ec2.SubnetSelection;
  /** Whether some of the subnets have no route to the internet. */
  public readonly isolated: boolean;
  public readonly connectivity: IDependable;
  /** Those of the tasks. */
  public readonly securityGroup: ec2.SecurityGroup;
  public readonly connections: ec2.Connections;
  /** The functions call AWS alone, from outside the VPC. */
  public readonly providerOptions = {};

  constructor(scope: Construct, id: string, { vpc, vpcSubnets }: ServerNetworkProps) {
    super(scope, id);
    this.vpc = vpc;
    const subnets = vpc.selectSubnets(vpcSubnets ?? preferred(vpc));
    this.subnetSelection = { subnets: subnets.subnets };
    this.connectivity = new DependencyGroup(subnets.internetConnectivityEstablished);
    const isolated = new Set(vpc.isolatedSubnets.map(({ node }) => node.path));
    this.isolated = !subnets.isPendingLookup && subnets.subnets.some(({ node }) => isolated.has(node.path));

    this.securityGroup = new ec2.SecurityGroup(this, 'SecurityGroup', {
      vpc,
      description: `Prefect server ${scope.node.path}`,
      allowAllOutbound: false,
    });
    const { securityGroup: group } = this;
    group.addEgressRule(ec2.Peer.anyIpv4(), ec2.Port.HTTPS, 'HTTPS: AWS, and what automations call');
    // Security groups filter the servers that a VPC may name in its DHCP options.
    group.addEgressRule(ec2.Peer.anyIpv4(), ec2.Port.udp(53), 'DNS');
    group.addEgressRule(ec2.Peer.anyIpv4(), ec2.Port.tcp(53), 'DNS');
    this.connections = new ec2.Connections({ securityGroups: [group], defaultPort: ec2.Port.tcp(SERVER_PORT) });
  }
}

/** What the server connects to on a port: security groups, which let it in, or, where none are known, any address. */
export function destination(port: number, securityGroups: readonly ec2.ISecurityGroup[] = []): ec2.Connections {
  const known = securityGroups.length > 0;
  return new ec2.Connections({ securityGroups: [...securityGroups], peer: known ? undefined : ec2.Peer.anyIpv4(), defaultPort: ec2.Port.tcp(port) });
}

function preferred(vpc: ec2.IVpc): ec2.SubnetSelection {
  if (vpc.privateSubnets.length > 0) return { subnetType: ec2.SubnetType.PRIVATE_WITH_EGRESS };
  if (vpc.isolatedSubnets.length > 0) return { subnetType: ec2.SubnetType.PRIVATE_ISOLATED };
  throw invalid('vpc', vpc.node.path, 'it has no private subnets; give a VPC with private subnets, or say with vpcSubnets which ones to use.');
}
