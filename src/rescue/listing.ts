import { FoundRun, StoredRun, toRun } from './found-run';
import type { PrefectClient } from '../private/prefect-client';

/** The most flow runs that Prefect gives at a time. */
const PAGE = 200;

interface Page {
  readonly count: number;
  readonly results: readonly StoredRun[];
}

/** Runs that are claimed or execute; and those that may be cut off while they end, or wait for someone or for another attempt. */
const ACTIVE = { type: { any_: ['PENDING', 'RUNNING'] } };
const WAITING = { operator: 'or_', type: { any_: ['PAUSED', 'CANCELLING'] }, name: { any_: ['AwaitingRetry'] } };
const ACTIVE_OR_WAITING = { ...WAITING, type: { any_: [...ACTIVE.type.any_, ...WAITING.type.any_] } };

/** Finds flow runs of one work pool, in as few requests as can be: Prefect Cloud counts them. */
export class Listing {
  /** @param workQueues those that the workers serve, where these are not all of the pool's: the others' runs are others' business */
  constructor(private readonly client: PrefectClient, private readonly workPool: string, private readonly workQueues?: readonly string[]) {}

  /** All runs that may need help, in one request: active ones, those that wait, and those that crashed since then. Undefined where a page doesn't show them all. */
  public async onOnePage(crashedSince: Date): Promise<FoundRun[] | undefined> {
    const { count, results } = await this.client.request<Page>('POST', '/flow_runs/paginate', {
      ...this.served(),
      flow_runs: { operator: 'or_', state: ACTIVE_OR_WAITING, end_time: { after_: crashedSince.toISOString() } },
      sort: 'ID_DESC',
      limit: PAGE,
    });
    if (count > PAGE) return undefined;
    // Only what has a deployment can be started again.
    return results.filter(run => run.deployment_id !== null && (run.end_time === null || run.state_type === 'CRASHED')).map(toRun);
  }

  /** The same without those of which it is known that they need none, in three requests and as many as further pages take. */
  public async without(known: readonly FoundRun[], crashedSince: Date): Promise<FoundRun[]> {
    const not = (some: readonly FoundRun[]) => (some.length === 0 ? {} : { id: { not_any_: some.map(({ id }) => id) } });
    const found = await Promise.all([
      // A run that is known from one state may be in the other now.
      { state: ACTIVE, ...not(known.filter(({ state }) => state === 'RUNNING')) },
      { state: WAITING, ...not(known.filter(({ state }) => state !== 'RUNNING')) },
      { state: { type: { any_: ['CRASHED'] } }, end_time: { after_: crashedSince.toISOString() } },
    ].map(filter => this.find(filter)));
    return found.flat();
  }

  /** Those of these runs that have ended. */
  public ended(ids: readonly string[]): Promise<FoundRun[]> {
    return this.find({ id: { any_: ids }, state: { type: { any_: ['COMPLETED', 'FAILED', 'CANCELLED', 'CRASHED'] } } });
  }

  private async find(filter: Record<string, unknown>): Promise<FoundRun[]> {
    const found: StoredRun[] = [];
    for (let page: StoredRun[] = [], offset = 0; offset === 0 || page.length === PAGE; offset += PAGE) {
      page = await this.client.request<StoredRun[]>('POST', '/flow_runs/filter', {
        ...this.served(), flow_runs: { ...filter, deployment_id: { is_null_: false } }, sort: 'ID_DESC', limit: PAGE, offset,
      });
      found.push(...page);
    }
    return found.map(toRun);
  }

  private served(): object {
    return { work_pools: { name: { any_: [this.workPool] } }, ...(this.workQueues && { work_pool_queues: { name: { any_: this.workQueues } } }) };
  }
}
