import { aws_ecs as ecs } from 'aws-cdk-lib';
import { CapacityOptions } from './capacity-options';
import { invalid, known, requireWholeNumber } from '../private/validation';

/** The service's strategy; undefined where all workers are on demand. Throws for numbers that Amazon ECS refuses. */
export function capacityProviderStrategies(options: CapacityOptions = {}): ecs.CapacityProviderStrategy[] | undefined {
  const { spotWeight, onDemandBase } = options;
  requireWithin('capacity.spotWeight', spotWeight, 1000);
  requireWithin('capacity.onDemandBase', onDemandBase, 100_000);
  if (!spotWeight) {
    if (onDemandBase !== undefined) {
      throw invalid('capacity.onDemandBase', onDemandBase, 'all workers are on demand already; give capacity.spotWeight too, or leave both out.');
    }
    return undefined;
  }
  return [
    { capacityProvider: 'FARGATE', base: onDemandBase ?? 1, weight: 1 },
    { capacityProvider: 'FARGATE_SPOT', weight: spotWeight },
  ];
}

function requireWithin(prop: string, value: number | undefined, highest: number): void {
  requireWholeNumber(prop, value, 0);
  if (known(value) && value > highest) throw invalid(prop, value, `the most that Amazon ECS takes is ${highest}.`);
}
