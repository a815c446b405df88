import { ARM_SHARE, FARGATE_PRICES, FREE_STORAGE_GIB, LEAST_SECONDS, REFERENCE_REGION, SPOT_SHARE } from './fargate-prices';

/** By what AWS Fargate bills a task. */
export interface TaskSize {
  /** In units, of which a vCPU has 1,024. */
  readonly cpu: number;
  readonly memoryMiB: number;
  readonly ephemeralStorageGiB?: number;
  readonly cpuArchitecture: string;
}

/** Whose prices count in a region: its own, or those of the reference region. */
export function pricedRegion(region: string): string {
  return region in FARGATE_PRICES ? region : REFERENCE_REGION;
}

/** What a task costs in an hour, in US dollars. */
export function dollarsAnHour(task: TaskSize, spot: boolean, region: string): number {
  const { cpu, memoryMiB, ephemeralStorageGiB = 0, cpuArchitecture } = task;
  const prices = FARGATE_PRICES[pricedRegion(region)];
  const [vCpu, gib] = cpuArchitecture === 'ARM64' ? prices.ARM64 ?? prices.X86_64.map(price => price * ARM_SHARE) : prices.X86_64;
  const share = spot ? prices.spot ?? SPOT_SHARE : 1;
  const storage = prices.storage ?? FARGATE_PRICES[REFERENCE_REGION].storage!;
  return (cpu / 1024 * vCpu + memoryMiB / 1024 * gib) * share + Math.max(0, ephemeralStorageGiB - FREE_STORAGE_GIB) * storage;
}

/** The seconds that a task is billed for: from the pull of its image to its end, each that has begun, and at the least a minute. */
export function billedSeconds(pullStarted: Date, stopped: Date): number {
  return Math.max(LEAST_SECONDS, Math.ceil((stopped.getTime() - pullStarted.getTime()) / 1000));
}
