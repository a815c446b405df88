import {
  App, aws_ec2 as ec2, aws_ecs as ecs, aws_kms as kms, aws_rds as rds, aws_s3 as s3, aws_secretsmanager as secretsmanager, Environment, Stack,
} from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { PrefectApi, WorkerType, WorkPool } from '../src';
import { ACCOUNT_ID, addWorker, container, importedVpc, newStack, resource, resources, selfHosted, statementsOf, templateOf, text, WORKSPACE_ID, WORKER_TASK } from './support/worker';

const { ECS, PROCESS } = WorkerType;
const types: [WorkerType, RegExp, RegExp][] = [[ECS, /IdentityFlowRunRole/, /FlowRunSecurityGroup/], [PROCESS, /IdentityWorkerRole/, /WorkerSecurityGroup/]];

describe.each(types)('flow runs of a worker of the type %s', (workerType, role, group) => {
  test('are given rights as a role is', () => {
    const stack = newStack();
    const worker = addWorker(stack, { workerType });
    new s3.Bucket(stack, 'Bucket').grantRead(worker);
    const statements = statementsOf(Template.fromStack(stack), role);
    expect(statements.find(({ Action }) => [Action].flat().includes('s3:GetObject*'))).toBeDefined();
  });

  test('are let through to a database as a security group is, and out to it', () => {
    const stack = newStack();
    const worker = addWorker(stack, { workerType });
    const database = new rds.DatabaseInstance(stack, 'Database', { engine: rds.DatabaseInstanceEngine.POSTGRES, vpc: worker.vpc });
    database.connections.allowDefaultPortFrom(worker);
    const template = Template.fromStack(stack);
    const { logicalId } = resource(template, 'AWS::EC2::SecurityGroup', group);
    const port = { 'Fn::GetAtt': [resource(template, 'AWS::RDS::DBInstance').logicalId, 'Endpoint.Port'] };
    template.hasResourceProperties('AWS::EC2::SecurityGroupIngress', { FromPort: port, SourceSecurityGroupId: { 'Fn::GetAtt': [logicalId, 'GroupId'] } });
    template.hasResourceProperties('AWS::EC2::SecurityGroupEgress', { FromPort: port, GroupId: { 'Fn::GetAtt': [logicalId, 'GroupId'] } });
  });

  test('are let into a key and a secret by their grants', () => {
    const stack = newStack();
    const worker = addWorker(stack, { workerType });
    new kms.Key(stack, 'Data').grantDecrypt(worker);
    new secretsmanager.Secret(stack, 'Password').grantRead(worker);
    expect(statementsOf(Template.fromStack(stack), role).map(({ Resource }) => text(Resource)))
      .toEqual(expect.arrayContaining([expect.stringMatching(/^\{Data\w+\.Arn\}$/), expect.stringMatching(/^\{Password/)]));
  });
});

describe('what a worker shows', () => {
  const stack = newStack();
  const worker = addWorker(stack, { workPool: WorkPool.managed('on premises') });
  const template = Template.fromStack(stack);
  test('is the resources of its stack', () => {
    expect(text(stack.resolve(worker.service.serviceArn))).toBe(`{${resource(template, 'AWS::ECS::Service').logicalId}}`);
    expect(text(stack.resolve(worker.vpc.vpcId))).toBe(`{${resource(template, 'AWS::EC2::VPC').logicalId}}`);
    expect(text(stack.resolve(worker.cluster.clusterArn))).toBe(`{${resource(template, 'AWS::ECS::Cluster').logicalId}.Arn}`);
    expect(text(stack.resolve(worker.taskDefinition.taskDefinitionArn))).toBe(`{${resource(template, 'AWS::ECS::TaskDefinition', WORKER_TASK).logicalId}}`);
    expect(text(stack.resolve(worker.logGroup.logGroupName))).toBe(`{${resource(template, 'AWS::Logs::LogGroup', /WorkerTaskLogs/).logicalId}}`);
  });

  test.each(['workerRole', 'executionRole', 'flowRunRole', 'flowRunExecutionRole'] as const)('has its %s', role => {
    expect(text(stack.resolve(worker[role].roleArn))).toMatch(new RegExp(`^\\{WorkerIdentity${role[0].toUpperCase()}${role.slice(1)}\\w+\\.Arn\\}$`));
  });

  test('is of flow runs where it is for grants and connections', () => {
    expect(worker.grantPrincipal).toBe(worker.flowRunRole.grantPrincipal);
    expect(worker.connections.securityGroups).toEqual([worker.flowRunSecurityGroup]);
  });

  test('has the name of the pool', () => {
    expect(worker.workPoolName).toBe('on premises');
  });
});

describe('two workers', () => {
  const shared = (first: Stack, second: Stack) => {
    const one = addWorker(first, { workerType: PROCESS, workPool: WorkPool.managed('quick') }, 'One');
    addWorker(second, { api: selfHosted(second), workPool: WorkPool.managed('heavy'), vpc: one.vpc, cluster: one.cluster }, 'Two');
  };

  test('of a stack share network and cluster', () => {
    const stack = newStack();
    shared(stack, stack);
    const template = Template.fromStack(stack);
    for (const type of ['AWS::EC2::VPC', 'AWS::ECS::Cluster', 'AWS::EC2::FlowLog', 'AWS::ServiceDiscovery::PrivateDnsNamespace']) template.resourceCountIs(type, 1);
    template.resourceCountIs('AWS::EC2::NatGateway', 2);
    template.resourceCountIs('AWS::ECS::Service', 2);
  });

  test('of two stacks share network and cluster', () => {
    const app = new App({ analyticsReporting: false, treeMetadata: false });
    const [first, second] = [new Stack(app, 'First'), new Stack(app, 'Second')];
    shared(first, second);
    const template = Template.fromStack(second);
    template.resourceCountIs('AWS::EC2::VPC', 0);
    template.resourceCountIs('AWS::ECS::Cluster', 0);
    template.resourceCountIs('AWS::EC2::VPCEndpoint', 0);
    expect(JSON.stringify(resource(template, 'AWS::ECS::Service').Properties.NetworkConfiguration)).toContain('Fn::ImportValue');
    Template.fromStack(first).resourceCountIs('AWS::EC2::VPCEndpoint', 8);
  });

  test('with their own networks are beside each other', () => {
    const stack = newStack();
    addWorker(stack, { workPool: WorkPool.managed('one') }, 'One');
    addWorker(stack, { workPool: WorkPool.managed('two') }, 'Two');
    Template.fromStack(stack).resourceCountIs('AWS::EC2::VPC', 2);
  });

  test('have names of their own for the task definitions of their flow runs', () => {
    const stack = newStack();
    addWorker(stack, { workPool: WorkPool.managed('one') }, 'Worker');
    addWorker(stack, { workPool: WorkPool.managed('two') }, 'WorkerTwo');
    const families = resources(Template.fromStack(stack), 'Custom::PrefectWorkPool')
      .map(({ Properties }) => /"family":"([^"]+)-{{ family }}"/.exec(text(Properties.Configuration))![1]);
    expect(families[1].startsWith(families[0])).toBe(false);
    expect(families[0].startsWith(families[1])).toBe(false);
  });
});

describe('every region and account:', () => {
  const regions: [string, Environment | undefined][] = [
    ['agnostic', undefined],
    ['eu-central-1', { account: '123456789012', region: 'eu-central-1' }],
    ['cn-north-1', { account: '123456789012', region: 'cn-north-1' }],
    ['us-gov-west-1', { account: '123456789012', region: 'us-gov-west-1' }],
    ['a region without an account', { region: 'eu-central-1' }],
  ];

  describe.each(regions)('%s', (_, env) => {
    const json = JSON.stringify(templateOf(stack => ({ api: selfHosted(stack) }), env).toJSON());

    test('names no partition and no regional address of its domain', () => {
      expect(json.match(/arn:aws(-[a-z-]+)?:.{0,40}|.{0,40}-\d\.amazonaws\.com(?!\.cn").{0,40}/g)).toBeNull();
    });
  });

  test.each(types)('a worker of the type %s names no region, account or zone that the stack does not know', workerType => {
    const { Mappings: { LatestNodeRuntimeMap: _, ...mappings } = {} as Record<string, unknown>, ...template } = templateOf({ workerType }).toJSON();
    // The map of runtimes by region is an older CDK's own.
    expect(JSON.stringify({ ...template, mappings }).match(/.{0,40}([a-z]{2}-(north|south|east|west|central)[a-z]*-\d|"\d{12}").{0,40}/g)).toBeNull();
  });

  test('no resource has a name that another deployment could not have too', () => {
    const names = /^(Name|.*(Name|Alias|Family))$/;
    const given = Object.entries<any>(templateOf(stack => ({ api: selfHosted(stack) })).toJSON().Resources)
      .flatMap(([id, { Type, Properties = {} }]) => Object.entries(Properties).filter(([key, value]) => names.test(key) && typeof value === 'string').map(([key]) => `${Type} ${key} ${id}`))
      // Names inside another resource, that the CDK derives from the path, or that CloudFormation demands.
      .filter(name => !/^AWS::(IAM::Policy PolicyName|ECS::TaskDefinition Family|ServiceDiscovery::PrivateDnsNamespace Name|ApplicationAutoScaling::ScalingPolicy PolicyName|CloudWatch::Alarm MetricName|Logs::QueryDefinition Name)/.test(name));
    expect(given).toEqual([]);
  });
});

describe('a secret', () => {
  test.each([ECS, PROCESS])('is never resolved into the template (%s)', workerType => {
    const stack = newStack();
    const apiKey = ecs.Secret.fromSecretsManager(secretsmanager.Secret.fromSecretNameV2(stack, 'Imported', 'prefect/key'));
    addWorker(stack, { workerType, api: PrefectApi.cloud({ accountId: ACCOUNT_ID, workspaceId: WORKSPACE_ID, apiKey }) });
    const template = Template.fromStack(stack);
    expect(JSON.stringify(template.toJSON()).match(/\{\{resolve:.{0,40}/g)).toBeNull();
    expect(text(container(template).Secrets)).toEqual([{ Name: 'PREFECT_API_KEY', ValueFrom: expect.stringMatching(/:secret:prefect\/key$/) }]);
  });
});

describe('imported resources', () => {
  test.each([ECS, PROCESS])('make the smallest worker (%s)', workerType => {
    const stack = newStack();
    const vpc = importedVpc(stack);
    addWorker(stack, {
      workerType,
      vpc,
      cluster: ecs.Cluster.fromClusterAttributes(stack, 'Shared', { clusterName: 'shared', vpc, securityGroups: [] }),
      securityGroups: [ec2.SecurityGroup.fromSecurityGroupId(stack, 'Group', 'sg-11111111')],
      workPool: WorkPool.existing('etl'),
      copyImages: false,
    });
    const template = Template.fromStack(stack);
    expect(resources(template, 'AWS::ECS::Service')).toHaveLength(1);
    expect(container(template).Command).toContain('etl');
    expect(Object.values<any>(template.toJSON().Resources).filter(({ Type }) => /^(AWS::EC2|AWS::ServiceDiscovery|Custom)::/.test(Type))).toEqual([]);
    expect(resources(template, 'AWS::Lambda::Function').map(({ Properties }) => Properties.Description)).toEqual([
      expect.stringMatching(/lost their task/), expect.stringMatching(/demand/),
    ]);
  });
});
