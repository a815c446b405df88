import type { CapacityProviderStrategyItem, Service } from '@aws-sdk/client-ecs';
import type { PublisherConfiguration } from './configuration';
import { dollarsAnHour } from '../private/task-price';

/** What the workers that run have cost since the last poll; undefined where nobody asks. */
export function costOf({ runningCount: running = 0, capacityProviderStrategy = [] }: Service, { pricedTask, pollSeconds }: PublisherConfiguration) {
  if (!pricedTask) return undefined;
  const region = process.env.AWS_REGION!;
  const { cpu, memoryMiB, ephemeralStorageGiB = 0, cpuArchitecture = 'X86_64' } = pricedTask;
  const size = { cpu: Number(cpu), memoryMiB: Number(memoryMiB), ephemeralStorageGiB: Number(ephemeralStorageGiB), cpuArchitecture };
  const spot = onSpot(running, capacityProviderStrategy);
  const hourly = (running - spot) * dollarsAnHour(size, false, region) + spot * dollarsAnHour(size, true, region);
  return { WorkerCost: hourly * pollSeconds / 3600 };
}

/** How many of a service's tasks are on Spot, as Amazon ECS spreads them: the base is on demand, and the weights share the rest. */
function onSpot(tasks: number, strategy: readonly CapacityProviderStrategyItem[]): number {
  const [onDemand, spot] = ['FARGATE', 'FARGATE_SPOT'].map(name => strategy.find(({ capacityProvider }) => capacityProvider === name));
  if (!spot?.weight) return 0;
  return Math.max(0, tasks - (onDemand?.base ?? 0)) * spot.weight / (spot.weight + (onDemand?.weight ?? 0));
}
