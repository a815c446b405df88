import { CloudWatchClient, GetMetricDataCommand, ListMetricsCommand } from '@aws-sdk/client-cloudwatch';
import { DescribeServicesCommand, ECSClient } from '@aws-sdk/client-ecs';
import { eventually } from './evidence';
import { NAMESPACE } from '../../../src/demand/metrics';
import { clientConfiguration, StandIn } from '../../stand-in/stand-in';

export interface WatchedScaling {
  /** The desired and the running count of the service, as it is. */
  counts(): Promise<{ desired: number; running: number }>;
  /** Whether the service comes to keep no worker, and to run none, within some seconds. */
  none(seconds: number): Promise<boolean>;
  /** The values of a metric between two times, the oldest first. */
  values(metric: string, since: Date, until?: Date): Promise<number[]>;
}

/** What becomes of the service whose count the publisher sets, and what it has published. */
export function watchScaling(standIn: StandIn, workPool: string, cluster: string, service: string): WatchedScaling {
  const client = clientConfiguration(standIn);
  const [cloudWatch, ecs] = [new CloudWatchClient(client), new ECSClient(client)];
  const counts = async () => {
    const { services } = await ecs.send(new DescribeServicesCommand({ cluster, services: [service] }));
    return { desired: services![0].desiredCount!, running: services![0].runningCount! };
  };
  return {
    counts,
    none: async seconds => await eventually(seconds, async () => {
      const { desired, running } = await counts();
      return desired === 0 && running === 0 ? true : undefined;
    }) === true,
    values: async (metric, since, until = new Date()) => {
      const { Metrics = [] } = await cloudWatch.send(new ListMetricsCommand({
        Namespace: NAMESPACE, MetricName: metric, Dimensions: [{ Name: 'WorkPool', Value: workPool }],
      }));
      const found = Metrics.find(({ Dimensions = [] }) => Dimensions.some(({ Name }) => Name === 'Worker'));
      if (!found) return [];
      const { MetricDataResults } = await cloudWatch.send(new GetMetricDataCommand({
        StartTime: new Date(Math.floor(since.getTime() / 1000) * 1000),
        EndTime: new Date((Math.ceil(until.getTime() / 1000) + 1) * 1000),
        ScanBy: 'TimestampAscending',
        MetricDataQueries: [{ Id: 'asked', MetricStat: { Metric: found, Period: 1, Stat: 'Sum' } }],
      }));
      return MetricDataResults![0].Values ?? [];
    },
  };
}
