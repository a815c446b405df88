import { Annotations, aws_ecr as ecr, aws_ecs as ecs, aws_iam as iam, aws_s3 as s3, aws_secretsmanager as secretsmanager, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Tracing, WorkerType, WorkPool } from '../../src';
import { addWorker, configurationOf, newStack, resource, resources, statementsOf, text, warnings, WORKER_TASK } from '../support/worker';

const { PROCESS } = WorkerType;
const ACCOUNT = '111122223333';
const ECS_TASKS = new iam.ServicePrincipal('ecs-tasks.amazonaws.com');
const PROPS = ['workerRole', 'executionRole', 'flowRunRole', 'flowRunExecutionRole'] as const;
type Prop = typeof PROPS[number];

const arnOf = (name: string, account = ACCOUNT) => `arn:aws:iam::${account}:role/teams/data/${name}`;
const imported = (stack: Stack, name: string, options?: iam.FromRoleArnOptions) => iam.Role.fromRoleArn(stack, name, arnOf(name), options);
const created = (stack: Stack, name: string) => new iam.Role(stack, name, { assumedBy: ECS_TASKS });
const all = (of: (prop: Prop) => iam.IRole) => Object.fromEntries(PROPS.map(prop => [prop, of(prop)]));

/** The policies that roles lack, by the role's name, as the warnings have them. */
function lacking(stack: Stack): Record<string, any[]> {
  return Object.fromEntries(warnings(stack, 'is not changed by this app').map(warning => {
    const [, role] = /The role \S*\/(?:ImmutableRole)?(\w+), given/.exec(warning)!;
    return [role, JSON.parse(warning.slice(warning.indexOf('\n'), warning.lastIndexOf('}') + 1)).Statement];
  }));
}
const actionsIn = (statements: any[]) => statements.flatMap(({ Action }) => Action).sort();

/** What the created roles have: the measure for what given ones need. */
const measure = (() => {
  const stack = newStack({ account: ACCOUNT, region: 'eu-central-1' });
  addWorker(stack);
  return Template.fromStack(stack);
})();
const needed = (prop: Prop) => actionsIn(resources(measure, 'AWS::IAM::Policy')
  .filter(({ Properties: { Roles } }) => new RegExp(`Identity${prop}`, 'i').test(JSON.stringify(Roles)))
  .flatMap(({ Properties: { PolicyDocument } }) => PolicyDocument.Statement));

describe.each([
  ['created in the app', created],
  ['imported', (stack: Stack, name: string) => imported(stack, name)],
])('roles that are %s', (_, role) => {
  const stack = newStack({ account: ACCOUNT, region: 'eu-central-1' });
  const worker = addWorker(stack, all(prop => role(stack, prop)));
  const template = Template.fromStack(stack);

  test.each(PROPS)('get what this library may give them: %s', prop => {
    const policies = resources(template, 'AWS::IAM::Policy').filter(({ Properties: { Roles } }) => new RegExp(`^{?${prop}`).test(text(Roles)[0]));
    expect(actionsIn(policies.flatMap(({ Properties: { PolicyDocument } }) => PolicyDocument.Statement))).toEqual(needed(prop));
  });

  test('are those that tasks run with, and no others are created', () => {
    expect(Object.keys(template.findResources('AWS::IAM::Role')).filter(id => /Identity/.test(id))).toEqual([]);
    const arn = (prop: Prop) => text(stack.resolve(worker[prop].roleArn));
    const { TaskRoleArn, ExecutionRoleArn } = text(resource(template, 'AWS::ECS::TaskDefinition', WORKER_TASK).Properties);
    expect([TaskRoleArn, ExecutionRoleArn]).toEqual([arn('workerRole'), arn('executionRole')]);
    expect(configurationOf(template).template.variables).toMatchObject({ task_role_arn: arn('flowRunRole'), execution_role_arn: arn('flowRunExecutionRole') });
  });

  test('are ready, with their permissions, before the first task starts', () => {
    const { DependsOn } = resource(template, 'AWS::ECS::Service');
    const policies = Object.keys(template.findResources('AWS::IAM::Policy')).filter(id => /^(workerRole|executionRole|flowRunExecutionRole)/.test(id));
    expect(policies).toHaveLength(3);
    expect(DependsOn).toEqual(expect.arrayContaining(policies));
  });

  test('need no warning', () => {
    expect(lacking(stack)).toEqual({});
  });
});

describe.each([
  ['imported with mutable: false', (stack: Stack, name: string) => imported(stack, name, { mutable: false })],
  ['created in the app, and kept from updates', (stack: Stack, name: string) => created(stack, name).withoutPolicyUpdates()],
])('roles that are %s', (_, role) => {
  const stack = newStack({ account: ACCOUNT, region: 'eu-central-1' });
  const worker = addWorker(stack, all(prop => role(stack, prop)));
  new s3.Bucket(stack, 'Lake').grantRead(worker);
  const listed = lacking(stack);

  test('get nothing, and a warning lists all that they need: of this library and of L2 grants', () => {
    expect(Object.keys(Template.fromStack(stack).findResources('AWS::IAM::Policy')).filter(id => /^(workerRole|executionRole|flowRun)/.test(id))).toEqual([]);
    for (const prop of ['workerRole', 'executionRole', 'flowRunExecutionRole'] as const) expect([prop, actionsIn(listed[prop])]).toEqual([prop, needed(prop)]);
  });

  test('so does it what users grant to flow runs', () => {
    expect(listed.flowRunRole).toEqual([{
      Effect: 'Allow', Action: ['s3:GetBucket*', 's3:GetObject*', 's3:List*'], Resource: [expect.stringMatching(/^\$\{Lake\w+\.Arn\}$/), expect.stringMatching(/^\$\{Lake\w+\.Arn\}\/\*$/)],
    }]);
  });

  test('the list can be pasted: known names in full, and what only the deployment knows as in Fn::Sub', () => {
    const [run] = listed.workerRole.filter(({ Sid }) => Sid === 'StartFlowRuns');
    expect(run).toEqual({
      Sid: 'StartFlowRuns',
      Effect: 'Allow',
      Action: 'ecs:RunTask',
      Resource: expect.stringMatching(/^arn:\$\{AWS::Partition\}:ecs:eu-central-1:111122223333:task-definition\/prefect-Stack-Worker-[0-9A-F]{8}\*:\*$/),
      Condition: { ArnEquals: { 'ecs:cluster': expect.stringMatching(/^\$\{WorkerCluster\w+\.Arn\}$/) } },
    });
  });
});

test('a role of another account is an error, as it can\'t be passed to ECS', () => {
  const stack = newStack({ account: ACCOUNT, region: 'eu-central-1' });
  expect(() => addWorker(stack, { workerRole: iam.Role.fromRoleArn(stack, 'Theirs', arnOf('Theirs', '999999999999')) })).toThrow(
    `Stack/Worker: workerRole is "${arnOf('Theirs', '999999999999')}": it is in the account 999999999999, and roles are passed to Amazon ECS only within theirs; give a role of ${ACCOUNT}, which may assume that one.`);
});

test('the warning can be acknowledged', () => {
  const stack = newStack();
  const worker = addWorker(stack, { executionRole: imported(stack, 'executionRole', { mutable: false }) });
  expect(Object.keys(lacking(stack))).toEqual(['executionRole']);
  const other = newStack();
  const quiet = addWorker(other, { executionRole: imported(other, 'executionRole', { mutable: false }) });
  Annotations.of(quiet).acknowledgeWarning('cdk-prefect-fargate-worker:roleLacksPermissions');
  expect(lacking(other)).toEqual({});
  expect(worker.executionRole.roleArn).toBe(arnOf('executionRole'));
});

test('one role for two purposes is warned of once, with all that it needs', () => {
  const stack = newStack();
  const role = imported(stack, 'executionRole', { mutable: false });
  addWorker(stack, { executionRole: role, flowRunExecutionRole: role });
  expect(warnings(stack, 'is not changed by this app')).toEqual([expect.stringContaining('given as executionRole and flowRunExecutionRole, ')]);
});

test('flow runs that have the worker\'s role too are warned of, by what they may do then', () => {
  const stack = newStack();
  const role = created(stack, 'Everything');
  addWorker(stack, { workerRole: role, flowRunRole: role });
  expect(warnings(stack, 'flowRunRole is')).toEqual([expect.stringContaining('flowRunRole is workerRole too, so each flow may do what the worker may: start tasks with any of its roles.')]);
});

test.each(PROPS)('a role of the app that does not trust ECS is an error, for no task could start with it: %s', prop => {
  const stack = newStack();
  addWorker(stack, { [prop]: new iam.Role(stack, 'Mine', { assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com') }) });
  expect(() => Template.fromStack(stack)).toThrow(`The role Stack/Mine, given as ${prop}, is not for Amazon ECS: no task could start with it.`);
});

test('a role that trusts ECS beside others, or was taught to later, is fine', () => {
  const stack = newStack();
  const late = new iam.Role(stack, 'Late', { assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com') });
  addWorker(stack, { workerRole: late, flowRunRole: new iam.Role(stack, 'Both', { assumedBy: new iam.CompositePrincipal(new iam.ServicePrincipal('lambda.amazonaws.com'), ECS_TASKS) }) });
  late.assumeRolePolicy!.addStatements(new iam.PolicyStatement({ actions: ['sts:AssumeRole'], principals: [ECS_TASKS] }));
  Template.fromStack(stack);
});

test.each([['flowRunRole', 'workerRole'], ['flowRunExecutionRole', 'executionRole']])('a PROCESS worker takes no %s, and says which prop to give instead', (prop, instead) => {
  const stack = newStack();
  expect(() => addWorker(stack, { workerType: PROCESS, [prop]: created(stack, 'Mine') }))
    .toThrow(`Stack/Worker: ${prop} is "Stack/Mine": flow runs of a PROCESS worker are processes in its container and have its roles; give ${instead} instead.`);
});

test('a PROCESS worker takes your roles, which are the flow runs\' too', () => {
  const stack = newStack();
  const [task, execution] = [created(stack, 'Task'), imported(stack, 'Execution')];
  const worker = addWorker(stack, { workerType: PROCESS, workerRole: task, executionRole: execution });
  new s3.Bucket(stack, 'Lake').grantRead(worker);
  expect(statementsOf(Template.fromStack(stack), /^Task/).flatMap(({ Action }) => Action)).toEqual(['ecs:GetTaskProtection', 'ecs:UpdateTaskProtection', 's3:GetObject*', 's3:GetBucket*', 's3:List*']);
});

test('what tracing, an image and a secret need that come later is listed, too', () => {
  const stack = newStack({ account: ACCOUNT, region: 'eu-central-1' });
  const secret = new secretsmanager.Secret(stack, 'Database');
  const worker = addWorker(stack, {
    ...all(prop => imported(stack, prop, { mutable: false })),
    observability: { tracing: Tracing.xray() },
    workPool: WorkPool.managed('etl', { flowRunDefaults: { image: ecs.ContainerImage.fromEcrRepository(new ecr.Repository(stack, 'Flows')) } }),
  });
  worker.flowRunContainer.addSecret('PASSWORD', ecs.Secret.fromSecretsManager(secret, 'password'));
  const { workerRole, flowRunRole, flowRunExecutionRole } = lacking(stack);
  expect(actionsIn(workerRole)).toContain('xray:PutTraceSegments');
  expect(actionsIn(flowRunRole)).toEqual(['xray:PutTraceSegments']);
  expect(flowRunExecutionRole).toEqual(expect.arrayContaining([
    expect.objectContaining({ Action: expect.arrayContaining(['secretsmanager:GetSecretValue']), Resource: expect.arrayContaining([expect.stringMatching(/^\$\{Database/)]) }),
    expect.objectContaining({ Action: expect.arrayContaining(['ecr:BatchGetImage']), Resource: expect.stringMatching(/^\$\{Flows/) }),
  ]));
});

describe('allowFlowRunRole()', () => {
  const stack = newStack();
  const worker = addWorker(stack);
  const [payroll, starter] = [created(stack, 'Payroll'), created(stack, 'Starter')];
  worker.allowFlowRunRole(payroll);
  worker.allowFlowRunRole(payroll);
  worker.allowFlowRunRole(starter, { asExecutionRole: true });
  worker.flowRunContainer.addSecret('PASSWORD', ecs.Secret.fromSecretsManager(new secretsmanager.Secret(stack, 'Later')));
  const template = Template.fromStack(stack);
  const passed = text(statementsOf(template, /WorkerRole/).filter(({ Action }) => Action === 'iam:PassRole'));

  test('lets the worker pass the role to ECS tasks, once, and nothing else', () => {
    expect(passed.flatMap(({ Resource }: any) => Resource).filter((arn: string) => /Payroll|Starter/.test(arn))).toEqual([expect.stringMatching(/^{Payroll/), expect.stringMatching(/^{Starter/)]);
    for (const { Condition } of passed) expect(Condition).toEqual({ StringEquals: { 'iam:PassedToService': 'ecs-tasks.amazonaws.com' } });
    const others = (from: Template) => statementsOf(from, /WorkerRole/).filter(({ Action }) => Action !== 'iam:PassRole').map(({ Action }) => Action);
    expect(others(template)).toEqual(others(measure));
  });

  test('gives a task role nothing', () => {
    expect(resources(template, 'AWS::IAM::Policy').filter(({ Properties: { Roles } }) => /Payroll/.test(JSON.stringify(Roles)))).toEqual([]);
  });

  test('gives an execution role what the flow runs\' own has, with secrets that are added later', () => {
    expect(actionsIn(statementsOf(template, /^Starter/))).toEqual(actionsIn(statementsOf(template, /FlowRunExecutionRole/)));
    expect(JSON.stringify(statementsOf(template, /^Starter/))).toMatch(/"Later/);
  });

  test('lists what an imported execution role lacks', () => {
    const other = newStack();
    addWorker(other).allowFlowRunRole(imported(other, 'Starter', { mutable: false }), { asExecutionRole: true });
    expect(actionsIn(lacking(other).Starter)).toEqual(needed('flowRunExecutionRole'));
    expect(warnings(other, 'is not changed by this app')[0]).toContain('given as allowFlowRunRole(), ');
  });

  test('works for existing pools', () => {
    const other = newStack();
    addWorker(other, { workPool: WorkPool.existing('etl') }).allowFlowRunRole(imported(other, 'Payroll'));
    expect(JSON.stringify(statementsOf(Template.fromStack(other), /WorkerRole/))).toContain(arnOf('Payroll'));
  });

  test('refuses a role of the app that does not trust ECS', () => {
    const other = newStack();
    addWorker(other).allowFlowRunRole(new iam.Role(other, 'Mine', { assumedBy: new iam.AccountRootPrincipal() }));
    expect(() => Template.fromStack(other)).toThrow('The role Stack/Mine, given as allowFlowRunRole(), is not for Amazon ECS');
  });

  test('explains to a PROCESS worker why not', () => {
    const other = newStack();
    const processes = addWorker(other, { workerType: PROCESS });
    expect(() => processes.allowFlowRunRole(created(other, 'Payroll'))).toThrow('Stack/Worker: allowFlowRunRole() is "Stack/Payroll": flow runs of a PROCESS worker are processes in its container and have its role; '
      + 'grant permissions to the worker instead, or use WorkerType.ECS.');
  });
});

