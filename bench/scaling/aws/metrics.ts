/** How a period's samples become one data point. */
export type Statistic = 'Average' | 'Minimum' | 'Maximum' | 'Sum' | 'SampleCount';

/** A metric's name: namespace, name and dimensions, in the order of the dimensions' names. */
export function metricKey(namespace: string, name: string, dimensions: Readonly<Record<string, string>> = {}): string {
  const pairs = Object.entries(dimensions).sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, value]) => `${key}=${value}`);
  return [namespace, name, ...pairs].join('|');
}

interface Sample {
  readonly time: number;
  readonly value: number;
  readonly visibleFrom: number;
}

/**
 * CloudWatch's metrics. A sample counts for the period in which its timestamp lies, and can be seen some time later.
 *
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html
 */
export class Metrics {
  private readonly samples = new Map<string, Sample[]>();

  public put(key: string, sample: Sample): void {
    const samples = this.samples.get(key) ?? [];
    samples.push(sample);
    this.samples.set(key, samples);
  }

  /** The data points of the last `count` periods that are over, the oldest first; undefined where none is to be seen. */
  public dataPoints(key: string, statistic: Statistic, period: number, count: number, now: number): (number | undefined)[] {
    const end = Math.floor(now / period) * period;
    const values: number[][] = Array.from({ length: count }, () => []);
    const samples = this.samples.get(key) ?? [];
    for (let index = samples.length - 1; index >= 0 && samples[index].time >= end - count * period; index--) {
      const { time, value, visibleFrom } = samples[index];
      if (time < end && visibleFrom <= now) values[Math.floor((time - end) / period) + count].push(value);
    }
    return values.map(of => (of.length === 0 ? undefined : aggregate(statistic, of)));
  }
}

export function aggregate(statistic: Statistic, values: readonly number[]): number {
  const sum = () => values.reduce((total, value) => total + value, 0);
  switch (statistic) {
    case 'Average': return sum() / values.length;
    case 'Minimum': return Math.min(...values);
    case 'Maximum': return Math.max(...values);
    case 'Sum': return sum();
    case 'SampleCount': return values.length;
  }
}
