import { asks, assumed, keeping, logging, pulling, reading, type Need } from './need';
import { serverNeeds } from './server-needs';
import { serviceNeeds } from './service-needs';
import { NAMESPACE } from '../../../src/demand/metrics';
import { PolicySimulator, type IamRequest } from '../../policy/simulate';
import { Identities } from '../identities';
import { Resolver } from '../intrinsics';
import { asArray, ofType, props, targetOf } from '../template';
import type { Remark, Rule } from '../types';
import { familyPrefixesOf, followsDemand, settingsOf, under, workersOf } from '../workers';

/** What roles and services are told to do, their policies let them do, by IAM's own logic. */
export const needs: Rule = async (template, { named }) => {
  const simulator = new PolicySimulator(template, { imports: named.imports });
  const resolver = simulator.resolver;
  const wanted = [...functions(resolver), ...tasks(resolver), ...pools(resolver), ...serviceNeeds(resolver), ...serverNeeds(resolver)];
  const remarks: Remark[] = [];
  for (const { logicalId, role, service, request } of wanted) {
    const decision = await answer(simulator, role, service, request);
    if (decision) remarks.push({ logicalId, message: `${role ?? service} may not ${request.action} on ${request.resource}: ${decision}.` });
  }
  return remarks;
};

async function answer(
  simulator: PolicySimulator,
  role: string | undefined,
  service: string | undefined,
  request: IamRequest,
): Promise<string | undefined> {
  try {
    const decision =
      request.action === 'sts:AssumeRole'
        ? await simulator.mayAssume(service!, role!, request.context)
        : role
          ? await simulator.decide(role, request)
          : await simulator.decideForService(service!, request);
    // The account itself may do what no policy denies: its roles get the rest from policies of their own.
    const allowed = service?.endsWith(':root') ? decision.result !== 'ExplicitlyDenied' : decision.allowed;
    return allowed ? undefined : decision.result;
  } catch (error) {
    return (error as Error).message;
  }
}

function functions(resolver: Resolver): Need[] {
  const { template } = resolver;
  const lambdas = ofType(template, 'AWS::Lambda::Function');
  return lambdas.flatMap(([id, { Properties = {} }]) => {
    const role = targetOf(template, Properties.Role);
    const settings = settingsOf(resolver, id).map(({ value }) => value);
    const called = Object.values(Properties.Environment?.Variables ?? {})
      .map((value) => targetOf(template, value))
      .filter((other) => lambdas.some(([lambda]) => lambda === other));
    // What wraps another function only hands on what that one is told.
    const told = called.length > 0 ? [] : settings;
    return [
      ...assumed(resolver, id, role, 'lambda.amazonaws.com'),
      ...logging(resolver, id, role, resolver.resolve(Properties.LoggingConfig?.LogGroup) ?? `/aws/lambda/${id}`),
      ...called.flatMap((other) => asks(id, role, resolver.arn(other!), ['lambda:InvokeFunction'])),
      ...told.flatMap((value) => Object.values<unknown>((value.api ?? value).secrets ?? {})).flatMap((secret) => reading(resolver, id, role, secret)),
      ...told
        .filter(({ cluster, service }) => cluster && service)
        .flatMap(({ cluster, service }) =>
          asks(id, role, resolver.formatArn('ecs', `service/${String(cluster).split('/').pop()}/${service}`), ['ecs:DescribeServices'], {
            'ecs:cluster': String(cluster),
          }),
        ),
      ...told.filter(followsDemand).flatMap((value) => scaling(resolver, id, role, value)),
      ...(told.some(({ workPool, leadTimeSeconds }) => workPool && leadTimeSeconds !== undefined)
        ? asks(id, role, '*', ['cloudwatch:PutMetricData'], { 'cloudwatch:namespace': NAMESPACE })
        : []),
    ];
  });
}

/** What the function asks that sets how many workers a service keeps. */
function scaling(resolver: Resolver, id: string, role: string | undefined, { cluster, service, flowRunLimit }: any): Need[] {
  const name = String(cluster).split('/').pop();
  const inCluster = { 'ecs:cluster': String(cluster) };
  return [
    ...asks(id, role, resolver.formatArn('ecs', `service/${name}/${service}`), ['ecs:UpdateService'], inCluster),
    ...asks(id, role, '*', ['application-autoscaling:DescribeScalableTargets', 'cloudwatch:GetMetricData']),
    ...(flowRunLimit === undefined
      ? []
      : asks(id, role, resolver.formatArn('ecs', `task/${name}/0123456789abcdef0123456789abcdef`), ['ecs:DescribeTasks', 'ecs:GetTaskProtection'], inCluster)),
  ];
}

function tasks(resolver: Resolver): Need[] {
  const { template } = resolver;
  return ofType(template, 'AWS::ECS::TaskDefinition').flatMap(([id, { Properties = {} }]) => {
    const [role, execution] = [Properties.TaskRoleArn, Properties.ExecutionRoleArn].map((value) => targetOf(template, value));
    const containers = asArray<any>(resolver.resolve(Properties.ContainerDefinitions));
    const queues = containers
      .flatMap(({ Environment }) => asArray<any>(Environment))
      .filter(({ Name }) => /SQS_QUEUE_NAME$/.test(Name))
      .map(({ Value }) => Value);
    return [
      ...[role, execution].flatMap((either) => assumed(resolver, id, either, 'ecs-tasks.amazonaws.com')),
      ...containers.flatMap(({ LogConfiguration }) => logging(resolver, id, execution, LogConfiguration?.Options?.['awslogs-group'])),
      ...containers.flatMap(({ Secrets }) => asArray<any>(Secrets)).flatMap(({ ValueFrom }) => reading(resolver, id, execution, ValueFrom)),
      ...containers.flatMap(({ Image }) => pulling(resolver, id, execution, Image)),
      ...queues.flatMap((name) => observing(resolver, id, role, name)),
    ];
  });
}

function observing(resolver: Resolver, logicalId: string, role: string | undefined, name: string): Need[] {
  const queue = Identities.of(resolver).named(name, 'AWS::SQS::Queue', 'name');
  const key = queue && targetOf(resolver.template, props(resolver.template, queue).KmsMasterKeyId);
  return [
    ...asks(logicalId, role, resolver.formatArn('sqs', name), [
      'sqs:GetQueueUrl',
      'sqs:ReceiveMessage',
      'sqs:ChangeMessageVisibility',
      'sqs:DeleteMessage',
    ]),
    ...(key ? asks(logicalId, role, resolver.arn(key), ['kms:Decrypt']) : []),
  ];
}

/** What a pool's template tells the worker to start, and what ECS then needs. */
function pools(resolver: Resolver): Need[] {
  return workersOf(resolver).flatMap(({ taskRole, type, clusterArn, clusterName, managed }) => {
    if (!managed) return [];
    const { logicalId, value } = managed;
    const identities = Identities.of(resolver);
    const role = (text: unknown) => identities.named(text, 'AWS::IAM::Role', 'arn');
    if (type !== 'ecs') return keeping(resolver, logicalId, taskRole, value.results);
    const inCluster = { 'ecs:cluster': clusterArn };
    const task = resolver.formatArn('ecs', `task/${clusterName}/0123456789abcdef0123456789abcdef`);
    const families = familyPrefixesOf(value).map((prefix) => resolver.formatArn('ecs', `task-definition/${prefix}-a-deployments-own:1`));
    const [flowRuns, executions] = [under(value, 'task_role_arn', 'taskRoleArn'), under(value, 'execution_role_arn', 'executionRoleArn')];
    return [
      ...families.flatMap((family) => [
        ...asks(logicalId, taskRole, family, ['ecs:RegisterTaskDefinition']),
        ...asks(logicalId, taskRole, family, ['ecs:RunTask'], inCluster),
      ]),
      ...asks(logicalId, taskRole, task, ['ecs:DescribeTasks', 'ecs:StopTask'], inCluster),
      ...asks(logicalId, taskRole, task, ['ecs:TagResource'], { 'ecs:CreateAction': 'RunTask' }),
      ...asks(logicalId, taskRole, '*', ['ecs:DescribeTaskDefinition']),
      ...[...flowRuns, ...executions].flatMap((arn) =>
        asks(logicalId, taskRole, String(arn), ['iam:PassRole'], { 'iam:PassedToService': 'ecs-tasks.amazonaws.com' }),
      ),
      ...flowRuns.flatMap((arn) => keeping(resolver, logicalId, role(arn), value.results)),
      ...[...flowRuns, ...executions].flatMap((arn) => assumed(resolver, logicalId, role(arn), 'ecs-tasks.amazonaws.com')),
      ...executions.flatMap((arn) => [
        ...under(value, 'awslogs-group').flatMap((group) => logging(resolver, logicalId, role(arn), group)),
        ...under(value, 'valueFrom', 'prefect_api_key_secret_arn', 'prefect_api_auth_string_secret_arn').flatMap((secret) =>
          reading(resolver, logicalId, role(arn), secret),
        ),
        ...under(value, 'image').flatMap((image) => pulling(resolver, logicalId, role(arn), image)),
      ]),
      ...under(value, 'awslogs-group').flatMap((group) => logging(resolver, logicalId, taskRole, group, ['logs:GetLogEvents'])),
    ];
  });
}
