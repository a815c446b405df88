import { aws_cloudwatch as cloudwatch, aws_ecs as ecs, aws_logs as logs, aws_sqs as sqs, Duration } from 'aws-cdk-lib';
import { LOG_QUERIES, queryString } from './log-queries';
import { containerInsights, natMetric } from './metrics';
import { costQuery } from '../costs/cost-query';
import { Costs } from '../costs/costs';
import { Demand } from '../demand/demand';
import { isResolved } from '../private/validation';

/** What a worker's section of the dashboard is drawn from. */
export interface DashboardSectionProps {
  readonly title: string;
  /** Address of the work pool in the Prefect UI. */
  readonly workPoolUrl: string;
  readonly workPoolName: string;
  readonly alarms: readonly cloudwatch.IAlarm[];
  readonly demand: Demand;
  readonly service: ecs.FargateService;
  readonly containerInsights: boolean;
  readonly queue?: sqs.IQueue;
  readonly deadLetterQueue?: sqs.IQueue;
  /** Where the VPC was created for the worker: what goes through it costs by the byte. */
  readonly vpcId?: string;
  readonly natGatewayIds: readonly string[];
  readonly logGroup: logs.ILogGroup;
  readonly loggedErrors: cloudwatch.IMetric;
  readonly costs: Costs;
  readonly monthlyBudget?: number;
}

interface Size {
  readonly width: number;
  readonly height: number;
}

type Sized = (size: Size) => cloudwatch.IWidget;

const { MAXIMUM, AVERAGE, SUM } = cloudwatch.Stats;
const FIVE_MINUTES = Duration.minutes(5);
const HOURS_A_MONTH = 730;

/** The rows of a worker: is it healthy, is work waiting, is capacity following, what does it cost, where are the errors. */
export function dashboardSection(props: DashboardSectionProps): cloudwatch.IWidget[] {
  return [
    [heading(`## ${props.title}\nWork pool [${props.workPoolName}](${props.workPoolUrl})`, 2)],
    healthy(props), waiting(props), following(props), dollars(props), cost(props), errors(props),
  ].map(line => new cloudwatch.Row(...line));
}

function heading(markdown: string, height = 1): cloudwatch.IWidget {
  return new cloudwatch.TextWidget({ markdown, height, width: 24, background: cloudwatch.TextWidgetBackground.TRANSPARENT });
}

/** A row of graphs as wide as the dashboard, under a question. */
function row(question: string, of: Sized[]): cloudwatch.IWidget[] {
  return [heading(`### ${question}`), ...widgets(of)];
}

function widgets(of: Sized[]): cloudwatch.IWidget[] {
  return of.map(widget => widget({ width: Math.floor(24 / of.length), height: 6 }));
}

function graph(title: string, left: cloudwatch.IMetric[], options: cloudwatch.GraphWidgetProps = {}) {
  return (size: Size) => new cloudwatch.GraphWidget({ title, left, leftYAxis: { min: 0, showUnits: false }, ...options, ...size });
}

function healthy({ alarms, demand, service, ...props }: DashboardSectionProps): cloudwatch.IWidget[] {
  const tasks = props.containerInsights
    ? [containerInsights(service, 'RunningTaskCount', { label: 'Tasks running' }), containerInsights(service, 'DesiredTaskCount', { label: 'Tasks wanted' })]
    : [];
  const deployments = props.containerInsights ? [containerInsights(service, 'DeploymentCount', { label: 'Deployments' })] : [];
  return row('Is it healthy?', [
    ...(alarms.length > 0 ? [(size: Size) => new cloudwatch.AlarmStatusWidget({ title: 'Alarms', alarms: [...alarms], ...size })] : []),
    graph('Workers', [demand.metric('OnlineWorkers', { label: 'Online' }), ...tasks, ...deployments]),
    graph('CPU and memory', [
      service.metricCpuUtilization({ statistic: AVERAGE, period: FIVE_MINUTES, label: 'CPU' }),
      service.metricMemoryUtilization({ statistic: MAXIMUM, period: FIVE_MINUTES, label: 'Memory, fullest worker' }),
    ], { leftYAxis: { min: 0, max: 100, label: '%', showUnits: false } }),
  ]);
}

function waiting({ demand, queue, deadLetterQueue }: DashboardSectionProps): cloudwatch.IWidget[] {
  return row('Is work waiting?', [
    graph('Flow runs by state', [
      demand.metric('RunningRuns', { label: 'Running' }),
      demand.metric('PendingRuns', { label: 'Pending' }),
      demand.metric('DueRuns', { label: 'Due or late' }),
    ], { stacked: true }),
    graph('Late flow runs', [demand.metric('LateRuns', { label: 'Late' }), demand.metric('BlockedRuns', { label: 'Held back by a limit' })], {
      right: [demand.metric('OldestLateSeconds', { label: 'Oldest, in seconds' })],
      rightYAxis: { min: 0, showUnits: false },
    }),
    graph('Crashed flow runs', [demand.metric('CrashedRuns', { statistic: SUM, period: FIVE_MINUTES, label: 'Crashed', color: cloudwatch.Color.RED })]),
    ...(queue && deadLetterQueue ? [graph('Task events', [
      queue.metricApproximateNumberOfMessagesVisible({ statistic: MAXIMUM, label: 'Unread' }),
      deadLetterQueue.metricApproximateNumberOfMessagesVisible({ statistic: MAXIMUM, label: 'Dead letters', color: cloudwatch.Color.RED }),
    ], {
      right: [queue.metricApproximateAgeOfOldestMessage({ statistic: MAXIMUM, label: 'Oldest, in seconds' })],
      rightYAxis: { min: 0, showUnits: false },
    })] : []),
  ]);
}

function following({ demand }: DashboardSectionProps): cloudwatch.IWidget[] {
  return row('Is capacity following?', [
    graph('Demand and workers', [
      demand.metric('Demand', { label: 'Demand, in flow runs' }),
      ...demand.countsWorkers ? [demand.metric('RequiredWorkers', { label: 'Workers needed' })] : [],
      demand.metric('OnlineWorkers', { label: 'Workers online' }),
    ]),
    ...demand.countsWorkers
      ? [graph('Too few, too many', [
        demand.metric('MissingWorkers', { label: 'Missing' }),
        demand.metric('SurplusWorkers', { label: 'Surplus' }),
        ...demand.keepsWarm ? [demand.metric('WarmWorkers', { label: 'Waiting for unscheduled runs' })] : [],
      ])]
      : [],
    graph('Demand publisher', [
      demand.publisher.metricInvocations({ statistic: SUM, period: FIVE_MINUTES, label: 'Polls' }),
      demand.publisher.metricErrors({ statistic: SUM, period: FIVE_MINUTES, label: 'Broken off', color: cloudwatch.Color.RED }),
      demand.metric('PublisherErrors', { statistic: SUM, period: FIVE_MINUTES, label: 'API errors' }),
    ]),
  ]);
}

function dollars({ costs, monthlyBudget, demand: { turn } }: DashboardSectionProps): cloudwatch.IWidget[] {
  const spent = { ...costs.ofFlowRuns && { runs: costs.flowRuns({ label: 'Flow runs' }) }, workers: costs.workers({ label: 'Workers' }) };
  // Whatever period the graph is drawn with.
  const hourly = Object.entries(spent).map(([id, metric]) => new cloudwatch.MathExpression({
    expression: `${id} * 3600 / PERIOD(${id})`, usingMetrics: { [id]: metric.with({ period: FIVE_MINUTES }) }, label: metric.label, period: FIVE_MINUTES,
  }));
  const budget = isResolved(monthlyBudget) ? [{ value: monthlyBudget / HOURS_A_MONTH, label: 'monthlyBudget', color: cloudwatch.Color.RED }] : [];
  const prices = costs.foreignPrices === undefined ? '' : `, at the prices of ${costs.foreignPrices}`;
  return row('What does it cost?', [
    graph(`US dollars an hour on Fargate${prices}`, hourly, { stacked: true, leftAnnotations: budget }),
    size => new cloudwatch.SingleValueWidget({ title: 'US dollars in the time shown', metrics: Object.values(spent), setPeriodToTimeRange: true, ...size }),
    ...costs.ofFlowRuns ? [(size: Size) => new cloudwatch.LogQueryWidget({
      title: 'US dollars by deployment', logGroupNames: [costs.logGroup.logGroupName], queryLines: costQuery(turn.worker), view: cloudwatch.LogQueryVisualizationType.TABLE, ...size,
    })] : [],
  ]);
}

function cost({ service, natGatewayIds, vpcId, logGroup, ...props }: DashboardSectionProps): cloudwatch.IWidget[] {
  // Each task reports once a minute what it reserves, so a minute's sum is that of all tasks. Whatever period the graph is drawn
  // with, this is the average of its minutes. Fargate's CPU units are 1024 to a vCPU, and MiB 1024 to a GiB.
  const reserved = (metricName: string, id: string, label: string) => new cloudwatch.MathExpression({
    expression: `${id} / 1024 / (PERIOD(${id}) / 60)`,
    label,
    period: FIVE_MINUTES,
    usingMetrics: {
      [id]: new cloudwatch.Metric({
        namespace: 'ECS/ContainerInsights', metricName, dimensionsMap: { ClusterName: service.cluster.clusterName }, statistic: SUM, period: FIVE_MINUTES,
      }),
    },
  });
  const nat = natGatewayIds.flatMap((id, index) => [
    natMetric(id, 'BytesOutToDestination', { period: FIVE_MINUTES, label: `NAT ${index + 1} out` }),
    natMetric(id, 'BytesInFromDestination', { period: FIVE_MINUTES, label: `NAT ${index + 1} in` }),
  ]);
  const endpoints = vpcId === undefined ? [] : [new cloudwatch.MathExpression({
    expression: `SUM(SEARCH('{AWS/PrivateLinkEndpoints,"Endpoint Type","Service Name","VPC Endpoint Id","VPC Id"} MetricName="BytesProcessed" "VPC Id"="${vpcId}"', 'Sum', 300))`,
    label: 'VPC endpoints',
    period: FIVE_MINUTES,
    usingMetrics: {},
  })];
  const bytes = [...nat, ...endpoints];
  return widgets([
    ...(props.containerInsights ? [graph('Fargate in the cluster, workers and flow runs', [reserved('CpuReserved', 'cpu', 'vCPU'), reserved('MemoryReserved', 'memory', 'GiB')])] : []),
    ...(bytes.length > 0 ? [graph('Bytes through NAT gateways and endpoints', bytes, { stacked: true })] : []),
    graph('Log bytes', [new cloudwatch.Metric({
      namespace: 'AWS/Logs', metricName: 'IncomingBytes', dimensionsMap: { LogGroupName: logGroup.logGroupName }, statistic: SUM, period: FIVE_MINUTES, label: 'Logged',
    })]),
  ]);
}

function errors({ logGroup, loggedErrors }: DashboardSectionProps): cloudwatch.IWidget[] {
  const table = (query: typeof LOG_QUERIES.Errors, width: number) => new cloudwatch.LogQueryWidget({
    title: query.title[0].toUpperCase() + query.title.slice(1),
    logGroupNames: [logGroup.logGroupName],
    queryString: queryString(query),
    view: cloudwatch.LogQueryVisualizationType.TABLE,
    width,
    height: 8,
  });
  return [
    heading('### Where are the errors?'),
    graph('Logged errors', [loggedErrors])({ width: 6, height: 8 }),
    table(LOG_QUERIES.Errors, 12),
    table(LOG_QUERIES.SlowStarts, 6),
  ];
}
