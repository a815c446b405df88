import type { Resolver } from '../intrinsics';
import { asArray, ofType, props, targetOf } from '../template';
import { callersOf, settingsOf } from '../workers';
import type { Need } from './need';

/** What the functions of a server ask of ECS, and its load balancer of the bucket of its access logs. */
export function serverNeeds(resolver: Resolver): Need[] {
  return [...migrations(resolver), ...followers(resolver), ...accessLogs(resolver)];
}

/** It starts the task, waits for it, and reads its last words. */
function migrations(resolver: Resolver): Need[] {
  const { template } = resolver;
  return ofType(template, 'Custom::PrefectMigration').flatMap(([logicalId, { Properties = {} }]) => {
    const provider = targetOf(template, Properties.ServiceToken)!;
    const [handler] = ofType(template, 'AWS::Lambda::Function').map(([id]) => id).filter((id) => id !== provider && callersOf(template, id).includes(provider));
    const role = handler && targetOf(template, props(template, handler).Role);
    const { Cluster, TaskDefinition, LogGroup } = resolver.resolve(Properties);
    const task = targetOf(template, Properties.TaskDefinition)!;
    const inCluster = { 'ecs:cluster': Cluster };
    const ask = (action: string, resource: string, context?: Need['request']['context']): Need => ({ logicalId, role, request: { action, resource, context } });
    return [
      ask('ecs:RunTask', TaskDefinition, inCluster),
      ...['TaskRoleArn', 'ExecutionRoleArn'].map((property) => ask('iam:PassRole', resolver.resolve(props(template, task)[property]), { 'iam:PassedToService': 'ecs-tasks.amazonaws.com' })),
      ask('ecs:DescribeTasks', resolver.formatArn('ecs', `task/${String(Cluster).split('/').pop()}/0123456789abcdef0123456789abcdef`), inCluster),
      ask('ecs:ListTasks', '*', inCluster),
      ask('logs:GetLogEvents', resolver.formatArn('logs', `log-group:${LogGroup}:log-stream:any`)),
    ];
  });
}

/** It replaces the tasks of services where a secret is newer than they are. */
function followers(resolver: Resolver): Need[] {
  const { template } = resolver;
  return ofType(template, 'AWS::Lambda::Function').flatMap(([logicalId, { Properties = {} }]) => settingsOf(resolver, logicalId)
    .filter(({ logicalId: at, value }) => at === logicalId && value.cluster && Array.isArray(value.services))
    .flatMap(({ value: { cluster, services } }) => asArray<string>(services).flatMap((service) => ['ecs:DescribeServices', 'ecs:UpdateService'].map((action): Need => ({
      logicalId,
      role: targetOf(template, Properties.Role),
      request: { action, resource: resolver.formatArn('ecs', `service/${String(cluster).split('/').pop()}/${service}`), context: { 'ecs:cluster': cluster } },
    })))));
}

/** @see https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html */
function accessLogs(resolver: Resolver): Need[] {
  const { template, deployment: { account } } = resolver;
  return ofType(template, 'AWS::ElasticLoadBalancingV2::LoadBalancer').flatMap(([logicalId, { Properties = {} }]) => {
    const bucket = asArray<any>(Properties.LoadBalancerAttributes).find(({ Key }) => Key === 'access_logs.s3.bucket')?.Value;
    const id = targetOf(template, bucket);
    return id ? [{
      logicalId,
      service: 'logdelivery.elasticloadbalancing.amazonaws.com',
      request: { action: 's3:PutObject', resource: `${resolver.arn(id)}/AWSLogs/${account}/any`, context: { 'aws:SourceArn': resolver.arn(logicalId), 'aws:SourceAccount': account } },
    }] : [];
  });
}
