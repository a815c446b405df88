import { aws_ec2 as ec2 } from 'aws-cdk-lib';
import { invalid, isResolved } from './validation';

/** Throws where something of the user's is known to be in another VPC than ours. An import may have any id where that is known only at deployment. */
export function requireSameVpc(prop: string, path: string, theirVpc: ec2.IVpc, ourVpc: ec2.IVpc, fix: string): void {
  if (theirVpc === ourVpc || theirVpc.vpcId === ourVpc.vpcId) return;
  const [theirs, ours] = [theirVpc, ourVpc].map(nameOf);
  if (theirs === undefined || ours === undefined) return;
  throw invalid(prop, path, `it is in the VPC ${theirs}, and vpc is ${ours}; ${fix}`);
}

/** What tells the VPC from others: a VPC of this app has no id yet, but its path. */
function nameOf(vpc: ec2.IVpc): string | undefined {
  if (vpc instanceof ec2.Vpc) return vpc.node.path;
  return isResolved(vpc.vpcId) ? vpc.vpcId : undefined;
}
