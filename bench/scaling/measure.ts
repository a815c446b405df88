import { LEAST_BILLED_SECONDS } from './aws/fargate';
import { Played } from './simulation';
import { LATE_AFTER_SECONDS } from '../../src/demand/count';

/** What a trace came to under one way of scaling. */
export interface Measured {
  /** Hours that Fargate bills, within the trace's time. */
  readonly taskHours: number;
  /** Minutes that runs were Late, summed over the runs. */
  readonly lateMinutes: number;
  /** Seconds from the expected start to Running. */
  readonly p50: number;
  readonly p99: number;
  /** Runs whose worker was taken away under them. */
  readonly lost: number;
}

/** Seeds pooled: hours, minutes and losses per seed on average, percentiles over all runs of all seeds. */
export function measure(all: readonly Played[]): Measured {
  const lateness = all.flatMap(played => latenesses(played).map(({ seconds }) => seconds)).sort((a, b) => a - b);
  const average = (of: (played: Played) => number) => all.reduce((sum, played) => sum + of(played), 0) / all.length;
  const late = lateness.reduce((sum, seconds) => sum + Math.max(0, seconds - LATE_AFTER_SECONDS), 0);
  return {
    taskHours: average(taskHours),
    lateMinutes: late / 60 / all.length,
    p50: percentile(lateness, 0.5),
    p99: percentile(lateness, 0.99),
    lost: average(({ pool }) => pool.runs.filter(run => run.state === 'Lost').length),
  };
}

/** How late each run started; one that never did is late until it was lost, or to the end of the simulation. */
export function latenesses({ pool, trace }: Played): { readonly due: number; readonly seconds: number }[] {
  const never = trace.seconds + 86_400;
  return pool.runs.map(({ expectedStart: due, started, ended }) => ({ due, seconds: Math.max(0, (started ?? ended ?? never) - due) }));
}

function taskHours({ service, trace }: Played): number {
  return service.tasks.reduce((sum, { launched, stopped = Infinity }) => {
    const billed = Math.max(stopped, launched + LEAST_BILLED_SECONDS);
    return sum + Math.max(0, Math.min(billed, trace.seconds) - Math.max(launched, 0));
  }, 0) / 3600;
}

function percentile(sorted: readonly number[], share: number): number {
  return sorted.length === 0 ? 0 : sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)];
}
