import { LIMITS, ReconcilerConfiguration, ReconcilerLimits } from './configuration';
import { Look } from './look';
import { followSecrets } from './rotation';
import { connect, ownApi } from '../private/prefect-connection';

/**
 * Looks for flow runs that have no task any more, or never got one, and gives them a state from which they go on or end; then
 * for tasks whose flow runs have ended. First of all for secrets that the workers don't have yet: without these, Prefect may
 * refuse the workers and this function.
 */
export async function handler(configuration: ReconcilerConfiguration): Promise<void> {
  await followSecrets(configuration);
  const limits: ReconcilerLimits = { ...LIMITS, ...JSON.parse(process.env.LIMITS ?? '{}') };
  const rules = { ownTask: configuration.type === 'ecs', interruptedRuns: configuration.interruptedRuns, outOfMemory: configuration.outOfMemory, limits };
  await new Look(await connect(ownApi()), configuration, rules).take();
}
