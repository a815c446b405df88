import { aws_cloudwatch as cloudwatch } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { DashboardSectionProps } from './dashboard-section';

const ID = 'Overview';
const HEIGHT = 3;

/**
 * The top of a dashboard of several workers: a line for each, with its pool, what of it is in ALARM, its flow runs and its workers.
 * The sections below have the details. A single worker's section is overview enough.
 */
export class DashboardOverview extends Construct implements cloudwatch.IWidget {
  public static of(dashboard: cloudwatch.Dashboard): DashboardOverview {
    return dashboard.node.tryFindChild(ID) as DashboardOverview | undefined ?? new DashboardOverview(dashboard, ID);
  }

  public readonly width = 24;
  private readonly lines: cloudwatch.Row[] = [];

  private constructor(scope: Construct, id: string) {
    super(scope, id);
  }

  public get height(): number {
    return this.shown.reduce((sum, { height }) => sum + height, 0);
  }

  public add(props: DashboardSectionProps): void {
    this.lines.push(line(props));
  }

  public position(x: number, y: number): void {
    this.shown.reduce((top, row) => {
      row.position(x, top);
      return top + row.height;
    }, y);
  }

  public toJson(): any[] {
    return this.shown.flatMap(row => row.toJson());
  }

  private get shown(): readonly cloudwatch.Row[] {
    return this.lines.length > 1 ? this.lines : [];
  }
}

function line({ title, workPoolName, workPoolUrl, alarms, demand }: DashboardSectionProps): cloudwatch.Row {
  const alarmWidget = new cloudwatch.AlarmStatusWidget({
    title: `In ALARM: ${workPoolName}`, alarms: [...alarms], states: [cloudwatch.AlarmState.ALARM], width: 7, height: HEIGHT,
  });
  return new cloudwatch.Row(
    new cloudwatch.TextWidget({
      markdown: `**${title}**\nWork pool [${workPoolName}](${workPoolUrl})`, background: cloudwatch.TextWidgetBackground.TRANSPARENT, width: 4, height: HEIGHT,
    }),
    new cloudwatch.SingleValueWidget({
      title: `Flow runs and workers: ${workPoolName}`,
      metrics: [
        demand.metric('RunningRuns', { label: 'Running' }),
        demand.metric('DueRuns', { label: 'Waiting' }),
        demand.metric('LateRuns', { label: 'Late' }),
        demand.metric('OldestLateSeconds', { label: 'Oldest, in seconds' }),
        demand.metric('OnlineWorkers', { label: 'Workers online' }),
        ...demand.countsWorkers ? [demand.metric('RequiredWorkers', { label: 'Workers needed' })] : [],
      ],
      width: alarms.length > 0 ? 13 : 20,
      height: HEIGHT,
    }),
    ...alarms.length > 0 ? [alarmWidget] : [],
  );
}
