import { aws_ec2 as ec2 } from 'aws-cdk-lib';
import { isResolved } from '../private/validation';

/** Where a VPC's addresses can be (RFC 1918 and RFC 6598). */
const PRIVATE = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10'];

/**
 * The IPv4 ranges of a VPC, its secondary ones too: no construct lists these, but its subnets are in them. All private ranges where an
 * import doesn't say in which a subnet is.
 *
 * @see https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html
 */
export function vpcRanges(vpc: ec2.IVpc, selected: readonly ec2.ISubnet[]): string[] {
  const subnets = new Set([...vpc.publicSubnets, ...vpc.privateSubnets, ...vpc.isolatedSubnets, ...selected]);
  const said = [told(() => primaryRange(vpc)), ...secondaryBlocks(vpc), ...[...subnets].map(subnet => told(() => subnet.ipv4CidrBlock))];
  const ranges = new Set(said.flatMap(range => range === undefined ? PRIVATE : [range]));
  return [...ranges].filter(range => ![...ranges].some(other => other !== range && isWithin(range, other)));
}

/** What a construct says, where it knows: an import throws otherwise. */
function told(property: () => string | undefined): string | undefined {
  try {
    return property();
  } catch {
    return undefined;
  }
}

/** As a number range where the VPC is of this app, so that it can be compared with its subnets'. */
function primaryRange(vpc: ec2.IVpc): string {
  const resource = vpc.node.defaultChild;
  return resource instanceof ec2.CfnVPC && isResolved(resource.cidrBlock) ? resource.cidrBlock : vpc.vpcCidrBlock;
}

function secondaryBlocks(vpc: ec2.IVpc): string[] {
  return vpc.stack.node.findAll()
    .filter((child): child is ec2.CfnVPCCidrBlock => child instanceof ec2.CfnVPCCidrBlock && child.vpcId === vpc.vpcId)
    .flatMap(({ cidrBlock }) => cidrBlock ?? []);
}

function isWithin(inner: string, outer: string): boolean {
  if (!isResolved(inner) || !isResolved(outer)) return false;
  const [[address, prefix], [network, length]] = [inner, outer].map(parse);
  return prefix >= length && Math.floor(address / 2 ** (32 - length)) === Math.floor(network / 2 ** (32 - length));
}

function parse(range: string): [address: number, prefix: number] {
  const [address, prefix] = range.split('/');
  return [address.split('.').reduce((sum, byte) => sum * 256 + Number(byte), 0), Number(prefix)];
}
