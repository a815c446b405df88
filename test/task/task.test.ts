import { spawnSync } from 'node:child_process';
import { chmod, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { aws_ecr as ecr, aws_ecs as ecs, aws_kms as kms, aws_logs as logs, aws_secretsmanager as secretsmanager } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { PrefectApi, WorkerType } from '../../src';
import {
  addWorker, CERTIFICATE, cloud, container, newStack, resource, resources, selfHosted, statementsOf, templateOf, text, warnings, WORKER_TASK,
} from '../support/worker';

const { ECS, PROCESS } = WorkerType;
const ecsTemplate = templateOf();
const processTemplate = templateOf({ workerType: PROCESS });
const both: [string, Template][] = [['ECS', ecsTemplate], ['PROCESS', processTemplate]];

const variables = (template: Template) => Object.fromEntries(container(template).Environment.map(({ Name, Value }: any) => [Name, text(Value)]));
const secrets = (template: Template) =>
  Object.fromEntries((container(template).Secrets ?? []).map(({ Name, ValueFrom }: any) => [Name, text(ValueFrom)]));

/** The image that a container's is a copy of. */
function copiedImage(template: Template, { Image }: any): string {
  const [, copy] = /{(\w+)\.Tag}$/.exec(text(Image))!;
  return template.findResources('Custom::ImageCopy')[copy].Properties.Image;
}

describe.each(both)('the container of a worker of the type %s', (_, template) => {
  const worker = container(template);

  test('is the only one, and essential', () => {
    expect(resource(template, 'AWS::ECS::TaskDefinition', WORKER_TASK).Properties.ContainerDefinitions).toHaveLength(1);
    expect(worker.Essential).toBe(true);
  });

  test('asks the worker\'s health server from inside', () => {
    expect(worker.HealthCheck).toMatchObject({ Interval: 10, Timeout: 10, Retries: 3, StartPeriod: 120 });
    expect(worker.HealthCheck.Command.slice(0, 3)).toEqual(['CMD', 'python', '-c']);
    expect(worker.HealthCheck.Command[3]).toContain('/health');
    expect(variables(template)).toMatchObject({ PREFECT_WORKER_WEBSERVER_HOST: '127.0.0.1', PREFECT_WORKER_WEBSERVER_PORT: '8080' });
    expect(worker.PortMappings).toBeUndefined();
  });

  test('tries again when a gateway has no answer of the API in time, or the server no connection to its database', () => {
    expect(variables(template)).toMatchObject({ PREFECT_CLIENT_RETRY_EXTRA_CODES: '500,504' });
  });

  test('has two minutes to stop, and an init process that hands signals on', () => {
    expect(worker.StopTimeout).toBe(120);
    expect(worker.LinuxParameters.InitProcessEnabled).toBe(true);
  });

  test('writes to the encrypted log group of the worker, which is kept for 30 days', () => {
    const group = resource(template, 'AWS::Logs::LogGroup', /WorkerTaskLogs/);
    expect(worker.LogConfiguration).toMatchObject({ LogDriver: 'awslogs', Options: { 'awslogs-group': { Ref: group.logicalId } } });
    expect(text(group.Properties)).toEqual({ RetentionInDays: 30, KmsKeyId: `{${resource(template, 'AWS::KMS::Key').logicalId}.Arn}` });
  });

  test('runs an image at an exact version', () => {
    expect(copiedImage(template, worker)).toMatch(/^prefecthq\/prefect(-aws)?:\d+\.\d+\.\d+-python3\.\d+(-prefect\d+\.\d+\.\d+)?$/);
  });

  test('has the API\'s address as a variable and the key only as a reference', () => {
    expect(variables(template).PREFECT_API_URL).toMatch(/^https:\/\/api\.prefect\.cloud\/api\/accounts\/1{8}-.*\/workspaces\/6{8}-/);
    expect(secrets(template)).toEqual({ PREFECT_API_KEY: '{ApiKeyF9DDEE66}' });
    expect(variables(template)).not.toHaveProperty('PREFECT_API_KEY');
  });
});

describe('an ECS worker', () => {
  const worker = container(ecsTemplate);

  test('runs without rights on a root file system that it can not write to, with a small /tmp', () => {
    expect(worker).toMatchObject({ User: '1000:1000', ReadonlyRootFilesystem: true });
    expect(worker.LinuxParameters.Tmpfs).toEqual([{ ContainerPath: '/tmp', Size: 64, MountOptions: ['rw', 'nosuid', 'nodev'] }]);
    expect(variables(ecsTemplate)).toMatchObject({ HOME: '/tmp', PREFECT_HOME: '/tmp/.prefect' });
  });

  describe('without tmpfs', () => {
    const template = templateOf({ tmpfs: false });
    const confined = container(template);
    const opener = container(template, 'tmp');

    test('is confined all the same, with a volume as its /tmp', () => {
      expect(confined).toMatchObject({ User: '1000:1000', ReadonlyRootFilesystem: true });
      expect(confined.LinuxParameters.Tmpfs).toBeUndefined();
      expect(confined.MountPoints).toEqual([{ ContainerPath: '/tmp', ReadOnly: false, SourceVolume: 'tmp' }]);
      expect(resource(template, 'AWS::ECS::TaskDefinition', WORKER_TASK).Properties.Volumes).toEqual([{ Name: 'tmp' }]);
      expect(variables(template)).toMatchObject({ HOME: '/tmp', PREFECT_HOME: '/tmp/.prefect' });
    });

    test('starts once a container has opened the volume, which ECS gives to root', () => {
      expect(confined.DependsOn).toEqual([{ ContainerName: 'tmp', Condition: 'SUCCESS' }]);
      expect(opener).toMatchObject({ Essential: false, User: 'root', ReadonlyRootFilesystem: true, Image: confined.Image, MountPoints: confined.MountPoints });
    });

    test('can write there: the program opens the directory to all', async () => {
      const directory = await mkdtemp(join(tmpdir(), 'tmp-'));
      await chmod(directory, 0o755);
      const [, , program] = opener.Command;
      spawnSync('python3', ['-c', program.replace('"/tmp"', JSON.stringify(directory))]);
      expect(((await stat(directory)).mode % 0o10000).toString(8)).toBe('1777');
      await rm(directory, { recursive: true });
    });

    test('is refused for a PROCESS worker, which has none', () => {
      expect(() => templateOf({ workerType: PROCESS, tmpfs: false })).toThrow('tmpfs is false: a PROCESS worker has the file system of its image, and no tmpfs; remove it.');
    });
  });

  test('runs the image that has prefect-aws', () => {
    expect(copiedImage(ecsTemplate, worker)).toMatch(/^prefecthq\/prefect-aws:/);
  });

  test('knows its event queue', () => {
    expect(variables(ecsTemplate).PREFECT_INTEGRATIONS_AWS_ECS_OBSERVER_SQS_QUEUE_NAME).toBe(`{${resource(ecsTemplate, 'AWS::SQS::Queue', /EventsQueue/).logicalId}.QueueName}`);
  });
});

describe('a PROCESS worker', () => {
  test('has the user and the file system of its image, because flows install and write there', () => {
    const worker = container(processTemplate);
    expect(worker.User).toBeUndefined();
    expect(worker.ReadonlyRootFilesystem).toBeUndefined();
    expect(worker.LinuxParameters.Tmpfs).toBeUndefined();
    expect(variables(processTemplate)).not.toHaveProperty('HOME');
  });

  test('runs the plain image of Prefect and watches no queue', () => {
    expect(copiedImage(processTemplate, container(processTemplate))).toMatch(/^prefecthq\/prefect:/);
    expect(variables(processTemplate)).not.toHaveProperty('PREFECT_INTEGRATIONS_AWS_ECS_OBSERVER_SQS_QUEUE_NAME');
    processTemplate.resourceCountIs('AWS::SQS::Queue', 0);
  });
});

describe('the worker\'s own choice of', () => {
  test('image is used, with the right to pull it', () => {
    const template = templateOf(stack => ({ image: ecs.ContainerImage.fromEcrRepository(new ecr.Repository(stack, 'Images'), '1.2.3') }));
    expect(text(container(template).Image)).toMatch(/Images.*:1\.2\.3$/);
    expect(statementsOf(template, /IdentityExecutionRole/).flatMap(({ Action }) => Action)).toContain('ecr:BatchGetImage');
  });

  test('architecture is the task\'s', () => {
    expect(resource(ecsTemplate, 'AWS::ECS::TaskDefinition', WORKER_TASK).Properties.RuntimePlatform).toEqual({ CpuArchitecture: 'X86_64', OperatingSystemFamily: 'LINUX' });
    const arm = templateOf({ cpuArchitecture: ecs.CpuArchitecture.ARM64 });
    expect(resource(arm, 'AWS::ECS::TaskDefinition', WORKER_TASK).Properties.RuntimePlatform).toEqual({ CpuArchitecture: 'ARM64', OperatingSystemFamily: 'LINUX' });
  });

  test('environment and secrets is there beside the worker\'s', () => {
    const template = templateOf(stack => ({
      environment: { PREFECT_LOGGING_LEVEL: 'DEBUG' },
      secrets: { DB_PASSWORD: ecs.Secret.fromSecretsManager(new secretsmanager.Secret(stack, 'Db'), 'password') },
    }));
    expect(variables(template)).toMatchObject({ PREFECT_LOGGING_LEVEL: 'DEBUG', PREFECT_WORKER_WEBSERVER_PORT: '8080' });
    expect(secrets(template)).toEqual({ DB_PASSWORD: expect.stringMatching(/^\{Db\w+\}:password::$/), PREFECT_API_KEY: '{ApiKeyF9DDEE66}' });
    expect(statementsOf(template, /IdentityExecutionRole/).map(({ Resource }) => text(Resource))).toContainEqual(expect.stringMatching(/^\{Db/));
  });

  test('retention and key is that of all its log groups and queues', () => {
    const template = templateOf(stack => ({ observability: { logRetention: logs.RetentionDays.ONE_WEEK }, encryptionKey: new kms.Key(stack, 'Mine') }));
    const mine = resource(template, 'AWS::KMS::Key', /^Mine/);
    const groups = resources(template, 'AWS::Logs::LogGroup').map(({ Properties }) => text(Properties));
    expect(groups.length).toBeGreaterThan(2);
    for (const group of groups) expect(group).toEqual({ RetentionInDays: 7, KmsKeyId: `{${mine.logicalId}.Arn}` });
    for (const { Properties } of resources(template, 'AWS::SQS::Queue')) expect(text(Properties.KmsMasterKeyId)).toBe(`{${mine.logicalId}.Arn}`);
  });
});

describe('the key that is made', () => {
  const { Properties } = resource(ecsTemplate, 'AWS::KMS::Key');
  const statement = text(Properties.KeyPolicy.Statement.find(({ Sid }: any) => Sid === 'CloudWatchLogs'));

  test('rotates', () => {
    expect(Properties.EnableKeyRotation).toBe(true);
  });

  test('lets CloudWatch Logs encrypt log groups of this account and region, without which no group can be made', () => {
    expect(statement).toMatchObject({
      Principal: { Service: 'logs.{AWS::Region}.{AWS::URLSuffix}' },
      Action: expect.arrayContaining(['kms:Encrypt', 'kms:Decrypt', 'kms:GenerateDataKey*', 'kms:DescribeKey']),
      Condition: { ArnLike: { 'kms:EncryptionContext:aws:logs:arn': 'arn:{AWS::Partition}:logs:{AWS::Region}:{AWS::AccountId}:log-group:*' } },
    });
  });

  test('that is imported brings each statement that its policy needs', () => {
    const stack = newStack();
    addWorker(stack, { encryptionKey: kms.Key.fromKeyArn(stack, 'Imported', 'arn:aws:kms:us-east-1:123456789012:key/1') });
    const wanted = (sid: string) => warnings(stack, `imported.key.${sid}`).map(warning => JSON.parse(/\{.*\}/.exec(warning)![0]));
    expect(wanted('CloudWatchLogs')).toEqual([expect.objectContaining({
      Principal: { Service: 'logs.${AWS::Region}.${AWS::URLSuffix}' },
      Condition: { ArnLike: { 'kms:EncryptionContext:aws:logs:arn': 'arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:*' } },
    })]);
    expect(wanted('AlarmTopic')).toEqual([expect.objectContaining({ Action: ['kms:Decrypt', 'kms:GenerateDataKey'] })]);
    expect(wanted('TaskStateChanges')).toEqual([expect.objectContaining({ Principal: { Service: 'events.amazonaws.com' } })]);
    expect(warnings(stack, 'imported')).toHaveLength(3);
  });

  test('has no statement twice where two workers share one', () => {
    const stack = newStack();
    const encryptionKey = new kms.Key(stack, 'Shared');
    addWorker(stack, { encryptionKey }, 'One');
    addWorker(stack, { encryptionKey, workerType: PROCESS, api: PrefectApi.selfHosted({ url: 'https://other.example.com/api' }) }, 'Two');
    const sids = resource(Template.fromStack(stack), 'AWS::KMS::Key').Properties.KeyPolicy.Statement.map(({ Sid }: any) => Sid).filter(Boolean);
    expect(sids).toEqual([...new Set(sids)]);
  });
});

describe('the credentials of the API', () => {
  test('come from a field of the secret where one is named', () => {
    expect(secrets(templateOf(stack => ({ api: cloud(stack, 'key') })))).toEqual({ PREFECT_API_KEY: '{ApiKeyF9DDEE66}:key::' });
  });

  test('are none for a server that asks for none', () => {
    expect(secrets(templateOf({ api: PrefectApi.selfHosted({ url: 'https://prefect.example.com/api' }) }))).toEqual({});
  });

  test.each([ECS, PROCESS])('are the authentication string and the headers of a server of your own (%s)', workerType => {
    expect(secrets(templateOf(stack => ({ workerType, api: selfHosted(stack) })))).toEqual({
      PREFECT_API_AUTH_STRING: expect.stringMatching(/^\{AuthString\w+\}:auth::$/),
      PREFECT_CLIENT_CUSTOM_HEADERS: expect.stringMatching(/^\{Headers\w+\}$/),
    });
  });
});

describe('a certificate authority of your own', () => {
  const template = templateOf(stack => ({ api: selfHosted(stack) }));
  const writer = container(template, 'ca-certificate');

  test('is written to a file before the worker starts', () => {
    expect(writer).toMatchObject({ Essential: false, Environment: [{ Name: 'CA_CERTIFICATE', Value: CERTIFICATE }], Image: container(template).Image });
    expect(writer.Command.slice(0, 2)).toEqual(['python', '-c']);
    expect(writer.Command[2]).toContain('/prefect-tls/ca.pem');
    expect(container(template).DependsOn).toEqual([{ ContainerName: 'ca-certificate', Condition: 'SUCCESS' }]);
  });

  test('is what the worker trusts, and can not change', () => {
    expect(variables(template).PREFECT_API_SSL_CERT_FILE).toBe('/prefect-tls/ca.pem');
    expect(container(template).MountPoints).toEqual([{ ContainerPath: '/prefect-tls', ReadOnly: true, SourceVolume: 'prefect-tls' }]);
    expect(writer.MountPoints).toEqual([{ ContainerPath: '/prefect-tls', ReadOnly: false, SourceVolume: 'prefect-tls' }]);
  });

  test('is written by root, to whom ECS gives the mounted directory, whatever the image\'s user is', () => {
    expect(writer.User).toMatch(/^(0|root)(:|$)/);
  });

  test('is not there for a public authority', () => {
    expect(resource(ecsTemplate, 'AWS::ECS::TaskDefinition', WORKER_TASK).Properties.Volumes).toBeUndefined();
    expect(variables(ecsTemplate)).not.toHaveProperty('PREFECT_API_SSL_CERT_FILE');
  });
});
