import { aws_ecs as ecs } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { WorkerType, WorkPool } from '../../src';
import { addWorker, importedVpc, newStack, resource, resources, selfHosted, statementsOf, templateOf, text } from '../support/worker';

const stack = newStack();
const worker = addWorker(stack);
const template = Template.fromStack(stack);
const cluster = resource(template, 'AWS::ECS::Cluster').logicalId;
const workerRole = statementsOf(template, /WorkerRole/);
const statement = (sid: string, from = workerRole) => text(from.find(({ Sid }) => Sid === sid));

const FAMILIES = /^arn:\{AWS::Partition\}:ecs:\{AWS::Region\}:\{AWS::AccountId\}:task-definition\/prefect-Stack-Worker-[0-9A-F]+\*/.source;
const TASKS = `arn:{AWS::Partition}:ecs:{AWS::Region}:{AWS::AccountId}:task/{${cluster}}/*`;
const IN_THIS_CLUSTER = { ArnEquals: { 'ecs:cluster': `{${cluster}.Arn}` } };

describe('each of the four roles', () => {
  test.each(['WorkerRole', 'ExecutionRole', 'FlowRunRole', 'FlowRunExecutionRole'])('is for tasks of this account and region only: %s', id => {
    const { AssumeRolePolicyDocument } = resource(template, 'AWS::IAM::Role', new RegExp(`Identity${id}`)).Properties;
    expect(text(AssumeRolePolicyDocument.Statement)).toEqual([{
      Effect: 'Allow',
      Action: 'sts:AssumeRole',
      Principal: { Service: 'ecs-tasks.amazonaws.com' },
      Condition: {
        StringEquals: { 'aws:SourceAccount': '{AWS::AccountId}' },
        ArnLike: { 'aws:SourceArn': 'arn:{AWS::Partition}:ecs:{AWS::Region}:{AWS::AccountId}:*' },
      },
    }]);
  });

  test('has no policy of AWS', () => {
    for (const { Properties } of resources(template, 'AWS::IAM::Role').filter(role => role.Properties.AssumeRolePolicyDocument.Statement[0].Principal.Service === 'ecs-tasks.amazonaws.com')) {
      expect(Properties.ManagedPolicyArns).toBeUndefined();
    }
  });
});

describe('an ECS worker may', () => {
  test('register task definitions of its own families, which have no revision before', () => {
    expect(statement('RegisterFlowRunTaskDefinitions')).toMatchObject({
      Action: 'ecs:RegisterTaskDefinition', Resource: expect.stringMatching(new RegExp(`${FAMILIES}$`)),
    });
  });

  test('run them in its cluster', () => {
    expect(statement('StartFlowRuns')).toMatchObject({ Action: 'ecs:RunTask', Resource: expect.stringMatching(new RegExp(`${FAMILIES}:\\*$`)), Condition: IN_THIS_CLUSTER });
  });

  test('tag the tasks that it starts, when it starts them', () => {
    expect(statement('TagFlowRuns')).toMatchObject({
      Action: 'ecs:TagResource', Resource: [TASKS, expect.stringMatching(/:task-definition\/prefect-.*\*$/)], Condition: { StringEquals: { 'ecs:CreateAction': ['RunTask', 'RegisterTaskDefinition'] } },
    });
  });

  test('watch and stop tasks of its cluster', () => {
    expect(statement('WatchAndStopFlowRuns')).toMatchObject({ Action: ['ecs:DescribeTasks', 'ecs:StopTask'], Resource: TASKS, Condition: IN_THIS_CLUSTER });
  });

  test('read and retire task definitions, for which ECS has no resource-level permissions', () => {
    expect(statement('ReadTaskDefinitions')).toMatchObject({ Action: ['ecs:DescribeTaskDefinition', 'ecs:DeregisterTaskDefinition'], Resource: '*' });
  });

  test('pass the two roles of flow runs to ECS tasks, and no other role', () => {
    const passing = workerRole.filter(({ Action }) => [Action].flat().some(action => /^iam:/.test(action)));
    expect(text(passing)).toEqual([{
      Sid: 'PassFlowRunRoles',
      Effect: 'Allow',
      Action: 'iam:PassRole',
      Resource: [expect.stringMatching(/^\{WorkerIdentityFlowRunRole\w+\.Arn\}$/), expect.stringMatching(/^\{WorkerIdentityFlowRunExecutionRole\w+\.Arn\}$/)],
      Condition: { StringEquals: { 'iam:PassedToService': 'ecs-tasks.amazonaws.com' } },
    }]);
  });

  test('read its event queue and the key of it', () => {
    const queue = resource(template, 'AWS::SQS::Queue', /EventsQueue/).logicalId;
    expect(workerRole).toContainEqual(expect.objectContaining({
      Action: expect.arrayContaining(['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:ChangeMessageVisibility', 'sqs:GetQueueUrl']),
      Resource: { 'Fn::GetAtt': [queue, 'Arn'] },
    }));
    expect(workerRole).toContainEqual(expect.objectContaining({ Action: 'kms:Decrypt', Resource: { 'Fn::GetAtt': [resource(template, 'AWS::KMS::Key').logicalId, 'Arn'] } }));
  });

  test('read the last words of crashed flow runs, in its log group only', () => {
    const reading = workerRole.filter(({ Action }) => [Action].flat().includes('logs:GetLogEvents'));
    expect(reading).toHaveLength(1);
    for (const resourceArn of text([reading[0].Resource].flat())) expect(resourceArn).toMatch(/\{WorkerTaskLogs\w+(\.Arn)?\}$/);
  });

  test('do nothing to every resource but those two readings', () => {
    const everywhere = workerRole.filter(({ Resource }) => [Resource].flat().includes('*'));
    expect(everywhere.map(({ Sid }) => Sid)).toEqual(['ReadTaskDefinitions']);
  });

  test('do no service\'s every action', () => {
    expect(workerRole.flatMap(({ Action }) => Action).filter(action => action.includes('*'))).toEqual([]);
  });

  test('run any family that Prefect names where the work pool is an existing one', () => {
    const existing = statementsOf(templateOf({ workPool: WorkPool.existing('etl') }), /WorkerRole/);
    expect(statement('StartFlowRuns', existing).Resource).toMatch(/:task-definition\/prefect\*:\*$/);
  });

  test('look for subnets only where the template is not ours, and may leave them to the worker', () => {
    const existing = statementsOf(templateOf({ workPool: WorkPool.existing('etl') }), /WorkerRole/);
    expect(statement('FindSubnetsOfTheTemplate', existing)).toMatchObject({ Action: ['ec2:DescribeVpcs', 'ec2:DescribeSubnets'], Resource: '*' });
  });

  test('run flow runs in a given cluster, by its name', () => {
    const given = newStack();
    const vpc = importedVpc(given);
    addWorker(given, { cluster: ecs.Cluster.fromClusterAttributes(given, 'Shared', { clusterName: 'shared', vpc, securityGroups: [] }) });
    const policy = statementsOf(Template.fromStack(given), /WorkerRole/);
    expect(statement('WatchAndStopFlowRuns', policy).Resource).toMatch(/:task\/shared\/\*$/);
    expect(statement('StartFlowRuns', policy).Condition.ArnEquals['ecs:cluster']).toMatch(/:cluster\/shared$/);
  });
});

describe('the execution roles', () => {
  test.each([/IdentityExecutionRole/, /FlowRunExecutionRole/])('may read the API key, write the logs and pull the copies of the images, and nothing else: %s', role => {
    const statements = statementsOf(template, role);
    expect(statements.flatMap(({ Action }) => Action).sort()).toEqual(
      ['ecr:BatchCheckLayerAvailability', 'ecr:BatchGetImage', 'ecr:GetAuthorizationToken', 'ecr:GetDownloadUrlForLayer', 'logs:CreateLogStream', 'logs:PutLogEvents', 'secretsmanager:DescribeSecret', 'secretsmanager:GetSecretValue']);
    // Docker's login has no resource.
    expect(statements.filter(({ Resource }) => Resource === '*').map(({ Action }) => Action)).toEqual(['ecr:GetAuthorizationToken']);
  });

  test('read each secret of a server that asks for several', () => {
    const own = templateOf(scope => ({ api: selfHosted(scope) }));
    for (const role of [/IdentityExecutionRole/, /FlowRunExecutionRole/]) {
      const secrets = statementsOf(own, role).filter(({ Action }) => Action.includes('secretsmanager:GetSecretValue')).map(({ Resource }) => text(Resource));
      expect(secrets).toEqual([expect.stringMatching(/AuthString/), expect.stringMatching(/Headers/)]);
    }
  });

  test('are there for the flow runs of an existing pool too', () => {
    const statements = statementsOf(templateOf({ workPool: WorkPool.existing('etl') }), /FlowRunExecutionRole/);
    expect(statements.flatMap(({ Action }) => Action)).toEqual(expect.arrayContaining(['secretsmanager:GetSecretValue', 'logs:PutLogEvents']));
  });
});

describe('flow runs', () => {
  test('may do nothing that the user did not grant', () => {
    expect(statementsOf(template, /IdentityFlowRunRole/)).toEqual([]);
  });

  test('have roles of their own in an ECS pool', () => {
    expect(new Set([worker.workerRole, worker.executionRole, worker.flowRunRole, worker.flowRunExecutionRole]).size).toBe(4);
  });

  describe('of a PROCESS worker', () => {
    const processes = newStack();
    const processWorker = addWorker(processes, { workerType: WorkerType.PROCESS });
    const own = Template.fromStack(processes);

    test('have the roles of the worker, in whose task they run', () => {
      expect(processWorker.flowRunRole).toBe(processWorker.workerRole);
      expect(processWorker.flowRunExecutionRole).toBe(processWorker.executionRole);
      expect(Object.keys(own.findResources('AWS::IAM::Role')).filter(id => /Identity/.test(id))).toHaveLength(2);
    });

    test('may call nothing of AWS before the user grants it, but to protect the tasks of its cluster from scale-in', () => {
      const ownCluster = resource(own, 'AWS::ECS::Cluster').logicalId;
      expect(text(statementsOf(own, /WorkerRole/))).toEqual([{
        Sid: 'ProtectBusyWorkers',
        Effect: 'Allow',
        Action: ['ecs:GetTaskProtection', 'ecs:UpdateTaskProtection'],
        Resource: `arn:{AWS::Partition}:ecs:{AWS::Region}:{AWS::AccountId}:task/{${ownCluster}}/*`,
        Condition: { ArnEquals: { 'ecs:cluster': `{${ownCluster}.Arn}` } },
      }]);
    });
  });
});
