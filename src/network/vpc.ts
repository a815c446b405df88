import { aws_ec2 as ec2, aws_iam as iam, aws_kms as kms, aws_logs as logs, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { publicSubnetMask } from './address-range';
import { NetworkOptions } from './network-options';

export interface VpcOptions extends Pick<NetworkOptions, 'cidr' | 'flowLogs' | 'maxAzs' | 'natGateways'> {
  readonly encryptionKey: kms.IKey;
  readonly logRetention: logs.RetentionDays;
  readonly restrictDefaultSecurityGroup: boolean;
}

/** A VPC of private subnets for tasks, and of public ones for the NAT gateways where there are any. */
export function createVpc(scope: Construct, options: VpcOptions): ec2.Vpc {
  const { natGateways, maxAzs = 2, cidr, flowLogs, encryptionKey, logRetention, restrictDefaultSecurityGroup } = options;
  const cidrMask = publicSubnetMask(cidr, maxAzs);
  const vpc = new ec2.Vpc(scope, 'Vpc', {
    ipAddresses: cidr === undefined ? undefined : ec2.IpAddresses.cidr(cidr),
    maxAzs,
    natGateways,
    restrictDefaultSecurityGroup,
    subnetConfiguration: natGateways === 0
      ? [{ name: 'Private', subnetType: ec2.SubnetType.PRIVATE_ISOLATED }]
      : [
        { name: 'Public', subnetType: ec2.SubnetType.PUBLIC, cidrMask, mapPublicIpOnLaunch: false },
        { name: 'Private', subnetType: ec2.SubnetType.PRIVATE_WITH_EGRESS },
      ],
  });
  if (flowLogs ?? true) {
    vpc.addFlowLog('FlowLog', {
      destination: ec2.FlowLogDestination.toCloudWatchLogs(
        new logs.LogGroup(scope, 'FlowLogs', { encryptionKey, retention: logRetention, removalPolicy: RemovalPolicy.DESTROY }),
        new iam.Role(scope, 'FlowLogRole', {
          description: 'Writes the flow logs of the VPC',
          assumedBy: new iam.ServicePrincipal('vpc-flow-logs.amazonaws.com', {
            conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(scope).account } },
          }),
        }),
      ),
    });
  }
  return vpc;
}
