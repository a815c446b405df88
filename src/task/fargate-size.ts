import { OFFERED_MEMORY as OFFERED } from '../private/fargate-sizes';
import { invalid, isResolved } from '../private/validation';

/** Throws unless Fargate offers this pair of CPU units and memory in MiB. */
export function requireFargateSize(cpuProp: string, cpu: number, memoryProp: string, memory: number): void {
  if (!isResolved(cpu)) return;
  const offered = OFFERED[cpu];
  if (!offered) {
    throw invalid(cpuProp, cpu, `Fargate offers ${Object.keys(OFFERED).join(', ')} CPU units.`);
  }
  if (isResolved(memory) && !offered.includes(memory)) {
    throw invalid(memoryProp, memory, `with ${cpu} CPU units Fargate offers ${list(offered)} MiB.`);
  }
}

/** The least memory that Fargate offers with `cpu` and that is at least `atLeastMiB`. */
export function smallestMemory(cpu: number, atLeastMiB: number): number {
  return OFFERED[cpu]?.find(memory => memory >= atLeastMiB) ?? atLeastMiB;
}

interface FlowRunSize {
  readonly cpu: number;
  readonly memoryLimitMiB: number;
}

/** CPU units and memory of flow runs' tasks where their deployment doesn't say otherwise. */
export function flowRunSize({ cpu = 512, memoryLimitMiB }: Partial<FlowRunSize> = {}): FlowRunSize {
  return { cpu, memoryLimitMiB: memoryLimitMiB ?? smallestMemory(cpu, 1024) };
}

function list(values: readonly number[]): string {
  return values.length <= 4
    ? values.join(', ')
    : `${values[0]} to ${values[values.length - 1]} in steps of ${values[1] - values[0]}`;
}
