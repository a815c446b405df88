import { aws_ecs as ecs, aws_iam as iam, aws_secretsmanager as secretsmanager, Stack } from 'aws-cdk-lib';
import { questionsOf, RecordedCall } from './recorded';
import { familyOf, ROLES } from './refusals';
import { IamRequest, PolicySimulator } from './simulate';
import { PrefectApi, PrefectFargateWorker, WorkPool } from '../../src';
import { synthesize } from '../validators/synth';

/** A worker whose deployments name roles of their own, and whose tasks people may look into. */
const [named] = synthesize([{
  name: 'roles',
  build: app => {
    const stack = new Stack(app, 'Roles');
    const role = (id: string) => new iam.Role(stack, id, { assumedBy: new iam.ServicePrincipal('ecs-tasks.amazonaws.com') });
    const worker = new PrefectFargateWorker(stack, 'Worker', {
      api: PrefectApi.cloud({
        accountId: '11111111-2222-3333-4444-555555555555',
        workspaceId: '66666666-7777-8888-9999-000000000000',
        apiKey: ecs.Secret.fromSecretsManager(new secretsmanager.Secret(stack, 'ApiKey')),
      }),
      workPool: WorkPool.managed('etl'),
      workerRole: role('Own'),
      enableExecuteCommand: true,
    });
    worker.allowFlowRunRole(role('Payroll'));
    worker.allowFlowRunRole(role('Starter'), { asExecutionRole: true });
    return stack;
  },
}]);
const simulator = new PolicySimulator(named.template);
const { resolver } = simulator;
const arn = (service: string, rest: string, where = {}) => resolver.formatArn(service, rest, where);
const [OWN, PAYROLL, STARTER] = ['Own', 'Payroll', 'Starter'];

const cluster = simulator.arn('Cluster/Cluster', 'AWS::ECS::Cluster');
const family = `${familyOf(simulator)}-payroll`;
const key = simulator.arn('PrefectWorkersShared/Key', 'AWS::KMS::Key');
const sessions = resolver.resolve({ Ref: simulator.find('Cluster/SessionLogs', 'AWS::Logs::LogGroup') });
const logGroup = resolver.resolve({ Ref: simulator.find('Worker/Task/Logs', 'AWS::Logs::LogGroup') });
const call = (role: string, service: string, action: string, parameters: Record<string, any> = {}): RecordedCall =>
  ({ service, action, parameters, caller: { kind: 'role', role: simulator.arn(role) } });

/** What prefect-aws' worker, ECS and the agent of ECS Exec ask for then. */
const CALLS = [
  call(OWN, 'ecs', 'RegisterTaskDefinition', { family, taskRoleArn: simulator.arn(ROLES.flowRun), executionRoleArn: simulator.arn(STARTER) }),
  call(OWN, 'ecs', 'RunTask', {
    cluster, taskDefinition: arn('ecs', `task-definition/${family}:1`), launchType: 'FARGATE', enableExecuteCommand: true, overrides: { taskRoleArn: simulator.arn(PAYROLL) },
  }),
  call(STARTER, 'secretsmanager', 'GetSecretValue', { SecretId: simulator.arn('ApiKey') }),
  call(STARTER, 'logs', 'CreateLogStream', { logGroupName: logGroup, logStreamName: 'flow-run/prefect/1' }),
  call(STARTER, 'logs', 'PutLogEvents', { logGroupName: logGroup, logStreamName: 'flow-run/prefect/1' }),
  ...[OWN, ROLES.flowRun].flatMap(role => [
    ...['CreateControlChannel', 'CreateDataChannel', 'OpenControlChannel', 'OpenDataChannel'].map(action => call(role, 'ssmmessages', action)),
    call(role, 'kms', 'Decrypt', { KeyId: key }),
    call(role, 'logs', 'CreateLogStream', { logGroupName: sessions, logStreamName: 'ecs-execute-command-1' }),
    call(role, 'logs', 'PutLogEvents', { logGroupName: sessions, logStreamName: 'ecs-execute-command-1' }),
  ]),
];

const TO_TASKS = { 'iam:PassedToService': 'ecs-tasks.amazonaws.com' };
const IN_CLUSTER = { 'ecs:cluster': cluster };
const task = arn('ecs', `task/${cluster.split('/').pop()}/0123456789abcdef0123456789abcdef`);
const stream = (group: string) => arn('logs', `log-group:${group}:log-stream:1`);

const REFUSED: readonly [role: string, what: string, request: IamRequest][] = [
  [OWN, 'pass a role that was not named', { action: 'iam:PassRole', resource: arn('iam', 'role/admin', { region: '' }), context: TO_TASKS }],
  [OWN, 'pass itself', { action: 'iam:PassRole', resource: simulator.arn(OWN), context: TO_TASKS }],
  [OWN, 'pass a role of deployments to Lambda', { action: 'iam:PassRole', resource: simulator.arn(PAYROLL), context: { 'iam:PassedToService': 'lambda.amazonaws.com' } }],
  [OWN, 'pass a role of deployments to nobody in particular', { action: 'iam:PassRole', resource: simulator.arn(STARTER) }],
  [OWN, 'assume a role of deployments', { action: 'sts:AssumeRole', resource: simulator.arn(PAYROLL) }],
  [OWN, 'run commands in tasks', { action: 'ecs:ExecuteCommand', resource: task, context: IN_CLUSTER }],
  [OWN, 'send commands by other ways of Systems Manager', { action: 'ssm:SendCommand', resource: arn('ec2', 'instance/i-1') }],
  [PAYROLL, 'read the API key', { action: 'secretsmanager:GetSecretValue', resource: simulator.arn('ApiKey') }],
  [PAYROLL, 'start a task', { action: 'ecs:RunTask', resource: arn('ecs', `task-definition/${family}:1`), context: IN_CLUSTER }],
  [PAYROLL, 'open a session, which nobody let it', { action: 'ssmmessages:OpenDataChannel', resource: '*' }],
  [STARTER, 'read another secret', { action: 'secretsmanager:GetSecretValue', resource: arn('secretsmanager', 'secret:payroll-a1b2c3') }],
  [STARTER, 'pass a role', { action: 'iam:PassRole', resource: simulator.arn(PAYROLL), context: TO_TASKS }],
  [ROLES.flowRun, 'run commands in tasks', { action: 'ecs:ExecuteCommand', resource: task, context: IN_CLUSTER }],
  [ROLES.flowRun, 'write to the logs of others', { action: 'logs:PutLogEvents', resource: stream('/aws/lambda/payroll') }],
  [ROLES.flowRun, 'read what was said in sessions', { action: 'logs:GetLogEvents', resource: stream(sessions) }],
  [ROLES.flowRun, 'delete what was said in sessions', { action: 'logs:DeleteLogGroup', resource: arn('logs', `log-group:${sessions}`) }],
  [ROLES.flowRun, 'encrypt with the key', { action: 'kms:Encrypt', resource: key }],
  [ROLES.flowRun, 'decrypt with another key', { action: 'kms:Decrypt', resource: arn('kms', 'key/11111111-2222-4333-8444-555555555555') }],
  [ROLES.execution, 'open a session', { action: 'ssmmessages:OpenDataChannel', resource: '*' }],
  [ROLES.flowRunExecution, 'open a session', { action: 'ssmmessages:OpenDataChannel', resource: '*' }],
];

test('deployments\' own roles and families, and sessions of ECS Exec, are allowed what they take', async () => {
  const questions = await questionsOf(simulator, CALLS);
  const refused: string[] = [];
  for (const { role, request } of questions) {
    if (!(await simulator.decide(role, request)).allowed) refused.push(`${role}: ${request.action} on ${request.resource}`);
  }
  expect(questions.length).toBeGreaterThanOrEqual(24);
  expect(refused).toEqual([]);
});

describe('it is refused', () => {
  test.each(REFUSED.map(([role, what, request]) => [`${role.split('/').pop()}: ${what}`, role, request] as const))('%s', async (_, role, request) => {
    expect(await simulator.decide(role, request)).toMatchObject({ allowed: false });
  });
});

test('only the policies refuse it: roles that may do everything would be allowed all of it', async () => {
  const open = structuredClone(named.template);
  for (const role of new Set(REFUSED.map(([name]) => name))) {
    open.Resources[simulator.find(role)].Properties!.Policies = [
      { PolicyName: 'everything', PolicyDocument: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] } },
    ];
  }
  const permissive = new PolicySimulator(open);
  const refused: string[] = [];
  for (const [role, what, request] of REFUSED) {
    if (!(await permissive.decide(role, request)).allowed) refused.push(`${role}: ${what}`);
  }
  expect(refused).toEqual([]);
});
