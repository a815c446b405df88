import type { ChildRuns } from './child-runs';

/** A span in which a flow run holds a slot of a worker, in milliseconds; without an end it goes on for as long as anybody looks ahead. */
export interface Hold {
  readonly from: number;
  readonly until?: number;
}

/** The most slots that are held at one time before a moment. A slot is free again when its run ends, for another one in the same moment. */
export function mostAtOnce(holds: readonly Hold[], before: number): number {
  const begun = holds.filter(({ from }) => from < before);
  const begins = begun.map(({ from }) => from).sort((a, b) => a - b);
  const ends = begun.map(({ until = Infinity }) => until).sort((a, b) => a - b);
  let [most, over] = [0, 0];
  begins.forEach((from, index) => {
    while (ends[over] <= from) over++;
    most = Math.max(most, index + 1 - over);
  });
  return most;
}

/** A flow run that is pending or runs. */
export interface ActiveRun {
  readonly deployment?: string;
  /** Since when it runs, in milliseconds; not yet where it is pending. */
  readonly since?: number;
  /** The name of the worker that has it. */
  readonly worker?: string;
  readonly unscheduled?: boolean;
}

/** How long before a run is due a worker may take it, and its process needs to start beside one or two others. */
const CLAIM_SECONDS = 10;
const START_SECONDS = 10;

export interface SlotsNeeded {
  readonly active: readonly ActiveRun[];
  /** When runs that may start are due, in milliseconds, and of which deployment they are. */
  readonly starting: readonly { readonly at: number; readonly deployment?: string; readonly unscheduled?: boolean }[];
  /** Runs of which no more is known than that there are as many. */
  readonly others: number;
  /** How long runs take, in seconds by deployment. */
  readonly times: ReadonlyMap<string, number>;
  /** The runs that runs create, by the deployment of these. */
  readonly children: ReadonlyMap<string, ChildRuns>;
  /** How many runs beyond these the limits in Prefect would let start. */
  readonly room: number;
  /** In milliseconds. */
  readonly now: number;
  readonly until: number;
}

/**
 * The most slots that are taken at one time until then. A run of a deployment whose run time isn't known, and one that exceeds it, stays. The
 * runs that a run is going to create count as long as it takes; once they are there they are runs like others.
 */
export function slotsNeeded({ active, starting, others, times, children, room, now, until }: SlotsNeeded): number {
  const after = (begin: number, deployment = '') => begin + times.get(deployment)! * 1000 || undefined;
  const runs = [
    ...active.map(({ deployment, since = now + START_SECONDS * 1000 }) => {
      const end = after(since, deployment);
      return { deployment, begins: since, from: now, until: end !== undefined && end > now ? end : undefined };
    }),
    ...starting.map(({ at, deployment }) => {
      const begins = Math.max(now, at);
      return { deployment, begins, from: Math.max(now, at - CLAIM_SECONDS * 1000), until: after(begins + START_SECONDS * 1000, deployment) };
    }),
  ];
  const created = runs.flatMap(({ deployment = '', begins, until: ends }): Hold[] => {
    const { most, afterSeconds } = children.get(deployment) ?? { most: 0, afterSeconds: 0 };
    const from = begins + afterSeconds * 1000;
    return from < now ? [] : Array(most).fill({ from, until: ends });
  });
  const own = mostAtOnce(runs, until);
  return others + Math.min(own + room, mostAtOnce([...runs, ...created], until));
}

/** The same without the runs that nobody scheduled. */
export function slotsForScheduled({ active, starting, ...others }: SlotsNeeded): number {
  return slotsNeeded({ active: active.filter(run => !run.unscheduled), starting: starting.filter(run => !run.unscheduled), ...others });
}
