import { Annotations, aws_iam as iam, Stack } from 'aws-cdk-lib';
import { IConstruct } from 'constructs';

/** What has a policy of its own: a key, a topic. */
export interface WithPolicy extends IConstruct {
  addToResourcePolicy(statement: iam.PolicyStatement): iam.AddToResourcePolicyResult;
}

/**
 * Adds a statement to a resource's policy. An import has a policy that can't be changed from here, and no deployment says what is
 * missing in it: so a warning does.
 *
 * @param what the resource's kind, and the last part of the warning's id
 * @param otherwise what becomes of it without the statement
 */
export function addToPolicy(worker: IConstruct, what: 'key' | 'topic', resource: WithPolicy, statement: iam.PolicyStatement, otherwise: string): void {
  if (resource.addToResourcePolicy(statement).statementAdded) return;
  const text = JSON.stringify(readable(Stack.of(worker).resolve(statement.toStatementJson())));
  Annotations.of(worker).addWarningV2(`cdk-prefect-fargate-worker:imported.${what}.${statement.sid}`,
    `The ${what} ${resource.node.path} is imported, so its policy is not changed here. Unless its policy has this statement, ${otherwise}: ${text}`);
}

/** Intrinsic functions as CloudFormation writes them in texts. */
function readable(value: any): any {
  if (Array.isArray(value)) return value.map(readable);
  if (typeof value !== 'object' || value === null) return value;
  if (value.Ref) return `\${${value.Ref}}`;
  if (value['Fn::GetAtt']) return `\${${value['Fn::GetAtt'].join('.')}}`;
  if (value['Fn::Join']) return value['Fn::Join'][1].map(readable).join(value['Fn::Join'][0]);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, readable(inner)]));
}
