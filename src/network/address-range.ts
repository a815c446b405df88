import { invalid } from '../private/validation';

const PUBLIC = 24;
/** The smallest subnet that a VPC takes, which holds a NAT gateway well. */
const SMALLEST = 28;
/** A range from here on has no room to spare. */
const SMALL = 21;

/**
 * Prefix length of the public subnets in a range, which leaves the private ones the most of it where it is small.
 * Throws where the range is none that a VPC can have, or too small for a public and a private subnet in each zone.
 */
export function publicSubnetMask(cidr: string | undefined, zones: number): number {
  if (cidr === undefined) return PUBLIC;
  const prefix = Number(/^\d+\.\d+\.\d+\.\d+\/(\d+)$/.exec(cidr)?.[1]);
  if (!(prefix >= 16) || 2 ** (SMALLEST - prefix) < 2 * zones) {
    throw invalid('network.cidr', cidr, `give an IPv4 range such as 10.20.0.0/16, from /16 to /${SMALLEST - Math.ceil(Math.log2(2 * zones))}, `
      + `which holds a public and a private subnet in each of ${zones} zones.`);
  }
  return prefix < SMALL ? PUBLIC : SMALLEST;
}
