import { NAMESPACE } from './namespace';

/** Whom a turn of a function is for. */
export interface Turn {
  readonly workPool: string;
  /** The construct's unique name, as metrics have it. */
  readonly worker: string;
}

/** Has every line that is logged meanwhile name the pool and the worker: those of a stack share a log. */
export async function named<T>({ workPool, worker }: Turn, act: () => Promise<T>): Promise<T> {
  const { log, warn, error } = console;
  const naming = (say: (...words: unknown[]) => void) => (...words: unknown[]) => say(`[${workPool} ${worker}]`, ...words);
  Object.assign(console, { log: naming(log), warn: naming(warn), error: naming(error) });
  try {
    return await act();
  } finally {
    Object.assign(console, { log, warn, error });
  }
}

/** What such a line says beside the value. */
export interface MetricLine {
  readonly unit?: 'Count' | 'None';
  /** What the metric doesn't have, and a query of the log finds. */
  readonly also?: Readonly<Record<string, unknown>>;
}

/**
 * Publishes a metric of a pool by a line of the log: without a call, its price, a permission, and a filter in the template.
 *
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */
export function logMetric({ workPool, worker }: Turn, name: string, value: number, { unit = 'Count', also = {} }: MetricLine = {}): void {
  const line = {
    _aws: {
      Timestamp: Date.now(),
      CloudWatchMetrics: [{ Namespace: NAMESPACE, Dimensions: [['WorkPool', 'Worker']], Metrics: [{ Name: name, Unit: unit }] }],
    },
    WorkPool: workPool,
    Worker: worker,
    [name]: value,
    ...also,
  };
  // Not by the console, before whose lines Lambda puts a time: CloudWatch takes nothing but JSON.
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
