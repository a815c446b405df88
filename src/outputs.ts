import { CfnOutput } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { PrefectApi } from './prefect-api';
import { known } from './private/validation';
import { WorkPool } from './work-pool';

/** What `cdk deploy` shows at its end: where things are, and what to do next. */
export function addOutputs(worker: Construct, api: PrefectApi, { name }: WorkPool): void {
  const output = (id: string, description: string, value: string) => new CfnOutput(worker, id, { description, value });
  output('WorkPoolName', 'The work pool that the worker serves', name);
  output('PrefectUi', 'The work pool in the Prefect UI', api._workPoolUrl(name));
  output('NextCommand', 'Deploys a flow of yours to the work pool', `prefect deploy --pool ${quoted(name)}`);
}

function quoted(argument: string): string {
  return known(argument) ? `'${argument.replace(/'/g, '\'\\\'\'')}'` : `'${argument}'`;
}
