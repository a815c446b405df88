import { say, shortcomings } from './differences';
import { NO_HEARTBEAT, STILL_WAITING } from '../private/no-heartbeat';
import { PrefectApiError, PrefectClient } from '../private/prefect-client';

interface StoredAutomation {
  readonly id: string;
  readonly enabled: boolean;
  readonly description: string;
  readonly trigger: unknown;
  readonly actions: unknown;
}

interface Pool {
  readonly id: string;
  readonly name: string;
}

/** Followed by the CloudFormation resource. */
const MANAGED_BY = 'Managed by cdk-prefect-fargate-worker: ';

/** Where a server has no automations, the plan of a Prefect Cloud account has none left, or the key's role may not have any. */
const NOT_OFFERED = [402, 403, 404, 405];

/**
 * Creates or updates the automation that marks a flow run of the pool as crashed when its heartbeats stop, where the server
 * has automations. Users may switch it off, and it stays off.
 *
 * A heartbeat names the run's work pool, so runs of other pools are not concerned; neither are subflows, which name none.
 * Any event of the run counts as a sign of life: one that ends, pauses or is scheduled again is not waited for. As Prefect may
 * handle a run's last heartbeat after that event, the function that looks for lost runs says once more which of them wait.
 * A run that was only cut off from the API ends as it would have: Prefect accepts its last state after `Crashed`.
 *
 * Gives what there is to tell the user where the API doesn't let the automation be.
 *
 * @see https://docs.prefect.io/v3/advanced/detect-zombie-flows
 */
export async function putAutomation(client: PrefectClient, pool: Pool, lostAfterSeconds: number, owner: string): Promise<string | undefined> {
  const automation = {
    name: automationName(pool.name),
    description: `Marks flow runs as crashed when their heartbeats have stopped. ${MANAGED_BY}${owner}`,
    ...triggerAndActions(pool, lostAfterSeconds),
  };
  const refusal = await whereOffered(async () => {
    const [present, ...doubles] = await find(client, pool.name);
    for (const { id } of doubles) await client.request('DELETE', `/automations/${id}`);
    if (present) await client.request('PUT', `/automations/${present.id}`, { ...automation, enabled: present.enabled });
    else await client.request('POST', '/automations/', { ...automation, enabled: true });
  });
  return refusal && `No automation watches the heartbeats of flow runs, so one that is cut off from Prefect may stay Running: ${refusal}`;
}

/** What of the automation is not as it was put, each in words; whether it is switched on is the users' affair. */
export async function automationDrift(client: PrefectClient, pool: Pool, lostAfterSeconds: number): Promise<string[]> {
  const found: string[] = [];
  await whereOffered(async () => {
    const [present] = await find(client, pool.name);
    if (!present) found.push(`the automation ${JSON.stringify(automationName(pool.name))} is missing`);
    else found.push(...shortcomings('automation', present, triggerAndActions(pool, lostAfterSeconds)).map(difference => say(difference)));
  });
  return found;
}

/** Tells whether the pool is still the owner's: another resource has taken it over where a construct was renamed or moved. Then all stays. */
export async function removeAutomation(client: PrefectClient, poolName: string, owner: string): Promise<boolean> {
  let ours = true;
  const refusal = await whereOffered(async () => {
    const automations = await find(client, poolName);
    ours = !automations.some(({ description }) => description.includes(MANAGED_BY) && !description.endsWith(MANAGED_BY + owner));
    for (const { id } of ours ? automations : []) await client.request('DELETE', `/automations/${id}`);
  });
  if (refusal) console.warn(`The automation of the work pool "${poolName}" is left behind, if there is one: ${refusal}`);
  return ours;
}

function triggerAndActions(pool: Pool, lostAfterSeconds: number) {
  return {
    trigger: {
      type: 'event',
      posture: 'Proactive',
      match: { 'prefect.resource.id': 'prefect.flow-run.*' },
      match_related: { 'prefect.resource.role': 'work-pool', 'prefect.resource.id': `prefect.work-pool.${pool.id}` },
      after: ['prefect.flow-run.heartbeat'],
      expect: ['prefect.flow-run.*', STILL_WAITING],
      for_each: ['prefect.resource.id'],
      threshold: 1,
      within: lostAfterSeconds,
    },
    actions: [{
      type: 'change-flow-run-state',
      state: 'CRASHED',
      name: 'Crashed',
      message: `${NO_HEARTBEAT} for ${lostAfterSeconds} seconds.`,
    }],
  };
}

/** By this name, the automation is found again. */
function automationName(poolName: string): string {
  return `Flow runs without heartbeats in ${poolName}`;
}

function find(client: PrefectClient, poolName: string): Promise<StoredAutomation[]> {
  return client.request('POST', '/automations/filter', { automations: { name: { any_: [automationName(poolName)] } }, sort: 'CREATED_DESC' });
}

/** Acts, and gives the API's refusal where it doesn't offer automations to this key. */
async function whereOffered(act: () => Promise<void>): Promise<string | undefined> {
  try {
    await act();
    return undefined;
  } catch (error) {
    if (!(error instanceof PrefectApiError && NOT_OFFERED.includes(error.status))) throw error;
    return error.message;
  }
}
