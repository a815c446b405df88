import { aws_logs as logs, Lazy, Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';

/** What flow runs have cost, by deployment. */
const LINES = [
  'filter ispresent(Cost)',
  'stats sum(Cost) as dollars, count(*) as tasks, sum(seconds) / 3600 as hours by WorkPool, deployment',
  'sort dollars desc',
  'limit 100',
];

/** The same of one worker, for a dashboard. The name of a worker has no quotation marks. */
export function costQuery(worker?: string): string[] {
  return worker === undefined ? LINES : [`filter Worker = "${worker}"`, ...LINES.map(line => line.replace('WorkPool, ', ''))];
}

/** The question to the logs of a stack's reconcilers, which write the price of each flow run's task: saved in Logs Insights, as those to the workers' logs are. */
export class CostQuery extends Construct {
  private readonly logGroupNames = new Set<string>();

  constructor(scope: Construct, id: string) {
    super(scope, id);
    // The L2's word for `stats` differs between the supported versions.
    new logs.CfnQueryDefinition(this, 'ByDeployment', {
      name: `prefect/${Stack.of(this).stackName}/costs by deployment`,
      queryString: costQuery().join('\n| '),
      logGroupNames: Lazy.list({ produce: () => [...this.logGroupNames] }),
    });
  }

  public ask(logGroup: logs.ILogGroup): void {
    this.logGroupNames.add(logGroup.logGroupName);
  }
}
