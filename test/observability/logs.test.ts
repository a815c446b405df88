import { aws_s3 as s3, Duration } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { LogArchiveOptions, WorkerType } from '../../src';
import { addWorker, configurationOf, container, newStack, resource, resources, statementsOf, templateOf, text } from '../support/worker';

const template = templateOf();
const variable = (name: string, from = template) => container(from).Environment.find(({ Name }: any) => Name === name)?.Value;
const workersLogs = { Ref: resource(template, 'AWS::Logs::LogGroup', /TaskLogs/).logicalId };

describe('workers and flow runs', () => {
  test('log JSON', () => {
    expect(variable('PREFECT_LOGGING_HANDLERS_CONSOLE_FORMATTER')).toBe('json');
    expect(configurationOf(template).template.environment).toMatchObject({ PREFECT_LOGGING_HANDLERS_CONSOLE_FORMATTER: 'json' });
  });

  test('log otherwise where you say so', () => {
    const own = templateOf({ workerType: WorkerType.PROCESS, environment: { PREFECT_LOGGING_HANDLERS_CONSOLE_FORMATTER: 'standard' } });
    expect(variable('PREFECT_LOGGING_HANDLERS_CONSOLE_FORMATTER', own)).toBe('standard');
  });
});

describe('saved queries', () => {
  const queries = resources(template, 'AWS::Logs::QueryDefinition').map(({ Properties }) => Properties);

  test('are in a folder of the stack, over the logs of its workers, and of what is told of costs', () => {
    expect(queries.map(({ Name }) => Name)).toEqual(['errors', 'slow starts', 'a run by id (put it in place of the zeros)', 'crashed tasks', 'costs by deployment']
      .map(title => expect.stringMatching(new RegExp(`^prefect/Stack/${title.replace(/[()]/g, '\\$&')}$`))));
    for (const { Name, LogGroupNames } of queries) expect(LogGroupNames).toEqual([Name.endsWith('/costs by deployment') ? { Ref: expect.stringMatching(/RescueLogs/) } : workersLogs]);
  });

  test.each(queries.map(({ Name, QueryString }) => [Name.split('/').pop(), QueryString]))('%s is made of commands that Logs Insights has', (_, query) => {
    for (const line of query.split('\n| ')) expect(line).toMatch(/^(fields|filter|stats|sort|limit) \S/);
  });
});

describe('logged errors', () => {
  test('are counted by level, in a namespace of the worker', () => {
    const { Properties } = resource(template, 'AWS::Logs::MetricFilter', /Errors/);
    expect(Properties.LogGroupName).toEqual(workersLogs);
    expect(Properties.FilterPattern).toBe('{ ($.levelname = "ERROR") || ($.levelname = "CRITICAL") }');
    expect(Properties.MetricTransformations).toEqual([expect.objectContaining({ MetricName: 'LoggedErrors', MetricNamespace: expect.stringMatching(/^PrefectFargateWorker\/StackWorker/) })]);
  });
});

describe('the archive', () => {
  const archived = templateOf({ observability: { logArchive: {} } });
  const stream = resource(archived, 'AWS::KinesisFirehose::DeliveryStream').Properties;

  test('gets all that workers and flow runs log, by Firehose', () => {
    const { Properties } = resource(archived, 'AWS::Logs::SubscriptionFilter');
    expect(Properties.LogGroupName).toEqual(workersLogs);
    expect(Properties.FilterPattern).toBe('');
    expect(text(Properties.DestinationArn)).toMatch(/^\{\w*LogArchiveStream\w+\.Arn\}$/);
    expect(statementsOf(archived, /LogArchiveSenderRole/).map(({ Action }) => Action)).toEqual([['firehose:PutRecord', 'firehose:PutRecordBatch']]);
  });

  test('is written to and not deleted from', () => {
    const actions = statementsOf(archived, /LogArchiveWriterRole/).flatMap(({ Action }) => Action).filter(action => action.startsWith('s3:'));
    expect(actions).toEqual(['s3:PutObject', 's3:GetObject', 's3:AbortMultipartUpload', 's3:GetBucketLocation', 's3:ListBucket', 's3:ListBucketMultipartUploads']);
  });

  test('has its subscription only when its role may write', () => {
    const policies = Object.keys(archived.findResources('AWS::IAM::Policy')).filter(id => /LogArchiveSenderRole/.test(id));
    expect(resource(archived, 'AWS::Logs::SubscriptionFilter').DependsOn).toEqual(expect.arrayContaining(policies));
  });

  test('is encrypted on its way and in the bucket, with a key that stays as the bucket does', () => {
    expect(stream.DeliveryStreamEncryptionConfigurationInput).toMatchObject({ KeyType: 'CUSTOMER_MANAGED_CMK' });
    const all = archived.toJSON().Resources;
    const [bucketId, bucket] = Object.entries<any>(all).find(([, { Type }]) => Type === 'AWS::S3::Bucket')!;
    const [{ ServerSideEncryptionByDefault: { KMSMasterKeyID } }] = bucket.Properties.BucketEncryption.ServerSideEncryptionConfiguration;
    const keyId = KMSMasterKeyID['Fn::GetAtt'][0];
    expect([all[bucketId].DeletionPolicy, all[keyId].DeletionPolicy]).toEqual(['Retain', 'Retain']);
    expect(keyId).toMatch(/LogArchiveKey/);
  });

  test('lets nobody in, cools down after 30 days and goes after a year', () => {
    const { PublicAccessBlockConfiguration, LifecycleConfiguration: { Rules: [rule] } } = resource(archived, 'AWS::S3::Bucket').Properties;
    expect(Object.values(PublicAccessBlockConfiguration)).toEqual([true, true, true, true]);
    expect(rule.Transitions).toEqual([{ StorageClass: 'GLACIER_IR', TransitionInDays: 30 }]);
    expect(rule.ExpirationInDays).toBe(365);
  });

  test('stays as long as you say', () => {
    const own = templateOf({ observability: { logArchive: { expiration: Duration.days(2555) } } });
    expect(resource(own, 'AWS::S3::Bucket').Properties.LifecycleConfiguration.Rules[0].ExpirationInDays).toBe(2555);
  });

  test('goes to a bucket of yours', () => {
    const stack = newStack();
    addWorker(stack, { observability: { logArchive: { bucket: s3.Bucket.fromBucketName(stack, 'Logs', 'central-logs') } } });
    const own = Template.fromStack(stack);
    own.resourceCountIs('AWS::S3::Bucket', 0);
    expect(text(resource(own, 'AWS::KinesisFirehose::DeliveryStream').Properties.ExtendedS3DestinationConfiguration.BucketARN)).toBe('arn:{AWS::Partition}:s3:::central-logs');
  });

  test.each<[(stack: any) => LogArchiveOptions, string]>([
    [() => ({ expiration: Duration.days(30) }), 'observability.logArchive.expiration is "Duration.days(30)": give more than 30 days; for less, logRetention is enough.'],
    [stack => ({ expiration: Duration.days(90), bucket: s3.Bucket.fromBucketName(stack, 'Logs', 'central-logs') }),
      'observability.logArchive.expiration is "Duration.days(90)": it is the life cycle of a bucket that is created; remove it, or remove bucket.'],
  ])('is refused where it can not be (%#)', (logArchive, message) => {
    const stack = newStack();
    expect(() => addWorker(stack, { observability: { logArchive: logArchive(stack) } })).toThrow(message);
  });
});

test('logs go to another account\'s destination as well', () => {
  const destination = 'arn:aws:logs:eu-central-1:999999999999:destination:central';
  const own = templateOf({ observability: { logDestinationArn: destination, logArchive: {} } });
  const arns = resources(own, 'AWS::Logs::SubscriptionFilter').map(({ Properties: { DestinationArn, RoleArn } }) => [text(DestinationArn), RoleArn === undefined]);
  expect(arns).toContainEqual([destination, true]);
  expect(arns).toHaveLength(2);
});
