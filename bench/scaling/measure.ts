import { LEAST_BILLED_SECONDS } from './aws/fargate';
import { SimulationResult } from './simulation';
import { LATE_AFTER_SECONDS } from '../../src/demand/count';

/** What a trace came to under one way of scaling. */
export interface Measured {
  /** Hours that Fargate bills, until the last run has ended and workers had the time to. */
  readonly taskHours: number;
  /** Minutes that runs were Late, summed over the runs. */
  readonly lateMinutes: number;
  /** Seconds from the expected start to Running. */
  readonly p50: number;
  readonly p99: number;
  /** Runs whose worker was taken away under them, and the hours that they ran in vain. */
  readonly handBacks: number;
  readonly wastedHours: number;
  /** The standard deviation of the late minutes and of the hours over the seeds, of one seed. */
  readonly spread: { readonly taskHours: number; readonly lateMinutes: number };
}

/** Seeds pooled: hours, minutes and hand-backs per seed on average, percentiles over all runs of all seeds. */
export function measure(all: readonly SimulationResult[]): Measured {
  const lateness = all.flatMap(played => latenesses(played).map(({ seconds }) => seconds)).sort((a, b) => a - b);
  const [hours, minutes] = [all.map(taskHours), all.map(lateMinutes)];
  return {
    taskHours: mean(hours),
    lateMinutes: mean(minutes),
    p50: percentile(lateness, 0.5),
    p99: percentile(lateness, 0.99),
    handBacks: mean(all.map(({ pool }) => sum(pool.runs.map(run => run.handBacks)))),
    wastedHours: mean(all.map(({ pool }) => sum(pool.runs.map(run => run.wasted)))) / 3600,
    spread: { taskHours: deviation(hours), lateMinutes: deviation(minutes) },
  };
}

/** How late each run started; one that never did is late until it was lost, or to the end of the simulation. */
export function latenesses({ pool, end }: SimulationResult): { readonly due: number; readonly seconds: number }[] {
  return pool.runs.map(({ expectedStart: due, started, ended }) => ({ due, seconds: Math.max(0, (started ?? ended ?? end) - due) }));
}

function lateMinutes(played: SimulationResult): number {
  return sum(latenesses(played).map(({ seconds }) => Math.max(0, seconds - LATE_AFTER_SECONDS))) / 60;
}

function taskHours({ tasks, end }: SimulationResult): number {
  return sum(tasks.map(({ launched, stopped = Infinity }) => {
    const billed = Math.max(stopped, launched + LEAST_BILLED_SECONDS);
    return Math.max(0, Math.min(billed, end) - Math.max(launched, 0));
  })) / 3600;
}

function percentile(sorted: readonly number[], share: number): number {
  return sorted.length === 0 ? 0 : sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)];
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function mean(values: readonly number[]): number {
  return sum(values) / values.length;
}

function deviation(values: readonly number[]): number {
  return values.length < 2 ? 0 : Math.sqrt(sum(values.map(value => (value - mean(values)) ** 2)) / (values.length - 1));
}
