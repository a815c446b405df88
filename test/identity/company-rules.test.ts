import { readFileSync } from 'node:fs';
import { Annotations, App, Aspects, aws_iam as iam, CfnResource, IAspect, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { IConstruct } from 'constructs';
import { PrefectFargateWorkerProps, Tracing, WorkerType } from '../../src';
import { addWorker, configurationOf, newStack, resource, resources, statementsOf, templateOf, text, warnings, WORKER_TASK } from '../support/worker';

/** What companies have their roles obey: they are created by others, they have a boundary, a path. */

const TYPES = [WorkerType.ECS, WorkerType.PROCESS];
const newApp = () => new App({ analyticsReporting: false, treeMetadata: false });

interface ReportedRole { readonly roleConstructPath: string; readonly identityPolicyStatements: any[] }

function reportOf(app: App): ReportedRole[] {
  return JSON.parse(readFileSync(`${app.synth().directory}/iam-policy-report.json`, 'utf8')).roles;
}

describe.each(TYPES)('where roles may not be created (Role.customizeRoles), a %s worker', workerType => {
  const first = newApp();
  iam.Role.customizeRoles(first);
  addWorker(new Stack(first, 'Stack'), { workerType });
  const report = reportOf(first);
  const names = Object.fromEntries(report.filter(({ roleConstructPath }) => !/ScalingRole$/.test(roleConstructPath))
    .map(({ roleConstructPath }, index) => [roleConstructPath, `precreated-${index}`]));

  const app = newApp();
  iam.Role.customizeRoles(app, { usePrecreatedRoles: names });
  const stack = new Stack(app, 'Stack');
  const worker = addWorker(stack, { workerType });
  const assembly = app.synth().getStackByName('Stack');
  const template = Template.fromJSON(assembly.template);

  test('has no role and no policy in the template once all are named, those of functions and custom resources too', () => {
    expect(Object.values(template.toJSON().Resources).map(({ Type }: any) => Type).filter(type => /^AWS::IAM::/.test(type))).toEqual([]);
    expect(assembly.messages.filter(({ level }) => level === 'error')).toEqual([]);
  });

  test('runs with the roles that are named', () => {
    const role = (id: string) => new RegExp(`:role/${names[`Stack/Worker/Identity/${id}`]}$`);
    const { TaskRoleArn, ExecutionRoleArn } = text(resource(template, 'AWS::ECS::TaskDefinition', workerType === WorkerType.ECS ? WORKER_TASK : /./).Properties);
    expect([TaskRoleArn, ExecutionRoleArn]).toEqual([expect.stringMatching(role('WorkerRole')), expect.stringMatching(role('ExecutionRole'))]);
    expect(text(stack.resolve(worker.flowRunRole.roleArn))).toMatch(role(workerType === WorkerType.ECS ? 'FlowRunRole' : 'WorkerRole'));
    for (const { Properties: { Role } } of resources(template, 'AWS::Lambda::Function')) expect(text(Role)).toMatch(/:role\/precreated-\d+$/);
  });

  test('has the CDK report what they need, which is what created ones get', () => {
    const created = templateOf({ workerType });
    const reported = report.find(({ roleConstructPath }) => roleConstructPath.endsWith('Identity/WorkerRole'))!.identityPolicyStatements;
    expect(reported.flatMap(({ Action }) => Action)).toEqual(statementsOf(created, /IdentityWorkerRole/).flatMap(({ Action }) => Action));
    expect(JSON.stringify(assembly.messages)).not.toContain('is not changed by this app');
  });
});

test('roles of deployments are in the report too', () => {
  const app = newApp();
  iam.Role.customizeRoles(app);
  const stack = new Stack(app, 'Stack');
  addWorker(stack).allowFlowRunRole(iam.Role.fromRoleArn(stack, 'Payroll', 'arn:aws:iam::111122223333:role/payroll'));
  const { identityPolicyStatements } = reportOf(app).find(({ roleConstructPath }) => roleConstructPath.endsWith('Identity/WorkerRole'))!;
  expect(JSON.stringify(identityPolicyStatements)).toContain('role/payroll');
});

/** As a company has it: what its teams may do at all, and nothing about roles. */
const boundary = (scope: Stack, statements: iam.PolicyStatementProps[]) => new iam.ManagedPolicy(scope, 'Boundary', { statements: statements.map(statement => new iam.PolicyStatement({ resources: ['*'], ...statement })) });
const EVERYTHING = { actions: ['*'] };

describe.each(TYPES)('a permissions boundary of the stack is on every role of a %s worker', workerType => {
  test('those of functions and custom resources too', () => {
    const stack = newStack();
    addWorker(stack, { workerType });
    iam.PermissionsBoundary.of(stack).apply(boundary(stack, [EVERYTHING]));
    const roles = Template.fromStack(stack).findResources('AWS::IAM::Role');
    expect(Object.entries(roles).filter(([, { Properties }]) => Properties.PermissionsBoundary?.Ref === undefined).map(([id]) => id)).toEqual([]);
    expect(warnings(stack, 'permissions boundary')).toEqual([]);
  });
});

describe('a boundary that takes away what roles need is warned of', () => {
  const warned = (statements: iam.PolicyStatementProps[], props: Partial<PrefectFargateWorkerProps> = {}, apart = false) => {
    const stack = newStack();
    addWorker(stack, props);
    const scope = apart ? new Stack(stack.node.root as App, 'Security') : stack;
    iam.PermissionsBoundary.of(stack).apply(boundary(scope, statements));
    return warnings(stack, 'permissions boundary');
  };

  test('where it denies an action', () => {
    expect(warned([EVERYTHING, { effect: iam.Effect.DENY, actions: ['iam:*', 'ecs:Run*'] }])).toEqual([
      expect.stringMatching(/^The permissions boundary Stack\/Boundary denies actions that roles need: .*Stack\/Worker\/Identity\/WorkerRole needs ecs:RunTask, iam:PassRole\. Allow these actions in it\./),
    ]);
  });

  test('where it does not allow one, by role', () => {
    const [warning] = warned([{ actions: ['logs:*', 'ecs:*', 's3:*'] }]);
    expect(warning).toMatch(/Identity\/WorkerRole needs iam:PassRole, kms:Decrypt, sqs:\S+/);
    expect(warning).toMatch(/Identity\/ExecutionRole needs ecr:.*secretsmanager:GetSecretValue;/);
    expect(warning).toMatch(/Demand\/Role needs cloudwatch:PutMetricData/);
    expect(warning).toMatch(/PrefectImages\/Role needs ecr:/);
    expect(warning).toMatch(/Custom::VpcRestrictDefaultSGCustomResourceProvider\/Role needs ec2:AuthorizeSecurityGroupEgress/);
    expect(warning).not.toMatch(/FlowRunRole /);
  });

  test('where it allows all but some', () => {
    expect(warned([{ notActions: ['iam:*'] }])).toEqual([expect.stringContaining('WorkerRole needs iam:PassRole. ')]);
  });

  test('where it is in another stack of the app', () => {
    expect(warned([{ notActions: ['iam:PassRole'] }], {}, true)).toEqual([expect.stringContaining('The permissions boundary Security/Boundary denies actions')]);
  });

  test('where it is on your own role', () => {
    const stack = newStack();
    const workerRole = new iam.Role(stack, 'Mine', {
      assumedBy: new iam.ServicePrincipal('ecs-tasks.amazonaws.com'), permissionsBoundary: boundary(stack, [{ actions: ['ecs:*', 'sqs:*', 'kms:*', 'logs:*'] }]),
    });
    addWorker(stack, { workerRole });
    expect(warnings(stack, 'permissions boundary')).toEqual([expect.stringContaining('Stack/Mine needs iam:PassRole. ')]);
  });

  test('and not where it denies elsewhere, or under a condition, which may be what it is for', () => {
    expect(warned([EVERYTHING,
      { effect: iam.Effect.DENY, actions: ['ecs:RunTask'], resources: ['arn:aws:ecs:*:*:task-definition/payroll*'] },
      { effect: iam.Effect.DENY, actions: ['*'], conditions: { StringNotEquals: { 'aws:RequestedRegion': 'eu-central-1' } } },
      { effect: iam.Effect.DENY, notActions: ['ecs:*', 'iam:*', 'sqs:*', 'kms:*', 'logs:*', 'ecr:*', 'secretsmanager:*', 'lambda:*', 'cloudwatch:*', 'ec2:*'] }])).toEqual([]);
  });

  test('until it is acknowledged', () => {
    const stack = newStack();
    const worker = addWorker(stack);
    iam.PermissionsBoundary.of(stack).apply(boundary(stack, [{ notActions: ['iam:*'] }]));
    Annotations.of(worker).acknowledgeWarning('cdk-prefect-fargate-worker:boundaryDenies');
    expect(warnings(stack, 'permissions boundary')).toEqual([]);
  });

  test('and not where its text is elsewhere', () => {
    const stack = newStack();
    addWorker(stack);
    iam.PermissionsBoundary.of(stack).apply(iam.ManagedPolicy.fromManagedPolicyName(stack, 'Theirs', 'team-boundary'));
    expect(warnings(stack, 'permissions boundary')).toEqual([]);
  });
});

/** As companies write it. */
class RolePath implements IAspect {
  public visit(node: IConstruct): void {
    if (CfnResource.isCfnResource(node) && node.cfnResourceType === 'AWS::IAM::Role') node.addPropertyOverride('Path', '/teams/data/');
  }
}

describe.each(TYPES)('with a path on all roles, a %s worker', workerType => {
  const stack = newStack();
  addWorker(stack, { workerType, observability: { tracing: Tracing.xray(), logArchive: {} } });
  Aspects.of(stack).add(new RolePath());
  const template = Template.fromStack(stack);

  test('has it on every one', () => {
    expect(resources(template, 'AWS::IAM::Role').filter(({ Properties }) => Properties.Path !== '/teams/data/')).toEqual([]);
  });

  test('names roles only by their ARNs, which have the path', () => {
    const roles = Object.keys(template.findResources('AWS::IAM::Role'));
    const all = Object.entries<any>(template.toJSON().Resources).filter(([, { Type }]) => Type !== 'AWS::IAM::Policy' && Type !== 'AWS::IAM::ManagedPolicy');
    const byName = all.filter(([, { Properties }]) => roles.some(role => JSON.stringify(Properties ?? {}).includes(`{"Ref":"${role}"}`))).map(([id]) => id);
    expect(byName).toEqual([]);
    if (workerType === WorkerType.ECS) expect(configurationOf(template).template.variables.task_role_arn).toMatch(/FlowRunRole\w+\.Arn}$/);
  });
});
