import type { PrefectClient } from '../private/prefect-client';

/** How many runs are looked at in one request, of all deployments together. */
const RUNS = 200;

/** As many of a deployment tell how long its next run takes. */
const FEWEST_RUNS = 3;

/** As many, the newest, tell what its next run creates. */
export const LAST_RUNS = 3;

/** How long what is known holds. */
const CACHE_SECONDS = 1800;

/** Between two questions about a pool; within them runs whose times aren't known count as if they went on for ever. */
const REQUEST_INTERVAL_SECONDS = 300;

/** Runs of so long ago say little of those that come. */
const LOOK_BACK_DAYS = 14;

interface EndedRun {
  readonly id: string;
  readonly deployment_id: string | null;
  readonly start_time: string | null;
  readonly total_run_time: number;
}

/** A flow run that has ended; its start in milliseconds. */
export interface PastRun {
  readonly id: string;
  readonly started: number;
}

/**
 * How long the flow runs of each deployment take: nine of ten of its last ones that completed took no longer. It asks Prefect rarely,
 * one request each time, and only of deployments that are in demand; an instance of the function remembers what it has heard.
 */
export class RunTimes {
  private readonly known = new Map<string, { readonly seconds: number; readonly last: readonly PastRun[]; readonly at: number }>();
  private readonly asked = new Map<string, number>();

  /** Seconds by deployment; those are missing of which too few runs are known. */
  public async of(client: PrefectClient, workPool: string, deployments: readonly string[], now: Date): Promise<ReadonlyMap<string, number>> {
    const seconds = now.getTime() / 1000;
    const unknown = [...new Set(deployments)].filter(id => seconds - (this.known.get(id)?.at ?? -Infinity) >= CACHE_SECONDS);
    if (unknown.length > 0 && seconds - (this.asked.get(workPool) ?? -Infinity) >= REQUEST_INTERVAL_SECONDS) {
      this.asked.set(workPool, seconds);
      // Without an answer there is still a demand.
      await this.ask(client, unknown.slice(0, RUNS), now).catch(error => console.warn('The run times could not be read:', error));
    }
    return new Map(deployments.flatMap(id => {
      const known = this.known.get(id);
      return known ? [[id, known.seconds] as const] : [];
    }));
  }

  /** Whether a poll of this moment has asked. */
  public hasAsked(workPool: string, now: Date): boolean {
    return this.asked.get(workPool) === now.getTime() / 1000;
  }

  /** The newest runs of a deployment whose run time is known. */
  public lastRuns(deployment: string): readonly PastRun[] {
    return this.known.get(deployment)?.last ?? [];
  }

  private async ask(client: PrefectClient, deployments: readonly string[], now: Date): Promise<void> {
    const since = new Date(now.getTime() - LOOK_BACK_DAYS * 86_400_000).toISOString();
    const runs = await client.request<EndedRun[]>('POST', '/flow_runs/filter', {
      flow_runs: { deployment_id: { any_: deployments }, state: { type: { any_: ['COMPLETED'] } }, end_time: { after_: since } },
      sort: 'END_TIME_DESC',
      limit: RUNS,
    });
    for (const id of deployments) {
      const own = runs.filter(({ deployment_id: of }) => of === id);
      const seconds = ninetieth(own.map(({ total_run_time: time }) => time));
      if (seconds === undefined) continue;
      const last = own.slice(0, LAST_RUNS).map(run => ({ id: run.id, started: Date.parse(run.start_time ?? '') }));
      this.known.set(id, { seconds, last, at: now.getTime() / 1000 });
    }
  }
}

/** The time that nine of ten don't exceed; undefined for too few. */
export function ninetieth(times: readonly number[]): number | undefined {
  if (times.length < FEWEST_RUNS) return undefined;
  return [...times].sort((a, b) => a - b)[Math.ceil(0.9 * times.length) - 1];
}
