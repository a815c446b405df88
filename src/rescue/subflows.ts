import type { PrefectClient } from '../private/prefect-client';

/** The most flow runs that one request is about. What is more has its turn at the next look. */
const PAGE = 200;

interface Subflow { readonly id: string }

/**
 * Ends the subflows of runs that have crashed or been cancelled, and have no process any more. They ran in that process, and nobody
 * else looks after them: they have no deployment, no worker and no work pool. The subflows of a run that is started again are taken up by it.
 */
export async function endSubflows(client: PrefectClient, parents: readonly string[]): Promise<void> {
  for (let above = parents; above.length > 0;) {
    const subflows = await client.request<Subflow[]>('POST', '/flow_runs/filter', {
      flow_runs: {
        parent_flow_run_id: { any_: above.slice(0, PAGE) },
        deployment_id: { is_null_: true },
        state: { type: { any_: ['SCHEDULED', 'PENDING', 'RUNNING', 'PAUSED', 'CANCELLING'] } },
      },
      limit: PAGE,
    });
    for (const { id } of subflows) {
      const state = { type: 'CRASHED', name: 'Crashed', message: 'The process of its parent flow run has ended.' };
      const { status } = await client.once<{ status: string }>('POST', `/flow_runs/${id}/set_state`, { state, force: false });
      console.log(JSON.stringify({ subflow: id, then: 'crash', accepted: status === 'ACCEPT' }));
    }
    above = subflows.map(({ id }) => id);
  }
}
