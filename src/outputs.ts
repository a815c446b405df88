import { aws_cloudwatch as cloudwatch, aws_logs as logs, CfnOutput, Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { PrefectApi } from './prefect-api';
import { isResolved } from './private/validation';
import { WorkPool } from './work-pool';

interface Found {
  readonly logGroup: logs.ILogGroup;
  readonly notices?: string;
  readonly verification?: string;
  readonly dashboard?: cloudwatch.Dashboard;
}

/** What `cdk deploy` shows at its end: addresses, and what to do next. */
export function addOutputs(worker: Construct, api: PrefectApi, { name }: WorkPool, { logGroup, notices, verification, dashboard }: Found): void {
  const output = (id: string, description: string, value: string) => new CfnOutput(worker, id, { description, value });
  output('WorkPoolName', 'The work pool that the worker serves', name);
  output('PrefectUi', 'The work pool in the Prefect UI', api._workPoolUrl(name));
  output('LogGroup', 'The log group of the workers and their flow runs', logGroup.logGroupName);
  if (dashboard) output('Dashboard', 'Dashboard of the worker in the CloudWatch console', dashboardUrl(dashboard));
  if (notices) output('Notices', 'What the deployment found at the Prefect API that needs your attention', notices);
  if (verification) output('Verified', 'What became of the flow run that verified the last change', verification);
  output('NextCommand', 'Deploys your flow to the work pool', `prefect deploy --pool ${quoted(name)}`);
}

function dashboardUrl(dashboard: cloudwatch.Dashboard): string {
  const { region } = Stack.of(dashboard);
  return `https://${consoleOf(region)}/cloudwatch/home?region=${region}#dashboards/dashboard/${dashboard.dashboardName}`;
}

/** A region that is known only at deployment is taken for one of the `aws` partition. */
function consoleOf(region: string): string {
  if (region.startsWith('cn-')) return 'console.amazonaws.cn';
  return region.startsWith('us-gov-') ? 'console.amazonaws-us-gov.com' : 'console.aws.amazon.com';
}

function quoted(argument: string): string {
  return isResolved(argument) ? `'${argument.replace(/'/g, '\'\\\'\'')}'` : `'${argument}'`;
}
