import { CloudWatchClient, paginateGetMetricData } from '@aws-sdk/client-cloudwatch';
import type { PublisherConfiguration } from './configuration';
import { MetricName, NAMESPACE } from './metrics';
import type { Minute, Past } from './warm-workers';

const MINUTE = 60_000;
const DAY_MINUTES = 24 * 60;

export const minuteOf = (time: number) => Math.floor(time / MINUTE);

const cloudWatch = new CloudWatchClient({});

/** CloudWatch charges for each time that it is asked, by the metric, and not for how long ago it was. */
export async function readPast({ workPool, worker, scaleInMinutes, warmTaskHours }: PublisherConfiguration): Promise<Past> {
  const now = Date.now();
  const names: Record<string, MetricName> = {
    required: 'RequiredWorkers', ...warmTaskHours && { unscheduled: 'UnscheduledWorkers', warm: 'WarmWorkers' } as const,
  };
  const minutes = warmTaskHours ? Math.max(DAY_MINUTES, scaleInMinutes) : scaleInMinutes;
  const found: Record<string, Minute[]> = { required: [], unscheduled: [], warm: [] };
  const pages = paginateGetMetricData({ client: cloudWatch }, {
    StartTime: new Date((minuteOf(now) - minutes) * MINUTE),
    EndTime: new Date(now),
    ScanBy: 'TimestampAscending',
    MetricDataQueries: Object.entries(names).map(([id, name]) => ({
      Id: id,
      MetricStat: {
        Metric: { Namespace: NAMESPACE, MetricName: name, Dimensions: [{ Name: 'WorkPool', Value: workPool }, { Name: 'Worker', Value: worker }] },
        Period: MINUTE / 1000,
        Stat: 'Maximum',
      },
    })),
  });
  for await (const { MetricDataResults = [] } of pages) {
    for (const { Id = '', Timestamps = [], Values = [] } of MetricDataResults) {
      found[Id].push(...Timestamps.map((time, index) => ({ minute: minuteOf(time.getTime()), workers: Values[index] })));
    }
  }
  const { required, unscheduled, warm } = found;
  return { required: required.filter(({ minute }) => minute >= minuteOf(now) - scaleInMinutes), unscheduled, warm };
}
