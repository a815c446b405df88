import { aws_cloudwatch as cloudwatch, Duration, Stack } from 'aws-cdk-lib';
import { DashboardOverview } from './dashboard-overview';
import { runbook } from './runbook';
import { WrittenWidget } from './written-widget';

const ID = 'PrefectWorkersDashboard';

/** The dashboard of a stack's workers: the first one makes it, each adds its line to the overview, and its section. */
export function stackDashboard(stack: Stack): cloudwatch.Dashboard {
  const made = stack.node.tryFindChild(ID) as cloudwatch.Dashboard | undefined;
  if (made) return made;
  const dashboard = new cloudwatch.Dashboard(stack, ID, { defaultInterval: Duration.hours(3) });
  dashboard.addWidgets(new cloudwatch.TextWidget({
    width: 24,
    height: 1,
    background: cloudwatch.TextWidgetBackground.TRANSPARENT,
    markdown: `**Prefect workers of ${stack.stackName}** · [What each alarm means, and the first step](${runbook()})`,
  }));
  dashboard.addWidgets(new WrittenWidget(dashboard, DashboardOverview.of(dashboard)));
  return dashboard;
}
