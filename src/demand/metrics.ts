export { NAMESPACE } from '../private/namespace';

/** What the publisher sends, each with its unit in CloudWatch, which has none for money. */
export const UNITS = {
  DueRuns: 'Count',
  LateRuns: 'Count',
  OldestLateSeconds: 'Seconds',
  BlockedRuns: 'Count',
  PendingRuns: 'Count',
  RunningRuns: 'Count',
  CrashedRuns: 'Count',
  OnlineWorkers: 'Count',
  Demand: 'Count',
  RequiredWorkers: 'Count',
  MissingWorkers: 'Count',
  SurplusWorkers: 'Count',
  UnscheduledWorkers: 'Count',
  WarmWorkers: 'Count',
  PublisherErrors: 'Count',
  WorkerCost: 'None',
} as const;

/** What the other functions of the workers publish by their logs. */
export const LOGGED = ['ReconcilerErrors', 'WorkPoolChanges', 'Cost'] as const;

export type MetricName = keyof typeof UNITS;

/** Values by metric. What isn't known is absent: it is not published, and never as 0. */
export type Values = { readonly [name in MetricName]?: number };
