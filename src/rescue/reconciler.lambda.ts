import type { Task } from '@aws-sdk/client-ecs';
import { LIMITS, ReconcilerConfiguration, ReconcilerLimits, TaskEnd } from './configuration';
import { priceTask } from './ended-task';
import { Look } from './look';
import { followSecrets } from './rotation';
import { logMetric, named } from '../private/pool-log';
import { connect, ownApi } from '../private/prefect-connection';

/** Seconds after which a look counts as failed: the function has a few more. */
const OVERDUE = 50;

/**
 * Looks for flow runs that have no task any more, or never got one, and gives them a state from which they go on or end; then
 * for tasks whose flow runs have ended. First of all for secrets that the workers don't have yet: without these, Prefect may
 * refuse the workers and this function.
 *
 * Told of a flow run's task that has ended, it publishes the price of it, for which nobody has to ask Prefect.
 */
export async function handler(configuration: ReconcilerConfiguration | TaskEnd<Task>): Promise<void> {
  if ('task' in configuration) await priceTask(configuration);
  else await named(configuration, () => reported(configuration, () => look(configuration)));
}

/** Says whether a look has failed: after it, or shortly before Lambda ends one that takes too long. */
async function reported(configuration: ReconcilerConfiguration, act: () => Promise<void>): Promise<void> {
  const say = (failed: number) => logMetric(configuration, 'ReconcilerErrors', failed);
  const overdue = setTimeout(() => say(1), Number(process.env.OVERDUE_SECONDS ?? OVERDUE) * 1000);
  try {
    await act();
    say(0);
  } catch (error) {
    say(1);
    console.error(error);
    throw error;
  } finally {
    clearTimeout(overdue);
  }
}

async function look(configuration: ReconcilerConfiguration): Promise<void> {
  await followSecrets(configuration);
  const limits: ReconcilerLimits = { ...LIMITS, ...JSON.parse(process.env.LIMITS ?? '{}') };
  const rules = { ownTask: configuration.type === 'ecs', interruptedRuns: configuration.interruptedRuns, outOfMemory: configuration.outOfMemory, limits };
  await new Look(await connect(ownApi()), configuration, rules).take();
}
