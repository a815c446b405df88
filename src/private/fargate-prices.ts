/** US dollars for an hour of a vCPU, and of a GiB of memory. */
export type Hourly = readonly [vCpu: number, gib: number];

/** What Fargate costs in a region, for Linux and on demand. */
export interface FargatePrices {
  readonly X86_64: Hourly;
  /** Where it isn't here, it is `ARM_SHARE` of the other. */
  readonly ARM64?: Hourly;
  /** For an hour of a GiB of ephemeral storage beyond the first 20; where it isn't here, that of the reference region. */
  readonly storage?: number;
  /** What Spot costs of that on demand; where it isn't here, `SPOT_SHARE`. */
  readonly spot?: number;
}

/** Whose prices stand for a region that isn't here. */
export const REFERENCE_REGION = 'us-east-1';

/** AWS: "20% lower cost". Every ARM64 price that is here is that, but Mumbai's, which is lower. */
export const ARM_SHARE = 0.8;

/** AWS: "up to 70% off". Spot prices follow supply and demand, and differ by a few percent from day to day. */
export const SPOT_SHARE = 0.3;

/** GiB that come with each task. */
export const FREE_STORAGE_GIB = 20;

/** Seconds that each task is billed for at the least. */
export const LEAST_SECONDS = 60;

/**
 * AWS's list prices, in US dollars and without taxes and discounts: the offer AmazonECS of the AWS Price List as published on
 * 2026-09-11, and Spot of 2026-09-28. Of what is not in it there was no source; the partition aws-cn has prices in another currency.
 *
 * @see https://aws.amazon.com/fargate/pricing/
 */
export const FARGATE_PRICES: { readonly [region: string]: FargatePrices } = {
  'us-east-1': { X86_64: [0.04048, 0.004445], ARM64: [0.03238, 0.00356], storage: 0.000111, spot: 0.3184 },
  'us-east-2': { X86_64: [0.04048, 0.004445] },
  'us-west-1': { X86_64: [0.04656, 0.00511] },
  'us-west-2': { X86_64: [0.04048, 0.004445], ARM64: [0.03238, 0.00356] },
  'ca-central-1': { X86_64: [0.04456, 0.004865] },
  'sa-east-1': { X86_64: [0.0696, 0.0076], ARM64: [0.0557, 0.00612] },
  'eu-central-1': { X86_64: [0.04656, 0.00511] },
  'eu-west-1': { X86_64: [0.04048, 0.004445], ARM64: [0.03238, 0.00356], spot: 0.3024 },
  'eu-west-2': { X86_64: [0.04656, 0.00511], ARM64: [0.03725, 0.00409], storage: 0.000129 },
  'eu-west-3': { X86_64: [0.0486, 0.0053] },
  'eu-south-1': { X86_64: [0.0486, 0.0053] },
  'eu-north-1': { X86_64: [0.0445, 0.0049] },
  'me-south-1': { X86_64: [0.0526, 0.0058] },
  'af-south-1': { X86_64: [0.0546, 0.006] },
  'ap-east-1': { X86_64: [0.0556, 0.0061] },
  'ap-south-1': { X86_64: [0.04256, 0.004655], ARM64: [0.02383, 0.00261] },
  'ap-northeast-1': { X86_64: [0.05056, 0.00553], storage: 0.000133 },
  'ap-northeast-2': { X86_64: [0.04656, 0.00511], ARM64: [0.03725, 0.00409] },
  'ap-southeast-1': { X86_64: [0.05056, 0.00553], ARM64: [0.04045, 0.00442] },
  'ap-southeast-2': { X86_64: [0.04856, 0.00532], ARM64: [0.03885, 0.00426] },
  'us-gov-east-1': { X86_64: [0.0486, 0.0053] },
  'us-gov-west-1': { X86_64: [0.0486, 0.0053] },
};
