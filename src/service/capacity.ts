import { aws_ecs as ecs } from 'aws-cdk-lib';
import { CapacityOptions } from './capacity-options';
import { invalid, isResolved, requireWholeNumber } from '../private/validation';

/**
 * The strategy that Amazon ECS is given; undefined where all tasks are on demand. Throws for numbers that it refuses.
 *
 * @param defaultBase how many tasks are on demand first where nothing is said
 */
export function capacityProviderStrategies(
  options: CapacityOptions = {}, defaultBase = 1, prop = 'capacity',
): ecs.CapacityProviderStrategy[] | undefined {
  const { spotWeight, onDemandWeight = 1, onDemandBase } = options;
  requireWithin(`${prop}.spotWeight`, spotWeight, 1000);
  requireWithin(`${prop}.onDemandWeight`, options.onDemandWeight, 1000);
  requireWithin(`${prop}.onDemandBase`, onDemandBase, 100_000);
  if (!spotWeight) {
    for (const name of ['onDemandBase', 'onDemandWeight'] as const) {
      if (options[name] === undefined) continue;
      throw invalid(`${prop}.${name}`, options[name], `all tasks are on demand already; give ${prop}.spotWeight too, or leave both out.`);
    }
    return undefined;
  }
  const base = onDemandBase ?? defaultBase;
  return [
    ...(base === 0 && onDemandWeight === 0 ? [] : [{ capacityProvider: 'FARGATE', base, weight: onDemandWeight }]),
    { capacityProvider: 'FARGATE_SPOT', weight: spotWeight },
  ];
}

function requireWithin(prop: string, value: number | undefined, highest: number): void {
  requireWholeNumber(prop, value, 0);
  if (isResolved(value) && value > highest) throw invalid(prop, value, `the most that Amazon ECS takes is ${highest}.`);
}
