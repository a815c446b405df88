import { aws_cloudwatch as cloudwatch, aws_ecs as ecs, aws_kms as kms, aws_logs as logs, Duration, Names, Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { Demand } from '../demand/demand';
import { Network } from '../network/network';
import { PrefectApi } from '../prefect-api';
import { AlarmDefinition } from './alarm-definition';
import { AlarmOptions } from './alarm-options';
import { anyEnabled, requireExisting, validateThresholds } from './alarm-settings';
import { AlarmTopics } from './alarm-topics';
import { Alarms } from './alarms';
import { overBudget, requireBudget } from './budget';
import { stackDashboard } from './dashboard';
import { DashboardOverview } from './dashboard-overview';
import { dashboardSection, DashboardSectionProps } from './dashboard-section';
import { demandAlarms } from './demand-alarms';
import { LogArchive } from './log-archive';
import { subscribe } from './log-destination';
import { loggedErrors } from './log-metrics';
import { LogQueries } from './log-queries';
import { ObservabilityOptions } from './observability-options';
import { ServiceEvents } from './service-events';
import { natAlarms, queueAlarms, rescueFailing, serviceAlarms, workPoolAlarm } from './worker-alarms';
import { WrittenWidget } from './written-widget';
import { Cluster } from '../cluster/cluster';
import { Costs } from '../costs/costs';
import { Reconciler } from '../rescue/reconciler';
import { ScalingPlan } from '../scaling/plan';
import { EventQueue } from '../work-pool/event-queue';

export interface ObservabilityProps {
  readonly api: PrefectApi;
  readonly options: ObservabilityOptions;
  readonly workPoolName: string;
  readonly network: Network;
  readonly cluster: Cluster;
  readonly service: ecs.FargateService;
  readonly logGroup: logs.ILogGroup;
  /** What tells ECS workers of their flow runs' tasks. */
  readonly events?: EventQueue;
  /** Whether the stack manages the work pool. */
  readonly managed: boolean;
  readonly demand: Demand;
  readonly reconciler: Reconciler;
  readonly plan: ScalingPlan;
  readonly costs: Costs;
  readonly encryptionKey: kms.IKey;
  readonly logRetention: logs.RetentionDays;
}

/** What the worker shows of itself: alarms, a dashboard, saved queries, and logs where else they are wanted. */
export class Observability extends Construct {
  public readonly alarms: { [name: string]: cloudwatch.AlarmBase } = {};
  public readonly topics?: AlarmTopics;
  public readonly dashboard?: cloudwatch.Dashboard;
  private errorFilter?: logs.MetricFilter;

  constructor(scope: Construct, id: string, private readonly props: ObservabilityProps) {
    super(scope, id);
    const { options, service, logGroup, encryptionKey } = props;

    const { alarms = {}, monthlyBudget } = options;
    requireBudget(monthlyBudget);
    if (monthlyBudget !== undefined) props.costs.warnOfForeignPrices();
    if (anyEnabled(alarms)) {
      validateThresholds(alarms);
      const topics = new AlarmTopics(this, options, encryptionKey);
      this.alarms = new Alarms(this, 'Alarms', { definitions: this.alarmDefinitions(alarms), options: alarms, topics }).byName;
      new ServiceEvents(this, 'Events', { service, options: alarms, topics });
      this.topics = topics;
    }

    LogQueries.of(this).ask(logGroup);
    if (options.dashboard ?? true) this.dashboard = this.showOnDashboard();

    if (options.logArchive) new LogArchive(this, 'LogArchive', { ...props, options: options.logArchive });
    if (options.logDestinationArn !== undefined) subscribe(this, 'LogDestination', logGroup, options.logDestinationArn);
  }

  /** Counting begins where something asks for it: what a filter counts is a metric that costs. */
  public loggedErrors(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    this.errorFilter ??= loggedErrors(this, 'Metrics', this.props.logGroup, this.workerName);
    return this.errorFilter.metric({ statistic: cloudwatch.Stats.SUM, period: Duration.minutes(5), label: 'Logged errors', ...options });
  }

  /** As metrics name it. */
  private get workerName(): string {
    return Names.uniqueResourceName(this.node.scope as Construct, { maxLength: 128 });
  }

  private alarmDefinitions(options: AlarmOptions): AlarmDefinition[] {
    const { network, cluster, service, events, managed, demand, reconciler, plan, costs, options: { monthlyBudget } } = this.props;
    // 1 or more while a worker is wanted, where there may be none on purpose.
    const wanted = plan.fromZero ? demand.metric('RequiredWorkers') : undefined;
    const standby = plan.standby !== undefined;
    const definitions = [
      ...demandAlarms({ demand, wanted, standby, options }),
      rescueFailing(demand, reconciler.function),
      ...serviceAlarms(service, cluster.containerInsights, options),
      ...(events ? queueAlarms(events, wanted, options) : []),
      ...natAlarms(network.natGatewayIds, options),
      ...(managed ? [workPoolAlarm(demand)] : []),
      ...(monthlyBudget === undefined ? [] : [overBudget(costs, monthlyBudget, options)]),
    ];
    requireExisting(options, definitions.map(({ name }) => name));
    return definitions;
  }

  private showOnDashboard(): cloudwatch.Dashboard {
    const { api, network, cluster, events, workPoolName } = this.props;
    const worker = this.node.scope as Construct;
    const dashboard = stackDashboard(Stack.of(this));
    const section: DashboardSectionProps = {
      ...this.props,
      title: worker.node.path,
      workPoolUrl: api._workPoolUrl(workPoolName),
      alarms: Object.values(this.alarms),
      containerInsights: cluster.containerInsights,
      queue: events?.queue,
      deadLetterQueue: events?.deadLetterQueue,
      vpcId: network.createsVpc ? network.vpc.vpcId : undefined,
      natGatewayIds: network.natGatewayIds,
      loggedErrors: this.loggedErrors(),
      monthlyBudget: this.props.options.monthlyBudget,
    };
    DashboardOverview.of(dashboard).add(section);
    dashboard.addWidgets(new WrittenWidget(this, new cloudwatch.Column(...dashboardSection(section))));
    return dashboard;
  }
}
