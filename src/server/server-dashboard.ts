import { aws_cloudwatch as cloudwatch, aws_elasticloadbalancingv2 as elbv2, Duration, Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { ServerParts } from './server-parts';
import { stackDashboard } from '../observability/dashboard';

const { AVERAGE, MAXIMUM, SUM } = cloudwatch.Stats;
const period = Duration.minutes(5);

/** Rows of a server on the dashboard of the stack: what clients see of it, what it stands on, and what the firewall does. */
export function showServer(scope: Construct, parts: ServerParts, alarms: readonly cloudwatch.IAlarm[]): cloudwatch.Dashboard {
  const dashboard = stackDashboard(Stack.of(scope));
  for (const [title, graphs] of rows(parts, alarms)) {
    if (graphs.length === 0) continue;
    const width = Math.floor(24 / graphs.length);
    dashboard.addWidgets(new cloudwatch.Row(
      new cloudwatch.TextWidget({ markdown: title, height: 1, width: 24, background: cloudwatch.TextWidgetBackground.TRANSPARENT }),
      ...graphs.map(widget => widget(width)),
    ));
  }
  return dashboard;
}

type Graph = (width: number) => cloudwatch.IWidget;

function graph(title: string, left: cloudwatch.IMetric[], right?: cloudwatch.IMetric[]): Graph {
  const axis = { min: 0, showUnits: false };
  return width => new cloudwatch.GraphWidget({ title, left, right, width, height: 6, leftYAxis: axis, rightYAxis: axis });
}

function rows(parts: ServerParts, alarms: readonly cloudwatch.IAlarm[]): [string, Graph[]][] {
  const { services: { api, services }, loadBalancer, database, redis, firewall } = parts;
  const all = [{ name: 'API', service: api }, ...(services ? [{ name: 'Services', service: services }] : [])];
  const source = database.instance ?? database.cluster;
  return [
    [`## ${parts.path}`, [
      ...(alarms.length > 0 ? [(width: number) => new cloudwatch.AlarmStatusWidget({ title: 'Alarms', alarms: [...alarms], width, height: 6 })] : []),
      graph('CPU, in percent', all.map(({ name, service }) => service.metricCpuUtilization({ statistic: AVERAGE, period, label: name }))),
      graph('Memory of the fullest task, in percent', all.map(({ name, service }) => service.metricMemoryUtilization({ statistic: MAXIMUM, period, label: name }))),
    ]],
    ['### What do clients see?', loadBalancer ? [
      graph('Requests', [loadBalancer.targetGroup.metrics.requestCount({ statistic: SUM, period, label: 'Requests' })]),
      graph('Seconds to the answer', [cloudwatch.Stats.p(50), cloudwatch.Stats.p(95)].map(statistic =>
        loadBalancer.targetGroup.metrics.targetResponseTime({ statistic, period, label: statistic }))),
      graph('Errors', [
        loadBalancer.targetGroup.metrics.httpCodeTarget(elbv2.HttpCodeTarget.TARGET_5XX_COUNT, { statistic: SUM, period, label: '5xx of the server' }),
        loadBalancer.targetGroup.metrics.httpCodeTarget(elbv2.HttpCodeTarget.TARGET_4XX_COUNT, { statistic: SUM, period, label: '4xx of the server' }),
      ]),
    ] : []],
    ['### What does it stand on?', [
      ...(source ? [
        graph('Database: CPU, in percent', [source.metricCPUUtilization({ statistic: AVERAGE, period, label: 'CPU' })]),
        graph('Database: connections', [source.metricDatabaseConnections({ statistic: MAXIMUM, period, label: 'Connections' })]),
      ] : []),
      ...(redis?.replicationGroup ? [
        graph('Valkey', [
          redis.metricOfFullestNode('DatabaseMemoryUsagePercentage', { period, label: 'Memory, in percent' }),
          redis.metricOfFullestNode('EngineCPUUtilization', { period, label: 'CPU, in percent' }),
        ]),
        graph('Messages that wait for the background services, in bytes', [redis.metricOfFullestNode('BytesUsedForCache', { period, label: 'Bytes' })]),
      ] : []),
    ]],
    ['### What does the firewall do?', firewall ? [
      graph('Blocked requests', [firewall.blockedRequests({ period })]),
      graph('What its rules counted', firewall.counted({ period })),
    ] : []],
  ];
}
