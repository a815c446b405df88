import { aws_ec2 as ec2, aws_ecs as ecs, aws_iam as iam, aws_kms as kms, aws_logs as logs, aws_s3 as s3, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { PrefectFargateWorkerProps, WorkerType, WorkPool } from '../../src';
import {
  addWorker, configurationOf, container, flowRunContainer, importedVpc, newStack, resource, resources, statementsOf, templateOf, text, warnings,
  WORKER_TASK,
} from '../support/worker';

const { ECS, PROCESS } = WorkerType;
const ON = { enableExecuteCommand: true };
const TASK_ROLES = { [ECS]: [/IdentityWorkerRole/, /IdentityFlowRunRole/], [PROCESS]: [/IdentityWorkerRole/] };
const OPEN = ['ssmmessages:CreateControlChannel', 'ssmmessages:CreateDataChannel', 'ssmmessages:OpenControlChannel', 'ssmmessages:OpenDataChannel'];
const LOG = ['logs:CreateLogStream', 'logs:DescribeLogStreams', 'logs:PutLogEvents'];
const loggingTo = (group: string) => ({
  Effect: 'Allow', Action: LOG, Resource: expect.arrayContaining([expect.stringMatching(new RegExp(`^{${group}\\.Arn}$`))]),
});
/** What is of ECS Exec in a role's policies, by action. */
const permissions = (template: Template, role: RegExp) => text(statementsOf(template, role))
  .filter(({ Action, Sid }: any) => /^(ssmmessages:|s3:)/.test([Action].flat()[0]) || /Session/.test(Sid) || Action === 'kms:Decrypt' || Action.includes('logs:DescribeLogStreams'))
  // Newer versions of the CDK name a log group twice.
  .map((statement: any) => statement.Action.includes('logs:DescribeLogStreams') ? { ...statement, Resource: [statement.Resource].flat() } : statement);

describe.each([ECS, PROCESS])('%s: without enableExecuteCommand', workerType => {
  const template = templateOf({ workerType });

  test('nothing is open, and no permission, endpoint, log group or volume is there for it', () => {
    const everything = JSON.stringify(template.toJSON());
    expect(everything).not.toMatch(/ssmmessages|xecuteCommand|execute-command|SsmMessages|KmsEndpoint|ClusterSessionLogs/);
  });
});

describe.each([ECS, PROCESS])('%s: with enableExecuteCommand', workerType => {
  const template = templateOf({ ...ON, workerType });
  const key = resource(template, 'AWS::KMS::Key').logicalId;
  const sessions = resource(template, 'AWS::Logs::LogGroup', /ClusterSessionLogs/);

  test('the service starts tasks that can be looked into', () => {
    expect(resource(template, 'AWS::ECS::Service').Properties.EnableExecuteCommand).toBe(true);
  });

  test('sessions are encrypted with the worker\'s key, and logged to a group of their own, which is encrypted and has an end', () => {
    expect(text(resource(template, 'AWS::ECS::Cluster').Properties.Configuration)).toEqual({
      ExecuteCommandConfiguration: {
        KmsKeyId: `{${key}.Arn}`,
        Logging: 'OVERRIDE',
        LogConfiguration: { CloudWatchLogGroupName: `{${sessions.logicalId}}`, CloudWatchEncryptionEnabled: true },
      },
    });
    expect(text(sessions.Properties)).toMatchObject({ KmsKeyId: `{${key}.Arn}`, RetentionInDays: 30 });
  });

  test.each(TASK_ROLES[workerType])('the agent may open a channel, decrypt, and log the session, and no more: %s', role => {
    expect(permissions(template, role)).toEqual(expect.arrayContaining([
      { Sid: 'OpenSessions', Effect: 'Allow', Action: OPEN, Resource: '*' },
      { Effect: 'Allow', Action: 'kms:Decrypt', Resource: `{${key}.Arn}` },
      { Sid: 'FindSessionLogs', Effect: 'Allow', Action: 'logs:DescribeLogGroups', Resource: '*' },
      loggingTo(sessions.logicalId),
    ]));
  });

  test('the execution roles get nothing of it', () => {
    for (const role of workerType === ECS ? [/IdentityExecutionRole/, /FlowRunExecutionRole/] : [/IdentityExecutionRole/]) expect(permissions(template, role)).toEqual([]);
  });

  test('its endpoints are in the network, where tasks have no other way', () => {
    const services = resources(template, 'AWS::EC2::VPCEndpoint').map(({ Properties }) => text(Properties.ServiceName).split('.').pop());
    expect(services).toEqual(expect.arrayContaining(['ssmmessages', 'kms']));
  });

  test('a warning asks to leave it out in production, which can be acknowledged', () => {
    const stack = newStack();
    addWorker(stack, { ...ON, workerType });
    expect(warnings(stack, 'enableExecuteCommand')).toEqual([expect.stringContaining('be root in the containers of workers and flow runs')]);
  });

  test('what a session leaves behind is reaped', () => {
    expect(container(template).LinuxParameters.InitProcessEnabled).toBe(true);
  });
});

describe('the containers of an ECS pool', () => {
  test('the worker\'s root file system stays read-only, and the agent writes to volumes', () => {
    const template = templateOf(ON);
    const worker = container(template);
    expect(worker).toMatchObject({ ReadonlyRootFilesystem: true, User: '1000:1000' });
    const volumes = resource(template, 'AWS::ECS::TaskDefinition', WORKER_TASK).Properties.Volumes.map(({ Name }: any) => Name);
    expect(worker.MountPoints.map(({ ContainerPath }: any) => ContainerPath)).toEqual(['/managed-agents', '/var/lib/amazon/ssm', '/var/log/amazon/ssm']);
    for (const { SourceVolume, ReadOnly } of worker.MountPoints) expect([volumes, ReadOnly]).toEqual([expect.arrayContaining([SourceVolume]), false]);
  });

  test('so they do beside a /tmp on a volume', () => {
    expect(container(templateOf({ ...ON, tmpfs: false })).MountPoints.map(({ ContainerPath }: any) => ContainerPath)).toEqual(expect.arrayContaining(['/tmp', '/var/lib/amazon/ssm']));
  });

  test('the pool\'s template has each flow run started so, with an init process', () => {
    const template = templateOf(ON);
    expect(configurationOf(template).template.taskRunRequest).toEqual({ enableExecuteCommand: true });
    expect(flowRunContainer(template).linuxParameters).toEqual(expect.objectContaining({ initProcessEnabled: true }));
    expect(flowRunContainer(templateOf()).linuxParameters).toBeUndefined();
  });

  test('a debugger may be let in, by what an L2 container offers', () => {
    const stack = newStack();
    addWorker(stack, ON).flowRunContainer.linuxParameters!.addCapabilities(ecs.Capability.SYS_PTRACE);
    expect(flowRunContainer(Template.fromStack(stack)).linuxParameters.capabilities).toEqual({ add: ['SYS_PTRACE'] });
  });
});

describe('in a cluster of your own', () => {
  const inCluster = (cluster: (stack: Stack, vpc: ec2.IVpc) => ecs.ICluster, props: Partial<PrefectFargateWorkerProps> = {}) => {
    const stack = newStack();
    const vpc = importedVpc(stack);
    addWorker(stack, { ...ON, cluster: cluster(stack, vpc), ...props });
    return Template.fromStack(stack);
  };

  test('sessions are as it says, with its key, log group and bucket', () => {
    const template = inCluster((stack, vpc) => new ecs.Cluster(stack, 'Own', {
      vpc,
      executeCommandConfiguration: {
        kmsKey: new kms.Key(stack, 'SessionKey'),
        logging: ecs.ExecuteCommandLogging.OVERRIDE,
        logConfiguration: { cloudWatchLogGroup: new logs.LogGroup(stack, 'Said'), s3Bucket: new s3.Bucket(stack, 'Kept') },
      },
    }));
    expect(Object.keys(template.findResources('AWS::Logs::LogGroup')).filter(id => /Sessions/.test(id))).toEqual([]);
    for (const role of TASK_ROLES[ECS]) {
      const statements = permissions(template, role);
      expect(statements).toContainEqual({ Effect: 'Allow', Action: 'kms:Decrypt', Resource: expect.stringMatching(/^{SessionKey/) });
      expect(statements).toContainEqual(loggingTo('Said\\w+'));
      expect(statements).toContainEqual(expect.objectContaining({ Action: expect.arrayContaining(['s3:PutObject']), Resource: expect.stringMatching(/^{Kept\w+\.Arn}\/\*$/) }));
      expect(statements).toContainEqual({ Sid: 'LookAtSessionBucket', Effect: 'Allow', Action: ['s3:GetBucketLocation', 's3:GetEncryptionConfiguration'], Resource: expect.stringMatching(/^{Kept\w+\.Arn}$/) });
    }
  });

  test('they go where the containers log, where nothing is known of it', () => {
    const template = inCluster((stack, vpc) => ecs.Cluster.fromClusterAttributes(stack, 'Own', { clusterName: 'own', vpc, securityGroups: [] }));
    for (const role of TASK_ROLES[ECS]) {
      expect(permissions(template, role)).toContainEqual(loggingTo('WorkerTaskLogs\\w+'));
    }
  });

  test('and nowhere, where it says so', () => {
    const template = inCluster((stack, vpc) => new ecs.Cluster(stack, 'Own', { vpc, executeCommandConfiguration: { logging: ecs.ExecuteCommandLogging.NONE } }));
    expect(permissions(template, /IdentityFlowRunRole/).map(({ Sid }: any) => Sid)).toEqual(['OpenSessions']);
  });
});

test('roles that take nothing are told of it', () => {
  const stack = newStack();
  addWorker(stack, { ...ON, flowRunRole: iam.Role.fromRoleArn(stack, 'Theirs', 'arn:aws:iam::111122223333:role/theirs', { mutable: false }) });
  expect(warnings(stack, 'is not changed by this app')[0]).toContain('ssmmessages:OpenDataChannel');
});

test('a pool that is not managed has a template of its own, and gets the permissions', () => {
  const template = templateOf({ ...ON, workPool: WorkPool.existing('etl') });
  expect(permissions(template, /IdentityFlowRunRole/).map(({ Sid }: any) => Sid)).toContain('OpenSessions');
});
