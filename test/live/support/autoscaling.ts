import { setTimeout as sleep } from 'node:timers/promises';
import { CloudWatchClient, GetMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { DescribeServicesCommand, ECSClient, UpdateServiceCommand } from '@aws-sdk/client-ecs';
import { AlarmState, callsAction, evaluate, evaluationInterval, evaluationRange } from '../../../bench/scaling/aws/alarm';
import { Metrics } from '../../../bench/scaling/aws/metrics';
import { ScalableTarget } from '../../../bench/scaling/aws/scalable-target';
import { stepCapacity } from '../../../bench/scaling/aws/step-scaling';
import { Alarm } from '../../../bench/scaling/template/deployment';
import { readTemplate } from '../../../bench/scaling/template/read';
import { clientConfiguration, StandIn } from '../../stand-in/stand-in';
import type { Template } from '../../validators/types';

export interface AutoScaling {
  /** The desired and the running count of the service, as it is. */
  counts(): Promise<{ desired: number; running: number }>;
  /** The values of a metric between two times, the oldest first. */
  values(metric: string, since: Date, until?: Date): Promise<number[]>;
  stop(): Promise<void>;
}

/**
 * What the stand-in leaves out: evaluates the deployed alarms on the metrics that the publisher really sent, and moves the
 * desired count of the real service as their policies say, by the rules that bench/scaling cites. AWS's times pass
 * `timeScale` times as fast, as in the stand-in.
 */
export function startAutoScaling(standIn: StandIn, template: Template, cluster: string, service: string, timeScale: number): AutoScaling {
  const client = clientConfiguration(standIn);
  const [cloudWatch, ecs] = [new CloudWatchClient(client), new ECSClient(client)];
  const { alarms, policies, bounds } = readTemplate(template as any);
  const awsSeconds = () => Date.now() / 1000 * timeScale;

  const counts = async () => {
    const { services } = await ecs.send(new DescribeServicesCommand({ cluster, services: [service] }));
    return { desired: services![0].desiredCount!, running: services![0].runningCount! };
  };
  const query = async (key: string, statistic: string, period: number, from: number, to: number) => {
    const [Namespace, MetricName, ...pairs] = key.split('|');
    const { MetricDataResults } = await cloudWatch.send(new GetMetricDataCommand({
      StartTime: new Date(from * 1000),
      EndTime: new Date(to * 1000),
      ScanBy: 'TimestampAscending',
      MetricDataQueries: [{
        Id: 'asked',
        MetricStat: {
          Metric: { Namespace, MetricName, Dimensions: pairs.map(pair => ({ Name: pair.split('=')[0], Value: pair.split('=')[1] })) },
          Period: period,
          Stat: statistic,
        },
      }],
    }));
    const { Timestamps = [], Values = [] } = MetricDataResults![0];
    return Timestamps.map((time, index) => ({ time: time.getTime() / 1000, value: Values[index] }));
  };
  /** The data points of the alarm's periods, out of what CloudWatch has for each second: periods that pass faster need not be whole seconds. */
  const dataPoints = async ({ metric, statistic, period, rule }: Alarm) => {
    const [now, count] = [awsSeconds(), evaluationRange(rule)];
    const metrics = new Metrics();
    const from = Math.floor((now - (count + 1) * period) / timeScale);
    for (const { time, value } of await query(metric, statistic, 1, from, Math.ceil(now / timeScale))) {
      metrics.put(metric, { time: time * timeScale, value, visibleFrom: 0 });
    }
    return metrics.dataPoints(metric, statistic, period, count, now);
  };

  const target = new ScalableTarget(bounds, 0);
  let stopped = false;
  const watch = async (alarm: Alarm) => {
    let state: AlarmState = 'INSUFFICIENT_DATA';
    let called = -Infinity;
    while (!stopped) {
      const { state: next, evaluated } = evaluate(alarm.rule, await dataPoints(alarm), state);
      if (callsAction(state, next, awsSeconds() - called)) {
        called = awsSeconds();
        const { desired } = await counts();
        target.desired = desired;
        target.request(called, alarm.policies.map(id => policies.find(policy => policy.id === id)!).flatMap(policy => (policy.kind !== 'step' ? [] : [{
          policy: policy.id,
          capacity: (from: number) => stepCapacity(policy, alarm.rule.threshold, evaluated, from),
          scaleOutCooldown: policy.cooldown,
          scaleInCooldown: policy.cooldown,
        }])));
        if (target.desired !== desired) await ecs.send(new UpdateServiceCommand({ cluster, service, desiredCount: target.desired }));
      }
      state = next;
      await sleep(evaluationInterval(alarm.period) / timeScale * 1000);
    }
  };
  const watching = Promise.all(alarms.map(watch));
  const [namespace, , ...dimensions] = alarms[0].metric.split('|');

  return {
    counts,
    values: async (metric, since, until = new Date()) => {
      const key = [namespace, metric, ...dimensions].join('|');
      return (await query(key, 'Sum', 1, Math.floor(since.getTime() / 1000), Math.ceil(until.getTime() / 1000) + 1)).map(({ value }) => value);
    },
    stop: async () => {
      stopped = true;
      await watching;
    },
  };
}
