import { scenarios } from '../scenarios';
import { questionsOf, RecordedCall } from './recorded';
import { familyOf, refusals, ROLES } from './refusals';
import { PolicySimulator } from './simulate';
import { synthesize } from '../validators/synth';

const [ecs] = synthesize(scenarios.filter(({ name }) => name === 'ecs'));
const simulator = new PolicySimulator(ecs.template);
const { resolver } = simulator;
const account = resolver.deployment.account;
const family = familyOf(simulator);
const cluster = simulator.arn('Cluster/Cluster', 'AWS::ECS::Cluster');
const queue = resolver.resolve({ Ref: simulator.find('Events/Queue', 'AWS::SQS::Queue') });
const queueName = queue.split('/').pop();
const logGroup = resolver.resolve({ Ref: simulator.find('Worker/Task/Logs') });
const task = resolver.formatArn('ecs', `task/${cluster.split('/').pop()}/0123456789abcdef0123456789abcdef`);
const taskDefinition = resolver.formatArn('ecs', `task-definition/${family}:3`);
/** A deployment's own family, as its pool's template has the worker register it. */
const own = `${family}-a-deployments-own`;
const logStream = { logGroupName: logGroup, logStreamName: 'flow-run/prefect/0123456789abcdef' };

/** What the ECS worker of prefect-aws does in the life of a flow run, in the words of the stand-in's recorder. */
const calls: RecordedCall[] = [
  call('ecs', 'RegisterTaskDefinition', { family, taskRoleArn: simulator.arn(ROLES.flowRun), executionRoleArn: simulator.arn(ROLES.flowRunExecution) }),
  call('ecs', 'DescribeTaskDefinition', { taskDefinition }),
  call('ecs', 'RunTask', { cluster, taskDefinition, launchType: 'FARGATE', tags: [{ key: 'prefect.io/flow-run-id', value: '1' }] }),
  call('ecs', 'RegisterTaskDefinition', { family: own, taskRoleArn: simulator.arn(ROLES.flowRun), executionRoleArn: simulator.arn(ROLES.flowRunExecution) }),
  call('ecs', 'RunTask', { cluster, taskDefinition: resolver.formatArn('ecs', `task-definition/${own}:1`), launchType: 'FARGATE', tags: [{ key: 'prefect.io/flow-run-id', value: '1' }] }),
  call('ecs', 'DescribeTasks', { cluster, tasks: [task], include: ['TAGS'] }),
  call('ecs', 'StopTask', { cluster, task }),
  call('ecs', 'DeregisterTaskDefinition', { taskDefinition }),
  call('sqs', 'GetQueueUrl', { QueueName: queueName }),
  call('sqs', 'ReceiveMessage', { QueueUrl: queue }),
  call('sqs', 'ChangeMessageVisibility', { QueueUrl: queue }),
  call('sqs', 'DeleteMessage', { QueueUrl: queue }),
  call('logs', 'GetLogEvents', logStream),
  call('sts', 'GetCallerIdentity', {}),
  call('secretsmanager', 'GetSecretValue', { SecretId: simulator.arn('ApiKey') }, ROLES.execution),
  call('logs', 'CreateLogStream', logStream, ROLES.execution),
  call('logs', 'PutLogEvents', logStream, ROLES.execution),
  call('secretsmanager', 'GetSecretValue', { SecretId: simulator.arn('ApiKey') }, ROLES.flowRunExecution),
  call('logs', 'CreateLogStream', logStream, ROLES.flowRunExecution),
  call('logs', 'PutLogEvents', logStream, ROLES.flowRunExecution),
];

function call(service: string, action: string, parameters: Record<string, any>, role: string = ROLES.worker): RecordedCall {
  return { service, action, parameters, caller: { kind: 'role', role: simulator.arn(role) } };
}

test('the roles may make every call that they need', async () => {
  const questions = await questionsOf(simulator, calls);
  const refused: string[] = [];
  for (const { role, request } of questions) {
    if (!(await simulator.decide(role, request)).allowed) {
      refused.push(`${role}: ${request.action} on ${request.resource} with ${JSON.stringify(request.context ?? {})}`);
    }
  }
  expect(questions.length).toBeGreaterThanOrEqual(29);
  expect(refused).toEqual([]);
});

describe('it is refused', () => {
  test.each(refusals(simulator).map((refusal) => [`${refusal.role.split('/').pop()}: ${refusal.what}`, refusal] as const))('%s', async (_, { role, request }) => {
    expect(await simulator.decide(role, request)).toMatchObject({ allowed: false });
  });
});

test('only the policies refuse it: roles that may do everything would be allowed all of it', async () => {
  const open = structuredClone(ecs.template);
  for (const role of Object.values(ROLES)) {
    open.Resources[simulator.find(role)].Properties!.Policies = [
      { PolicyName: 'everything', PolicyDocument: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] } },
    ];
  }
  const permissive = new PolicySimulator(open);
  const refused: string[] = [];
  for (const { role, what, request } of refusals(permissive)) {
    if (!(await permissive.decide(role, request)).allowed) {
      refused.push(`${role}: ${what}`);
    }
  }
  expect(refused).toEqual([]);
});

describe('recorded calls ask for more than their own action', () => {
  const actionsOf = async (recorded: RecordedCall[]) => (await questionsOf(simulator, recorded)).map(({ request }) => request.action);

  test('RunTask passes the roles of the task definition that was registered before, and tags the task', async () => {
    expect(await actionsOf([calls[0], calls[2]])).toEqual([
      'ecs:RegisterTaskDefinition', 'iam:PassRole', 'iam:PassRole',
      'ecs:RunTask', 'iam:PassRole', 'iam:PassRole', 'ecs:TagResource',
    ]);
  });

  test('RunTask passes the roles of its overrides', async () => {
    const overridden = call('ecs', 'RunTask', { cluster, taskDefinition, overrides: { taskRoleArn: resolver.formatArn('iam', 'role/admin', { region: '' }) } });
    const passed = (await questionsOf(simulator, [overridden])).find(({ request }) => request.action === 'iam:PassRole')!;
    expect(await simulator.decide(passed.role, passed.request)).toMatchObject({ allowed: false });
  });

  test('reading an encrypted queue decrypts', async () => {
    expect(await actionsOf(calls.filter(({ action }) => action === 'ReceiveMessage'))).toEqual(['sqs:ReceiveMessage', 'kms:Decrypt']);
  });

  test('calls of others than the template\'s roles are left out', async () => {
    expect(await questionsOf(simulator, [{ ...calls[0], caller: { kind: 'user' } }])).toEqual([]);
  });

  test('an unknown call is an error and not a silent pass', async () => {
    await expect(questionsOf(simulator, [call('ecs', 'DescribeTaskSets', {})])).rejects.toThrow('Say in recorded.ts which of its parameters');
  });
});

describe('services', () => {
  const from = { 'aws:SourceAccount': account, 'aws:SourceArn': resolver.formatArn('ecs', 'task/any') };

  test.each(Object.values(ROLES))('ECS assumes %s for tasks of this account only', async (role) => {
    expect(await simulator.mayAssume('ecs-tasks.amazonaws.com', role, from)).toMatchObject({ allowed: true });
    const elsewhere = { 'aws:SourceAccount': '999999999999', 'aws:SourceArn': 'arn:aws:ecs:us-east-1:999999999999:task/any' };
    expect(await simulator.mayAssume('ecs-tasks.amazonaws.com', role, elsewhere)).toMatchObject({ allowed: false });
    expect(await simulator.mayAssume('lambda.amazonaws.com', role, from)).toMatchObject({ allowed: false });
  });

  test('EventBridge sends from the worker\'s rule only', async () => {
    const rule = Object.keys(ecs.template.Resources).find((id) => ecs.template.Resources[id].Type === 'AWS::Events::Rule')!;
    const send = { action: 'sqs:SendMessage', resource: simulator.arn('Events/Queue', 'AWS::SQS::Queue') };
    const context = { 'aws:SourceAccount': account, 'aws:SourceArn': resolver.arn(rule) };
    expect(await simulator.decideForService('events.amazonaws.com', { ...send, context })).toMatchObject({ allowed: true });
    const foreign = { 'aws:SourceAccount': '999999999999', 'aws:SourceArn': 'arn:aws:events:us-east-1:999999999999:rule/other' };
    expect(await simulator.decideForService('events.amazonaws.com', { ...send, context: foreign })).toMatchObject({ allowed: false });
    expect(await simulator.decideForService('sns.amazonaws.com', { ...send, context })).toMatchObject({ allowed: false });
  });

  test('CloudWatch Logs uses the key for log groups of this account only', async () => {
    const service = `logs.${resolver.deployment.region}.amazonaws.com`;
    const encrypt = { action: 'kms:Encrypt', resource: simulator.arn('PrefectWorkersShared/Key') };
    const group = (owner: string) => ({ 'kms:EncryptionContext:aws:logs:arn': `arn:aws:logs:us-east-1:${owner}:log-group:${logGroup}` });
    expect(await simulator.decideForService(service, { ...encrypt, context: group(account) })).toMatchObject({ allowed: true });
    expect(await simulator.decideForService(service, { ...encrypt, context: group('999999999999') })).toMatchObject({ allowed: false });
  });
});
