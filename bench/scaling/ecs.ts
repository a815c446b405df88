import { Conditions } from './conditions';
import { controlByTemplate } from './controller';
import { Measured, measure } from './measure';
import { fleet, official } from './rivals';
import { simulate, World } from './simulation';
import { synthesized } from './synthesized';
import { Deployment } from './template/deployment';
import { Trace } from './trace';
import { WorkerType } from '../../src';

const fixed = synthesized(undefined, WorkerType.ECS);
const fromZero = synthesized({ minWorkers: 0 }, WorkerType.ECS);

/** Ways to have ECS workers, which only start the tasks of flow runs. */
export const ECS: readonly (readonly [string, Deployment, (world: World) => void])[] = [
  ['two workers, the default', fixed, controlByTemplate(fixed)],
  ['one worker', fixed, fleet(1)],
  ['`minWorkers: 0`', fromZero, controlByTemplate(fromZero)],
  ['official template', official(fixed), controlByTemplate(official(fixed))],
];

/** What a trace comes to; the hours are the workers', as the flow runs' own tasks are the same ones. */
export function withEcsWorkers(
  deployment: Deployment, control: (world: World) => void, trace: Trace, seeds: readonly number[], conditions: Conditions,
): Measured {
  const played = seeds.map(seed => simulate(trace, deployment, control, seed, conditions));
  return measure(played.map(of => ({ ...of, tasks: of.service.tasks })));
}
