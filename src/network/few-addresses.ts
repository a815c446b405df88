import { Annotations, aws_ec2 as ec2 } from 'aws-cdk-lib';
import { IConstruct } from 'constructs';
import { isResolved } from '../private/validation';

/** AWS keeps so many addresses of each subnet for itself. */
const RESERVED = 5;

/**
 * Warns where there may be more tasks than their subnets have addresses: each takes one, and Amazon ECS starts none without.
 *
 * @param most how many tasks there may be at a time, by the properties that say so; nothing is certain where one of them doesn't
 * @see https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html
 */
export function warnOfFewAddresses(worker: IConstruct, subnets: readonly ec2.ISubnet[], most: Readonly<Record<string, number | undefined>>): void {
  const tasks = Object.values(most).reduce((sum: number, some) => sum + (isResolved(some) ? some : NaN), 0);
  const addresses = subnets.reduce((sum, subnet) => sum + addressesOf(subnet), 0);
  if (!(tasks > addresses)) return;
  Annotations.of(worker).addWarningV2('cdk-prefect-fargate-worker:fewAddresses',
    `The subnets ${subnets.map(({ node }) => node.id).join(', ')} have ${addresses} addresses, and there may be ${tasks} tasks (${Object.keys(most).join(' and ')}), each with one. `
    + `Those beyond that don't start: use larger subnets (vpcSubnets, or network.cidr), or lower ${Object.keys(most).join(' or ')}.`);
}

/** A subnet of unknown size has enough of them. */
function addressesOf(subnet: ec2.ISubnet): number {
  const range = rangeOf(subnet);
  return isResolved(range) ? 2 ** (32 - Number(range.split('/')[1])) - RESERVED : Infinity;
}

/** An import throws where it was not told its range. */
function rangeOf(subnet: ec2.ISubnet): string | undefined {
  try {
    return subnet.ipv4CidrBlock;
  } catch {
    return undefined;
  }
}
