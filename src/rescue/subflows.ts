import { atATime } from './at-a-time';
import type { PrefectClient } from '../private/prefect-client';

/** The most flow runs that one request is about. */
const PAGE = 200;

interface Subflow { readonly id: string }

/**
 * Ends the subflows of runs that have crashed or been cancelled, and have no process any more. They ran in that process, and nobody
 * else looks after them: they have no deployment, no worker and no work pool. The subflows of a run that is started again are taken up by it.
 *
 * @param most how many to end at a time
 */
export async function endSubflows(client: PrefectClient, parents: readonly string[], most: number): Promise<void> {
  for (let start = 0; start < parents.length; start += PAGE) await endBelow(client, parents.slice(start, start + PAGE), most);
}

async function endBelow(client: PrefectClient, parents: readonly string[], most: number): Promise<void> {
  const subflows = await client.request<Subflow[]>('POST', '/flow_runs/filter', {
    flow_runs: {
      parent_flow_run_id: { any_: parents },
      deployment_id: { is_null_: true },
      state: { type: { any_: ['SCHEDULED', 'PENDING', 'RUNNING', 'PAUSED', 'CANCELLING'] } },
    },
    limit: PAGE,
  });
  await atATime(most, subflows, async ({ id }) => {
    const state = { type: 'CRASHED', name: 'Crashed', message: 'The process of its parent flow run has ended.' };
    const { status } = await client.once<{ status: string }>('POST', `/flow_runs/${id}/set_state`, { state, force: false });
    console.log(JSON.stringify({ subflow: id, then: 'crash', accepted: status === 'ACCEPT' }));
  });
  if (subflows.length > 0) await endSubflows(client, [...subflows.map(({ id }) => id), ...subflows.length === PAGE ? parents : []], most);
}
