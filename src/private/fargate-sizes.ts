const GIB = 1024;

/**
 * Memory in MiB that Fargate offers for each number of CPU units.
 *
 * @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html#fargate-tasks-size
 */
export const OFFERED_MEMORY: { readonly [cpu: number]: readonly number[] } = {
  256: [512, GIB, 2 * GIB],
  512: steps(1, 4, 1),
  1024: steps(2, 8, 1),
  2048: steps(4, 16, 1),
  4096: steps(8, 30, 1),
  8192: steps(16, 60, 4),
  16384: steps(32, 120, 8),
};

function steps(fromGiB: number, toGiB: number, stepGiB: number): number[] {
  return Array.from({ length: (toGiB - fromGiB) / stepGiB + 1 }, (_, index) => (fromGiB + index * stepGiB) * GIB);
}

/** CPU units, and memory in MiB. */
export interface FargateSize {
  readonly cpu: number;
  readonly memory: number;
}

/** The next more memory that Fargate offers, with as many CPU units where it offers that. */
export function withMoreMemory({ cpu, memory }: FargateSize): FargateSize | undefined {
  const sizes = Object.entries(OFFERED_MEMORY).flatMap(([units, offered]) => offered.map(offer => ({ cpu: Number(units), memory: offer })));
  const [next] = sizes.filter(size => size.cpu >= cpu && size.memory > memory).sort((one, other) => one.cpu - other.cpu || one.memory - other.memory);
  return next;
}
