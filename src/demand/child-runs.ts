import { LAST_RUNS, PastRun, RunTimes } from './run-times';
import { mostAtOnce } from './slots';
import type { PrefectClient } from '../private/prefect-client';

/** What the runs of a deployment create in the pool, as a flow does with `run_deployment`. */
export interface ChildRuns {
  /** How many there are at one time. */
  readonly most: number;
  /** How long after its parent's start the first one is due. */
  readonly afterSeconds: number;
}

/** A run that another one created; its times in milliseconds. */
export interface ChildRun {
  readonly parent: string;
  readonly expected: number;
  readonly seconds: number;
}

/** How many objects Prefect gives at a time. */
const PAGE = 200;

/** Between two questions about a pool, and how long an answer holds. */
const REQUEST_INTERVAL_SECONDS = 300;
const CACHE_SECONDS = 6 * 3600;

interface StoredChild {
  readonly parent_task_run_id: string;
  readonly expected_start_time: string;
  readonly total_run_time: number;
}

/** What has to be asked yet: which runs the children are of. */
interface UnassignedChildren {
  readonly deployments: readonly string[];
  readonly children: readonly StoredChild[];
}

/**
 * Which deployments' runs create others, so that workers are there when their children are due. Prefect says so of past runs only: in one
 * request every few minutes, never in the poll that asks for run times, and in one more in the next poll where there are children.
 */
export class KnownChildRuns {
  private readonly known = new Map<string, { readonly children?: ChildRuns; readonly at: number }>();
  private readonly asked = new Map<string, number>();
  private readonly unassigned = new Map<string, UnassignedChildren>();

  /** By deployment; those are missing that create none, or of which it isn't known. */
  public async of(
    client: PrefectClient, workPool: string, deployments: readonly string[], past: RunTimes, now: Date,
  ): Promise<ReadonlyMap<string, ChildRuns>> {
    // Without an answer there is still a demand.
    await this.learn(client, workPool, deployments, past, now).catch(error => console.warn('No answer about the runs that past runs created:', error));
    return new Map(deployments.flatMap(id => {
      const children = this.known.get(id)?.children;
      return children ? [[id, children] as const] : [];
    }));
  }

  private async learn(client: PrefectClient, workPool: string, deployments: readonly string[], past: RunTimes, now: Date): Promise<void> {
    const seconds = now.getTime() / 1000;
    const unassigned = this.unassigned.get(workPool);
    this.unassigned.delete(workPool);
    if (unassigned) return this.assign(client, unassigned, past, seconds);
    if (past.hasAsked(workPool, now) || seconds - (this.asked.get(workPool) ?? -Infinity) < REQUEST_INTERVAL_SECONDS) return;
    const unknown = [...new Set(deployments)]
      .filter(id => past.lastRuns(id).length > 0 && seconds - (this.known.get(id)?.at ?? -Infinity) >= CACHE_SECONDS);
    if (unknown.length > 0) await this.ask(client, workPool, unknown.slice(0, Math.floor(PAGE / LAST_RUNS)), past, seconds);
  }

  private async ask(client: PrefectClient, workPool: string, deployments: readonly string[], past: RunTimes, at: number): Promise<void> {
    this.asked.set(workPool, at);
    const parents = deployments.flatMap(id => past.lastRuns(id));
    const children = await client.request<StoredChild[]>('POST', '/flow_runs/filter', {
      flow_runs: { parent_flow_run_id: { any_: parents.map(({ id }) => id) } },
      work_pools: { name: { any_: [workPool] } },
      sort: 'EXPECTED_START_TIME_DESC',
      limit: PAGE,
    });
    if (children.length === 0) deployments.forEach(id => this.known.set(id, { at }));
    else this.unassigned.set(workPool, { deployments, children });
  }

  /** A child names a task of its parent, and that task the parent. */
  private async assign(client: PrefectClient, { deployments, children }: UnassignedChildren, past: RunTimes, at: number): Promise<void> {
    const ids = [...new Set(children.map(({ parent_task_run_id: id }) => id))];
    const tasks = await client.request<{ id: string; flow_run_id: string }[]>('POST', '/task_runs/filter', { task_runs: { id: { any_: ids } }, limit: PAGE });
    const parents = new Map(tasks.map(({ id, flow_run_id: parent }) => [id, parent]));
    const runs = children.map((child): ChildRun => (
      { parent: parents.get(child.parent_task_run_id) ?? '', expected: Date.parse(child.expected_start_time), seconds: child.total_run_time }));
    // Of more than a page of children the oldest are missing.
    const since = children.length < PAGE ? -Infinity : Math.min(...runs.map(({ expected }) => expected));
    for (const id of deployments) {
      const last = past.lastRuns(id);
      const whole = last.filter(({ started }) => started >= since);
      this.known.set(id, { at, children: childRuns(whole.length > 0 ? whole : last.slice(0, 1), runs) });
    }
  }
}

/** As many as each of the parents had at one time, as soon as the soonest; undefined where one had none. */
export function childRuns(parents: readonly PastRun[], all: readonly ChildRun[]): ChildRuns | undefined {
  const families = parents.map(({ id, started }) => ({ started, children: all.filter(({ parent }) => parent === id) }));
  const most = Math.min(...families.map(({ children }) => mostAtOnce(
    children.map(({ expected, seconds }) => ({ from: expected, until: expected + Math.max(1, seconds) * 1000 })), Infinity)));
  if (most === 0 || most === Infinity) return undefined;
  const waits = families.flatMap(({ started, children }) => children.map(({ expected }) => (expected - started) / 1000));
  return { most, afterSeconds: Math.max(0, Math.min(...waits)) };
}
