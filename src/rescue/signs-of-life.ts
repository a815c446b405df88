import type { FlowRun } from './flow-run';
import type { PrefectClient } from '../private/prefect-client';

/** About how many flow runs one request asks at most. */
const PAGE = 200;

/**
 * How many days a request looks back at most: Prefect Cloud answers none for more than its plan keeps events, which is 7 for the smallest.
 *
 * @see https://docs.prefect.io/v3/concepts/rate-limits
 */
const LOOK_BACK = 6;

const HEARTBEAT = { event: { name: ['prefect.flow-run.heartbeat'] } };

/** What Prefect has heard of flow runs by their events: a request or two for all of them. */
export class SignsOfLife {
  constructor(private readonly client: PrefectClient) {}

  /**
   * Those of which nothing has been heard since a time, each with its last heartbeat. Those that send none, or whose server keeps no
   * events, are not among them.
   *
   * @param withoutHeartbeat those that are known to have sent none, and need not be asked for again; it is brought up to date
   */
  public async silentSince(time: Date, ids: readonly string[], withoutHeartbeat: Set<string>): Promise<Map<string, Date>> {
    const heard = await this.last(ids, { occurred: { since: time.toISOString() } });
    const unheard = ids.filter(id => !heard.has(id));
    const asked = unheard.filter(id => !withoutHeartbeat.has(id));
    const heartbeats = await this.last(asked, { ...HEARTBEAT, occurred: { since: daysAgo(LOOK_BACK).toISOString() } });
    withoutHeartbeat.clear();
    for (const id of unheard) if (!heartbeats.has(id)) withoutHeartbeat.add(id);
    return new Map([...heartbeats].filter(([, at]) => at < time));
  }

  /** Those of these runs that have sent a heartbeat since they came to their state. */
  public async heardOf(runs: readonly FlowRun[]): Promise<Set<string>> {
    if (runs.length === 0) return new Set();
    const earliest = new Date(Math.max(daysAgo(LOOK_BACK).getTime(), Math.min(...runs.map(({ since }) => since.getTime()))));
    const heartbeats = await this.last(runs.map(({ id }) => id), { ...HEARTBEAT, occurred: { since: earliest.toISOString() } });
    return new Set(runs.filter(({ id, since }) => (heartbeats.get(id) ?? 0) > since).map(({ id }) => id));
  }

  /** When the last event of each of these runs was; of those that have none, nothing. */
  private async last(ids: readonly string[], filter: object): Promise<Map<string, Date>> {
    const last = new Map<string, Date>();
    for (let start = 0; start < ids.length; start += PAGE) {
      const resources = ids.slice(start, start + PAGE).map(id => `prefect.flow-run.${id}`);
      const counts = await this.client.request<{ value: string; end_time: string }[]>('POST', '/events/count-by/resource', {
        filter: { ...filter, resource: { id: resources } },
      });
      for (const { value, end_time: at } of counts) last.set(value.slice('prefect.flow-run.'.length), new Date(at));
    }
    return last;
  }
}

function daysAgo(days: number): Date {
  return new Date(Date.now() - days * 24 * 3600 * 1000);
}
