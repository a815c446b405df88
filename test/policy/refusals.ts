import type { IamRequest, PolicySimulator } from './simulate';

/** A request that a role must be refused. */
export interface Refusal {
  readonly role: string;
  /** What it would be, in words. */
  readonly what: string;
  readonly request: IamRequest;
}

/** Names of roles, as the ends of their construct paths. */
export const ROLES = {
  worker: 'Identity/WorkerRole',
  execution: 'Identity/ExecutionRole',
  flowRun: 'Identity/FlowRunRole',
  flowRunExecution: 'Identity/FlowRunExecutionRole',
};

/** What the ECS worker's roles ask for in vain. */
export function refusals(simulator: PolicySimulator): Refusal[] {
  const arn = (service: string, rest: string, where = {}) => simulator.resolver.formatArn(service, rest, where);
  const cluster = simulator.arn('Cluster/Cluster', 'AWS::ECS::Cluster');
  const family = familyOf(simulator);
  const inCluster = { 'ecs:cluster': cluster };
  const inOther = { 'ecs:cluster': arn('ecs', 'cluster/other') };
  const taskService = { 'iam:PassedToService': 'ecs-tasks.amazonaws.com' };
  const ours = arn('ecs', `task-definition/${family}:3`);
  const task = arn('ecs', `task/${cluster.split('/').pop()}/0123456789abcdef0123456789abcdef`);
  const otherTask = arn('ecs', 'task/other/0123456789abcdef0123456789abcdef');
  const otherRole = arn('iam', 'role/admin', { region: '' });
  const otherSecret = arn('secretsmanager', 'secret:database-a1b2c3');
  const otherKey = arn('kms', 'key/11111111-2222-4333-8444-555555555555');
  const key = simulator.arn('PrefectWorkersShared/Key', 'AWS::KMS::Key');
  const stream = (group: string) => arn('logs', `log-group:${group}:log-stream:flow-run/prefect/1`);
  const by = (role: string) => (what: string, action: string, resource: string, context?: IamRequest['context']): Refusal => ({ role, what, request: { action, resource, context } });
  const [worker, execution, flowRun, flowRunExecution] = [ROLES.worker, ROLES.execution, ROLES.flowRun, ROLES.flowRunExecution].map(by);
  return [
    worker('start a task in another cluster', 'ecs:RunTask', ours, inOther),
    worker('start a task of another family', 'ecs:RunTask', arn('ecs', 'task-definition/payroll:7'), inCluster),
    worker('start a task in another region', 'ecs:RunTask', arn('ecs', `task-definition/${family}:3`, { region: 'sa-east-1' }), inCluster),
    worker('stop a task of another cluster', 'ecs:StopTask', otherTask, inOther),
    worker('look at a task of another cluster', 'ecs:DescribeTasks', otherTask, inOther),
    worker('register a task definition of another family', 'ecs:RegisterTaskDefinition', arn('ecs', 'task-definition/payroll:7')),
    worker('tag a task that it doesn\'t start', 'ecs:TagResource', task),
    worker('tag a task of another cluster', 'ecs:TagResource', otherTask, { 'ecs:CreateAction': 'RunTask' }),
    worker('pass another role', 'iam:PassRole', otherRole, taskService),
    worker('pass its own role', 'iam:PassRole', simulator.arn(ROLES.worker), taskService),
    worker('pass the flow runs\' role to Lambda', 'iam:PassRole', simulator.arn(ROLES.flowRun), { 'iam:PassedToService': 'lambda.amazonaws.com' }),
    worker('pass the flow runs\' role to EC2', 'iam:PassRole', simulator.arn(ROLES.flowRun), { 'iam:PassedToService': 'ec2.amazonaws.com' }),
    worker('pass the flow runs\' role to nobody in particular', 'iam:PassRole', simulator.arn(ROLES.flowRun)),
    worker('read another secret', 'secretsmanager:GetSecretValue', otherSecret),
    worker('change the API key', 'secretsmanager:PutSecretValue', simulator.arn('ApiKey')),
    worker('take messages from another queue', 'sqs:ReceiveMessage', arn('sqs', 'orders')),
    worker('send itself events', 'sqs:SendMessage', simulator.arn('Events/Queue', 'AWS::SQS::Queue')),
    worker('empty its queue', 'sqs:PurgeQueue', simulator.arn('Events/Queue', 'AWS::SQS::Queue')),
    worker('read the logs of others', 'logs:GetLogEvents', stream('/aws/lambda/payroll')),
    worker('delete its log group', 'logs:DeleteLogGroup', simulator.arn('Worker/Task/Logs')),
    worker('scale its service', 'ecs:UpdateService', arn('ecs', `service/${cluster.split('/').pop()}/worker`), inCluster),
    worker('open a shell in a task', 'ecs:ExecuteCommand', task, inCluster),
    worker('delete the cluster', 'ecs:DeleteCluster', cluster),
    worker('make a role', 'iam:CreateRole', otherRole),
    worker('give itself rights', 'iam:PutRolePolicy', simulator.arn(ROLES.worker)),
    worker('start a machine', 'ec2:RunInstances', arn('ec2', 'instance/i-0123456789abcdef0')),
    worker('read a bucket', 's3:GetObject', arn('s3', 'payroll/2026.csv', { region: '', account: '' })),
    worker('decrypt with another key', 'kms:Decrypt', otherKey),
    worker('change the key\'s policy', 'kms:PutKeyPolicy', key),
    worker('become another role', 'sts:AssumeRole', otherRole),
    execution('read another secret', 'secretsmanager:GetSecretValue', otherSecret),
    execution('change the API key', 'secretsmanager:PutSecretValue', simulator.arn('ApiKey')),
    execution('start a task', 'ecs:RunTask', ours, inCluster),
    execution('write to the logs of others', 'logs:PutLogEvents', stream('/aws/lambda/payroll')),
    flowRun('start a task', 'ecs:RunTask', ours, inCluster),
    flowRun('read the API key', 'secretsmanager:GetSecretValue', simulator.arn('ApiKey')),
    flowRun('pass a role', 'iam:PassRole', simulator.arn(ROLES.flowRun), taskService),
    flowRun('take the worker\'s messages', 'sqs:ReceiveMessage', simulator.arn('Events/Queue', 'AWS::SQS::Queue')),
    flowRunExecution('read another secret', 'secretsmanager:GetSecretValue', otherSecret),
    flowRunExecution('start a task', 'ecs:RunTask', ours, inCluster),
    flowRunExecution('decrypt with the worker\'s key', 'kms:Decrypt', key),
  ];
}

/** A family of flow runs: what the worker's policy allows it to register. */
export function familyOf(simulator: PolicySimulator): string {
  const rule = Object.values(simulator.template.Resources).find(({ Type }) => Type === 'AWS::Events::Rule')?.Properties;
  const prefix = simulator.resolver.resolve(rule?.EventPattern)?.detail?.taskDefinitionArn?.[0]?.prefix;
  if (!prefix) {
    throw new Error('The template has no rule for the task changes of one family of flow runs.');
  }
  return prefix.split('/')[1];
}
