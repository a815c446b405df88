import { aws_ecs as ecs, aws_iam as iam, aws_kms as kms, aws_s3 as s3, Duration, Lazy } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Results, WorkerType, WorkPool } from '../../src';
import { addWorker, configurationOf, container, flowRunContainer, newSecret, newStack, resource, resources, statementsOf, templateOf, text, warnings } from '../support/worker';

const { PROCESS } = WorkerType;
const template = templateOf({ results: Results.managed() });
const processes = templateOf({ results: Results.managed(), workerType: PROCESS });
const bucket = resource(template, 'AWS::S3::Bucket');
const key = resource(template, 'AWS::KMS::Key').logicalId;
/** A worker's folder, and the name of its block, which is another one in each deployed stack. */
const FOLDER = /^prefect-results\/Stack-Worker-[0-9A-F]{8}$/;
const BLOCK = /^results-of-stack-worker-[0-9a-f]{8}-/;
const ofResults = (statements: any[]) => text(statements.filter(({ Action }) => [Action].flat().some(action => action.startsWith('s3:') || action === 'kms:GenerateDataKey')));

describe('the bucket that is created', () => {
  test('is encrypted with the worker\'s key, shows nothing to the public, and is reached over TLS only', () => {
    expect(text(bucket.Properties)).toMatchObject({
      BucketEncryption: {
        ServerSideEncryptionConfiguration: [{
          BucketKeyEnabled: true, ServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms', KMSMasterKeyID: `{${key}.Arn}` },
        }],
      },
      PublicAccessBlockConfiguration: { BlockPublicAcls: true, BlockPublicPolicy: true, IgnorePublicAcls: true, RestrictPublicBuckets: true },
    });
    expect(text(resource(template, 'AWS::S3::BucketPolicy').Properties.PolicyDocument.Statement)).toEqual([
      expect.objectContaining({ Effect: 'Deny', Action: 's3:*', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
    ]);
  });

  test.each([[Results.managed(), 30], [Results.managed({ expiration: Duration.days(7) }), 7]])('forgets what is older: %#', (results, days) => {
    const [rule] = resource(templateOf({ results }), 'AWS::S3::Bucket').Properties.LifecycleConfiguration.Rules;
    expect(rule).toMatchObject({ Status: 'Enabled', ExpirationInDays: days, NoncurrentVersionExpiration: { NoncurrentDays: 1 } });
    expect(rule).not.toHaveProperty('Prefix');
  });

  test('stays when the stack is deleted, as one that is not empty would keep it from that', () => {
    expect(bucket).toMatchObject({ DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' });
  });

  test('adds two resources, as the role of flow runs gets a policy in the place of one image more', () => {
    const count = (of: Template) => Object.keys(of.toJSON().Resources).length;
    expect(count(template) - count(templateOf())).toBe(2);
    expect(count(processes) - count(templateOf({ workerType: PROCESS }))).toBe(2);
  });
});

describe('flow runs', () => {
  test.each([
    ['of an ECS pool', configurationOf(template).template.environment],
    ['of a PROCESS worker', Object.fromEntries(container(processes).Environment.map(({ Name, Value }: any) => [Name, text(Value)]))],
  ])('%s have Prefect keep results in the block that the pool\'s function makes', (_, environment) => {
    expect(environment.PREFECT_RESULTS_PERSIST_BY_DEFAULT).toBe('true');
    expect(environment.PREFECT_RESULTS_DEFAULT_STORAGE_BLOCK.replace(/^s3-bucket\//, '')).toMatch(BLOCK);
  });

  test('of an ECS pool have it, and its workers, which are of another image and role, don\'t', () => {
    expect(container(template).Environment.map(({ Name }: any) => Name)).not.toContain('PREFECT_RESULTS_DEFAULT_STORAGE_BLOCK');
  });

  test.each([['ECS', template], ['PROCESS', processes]])('of %s workers are of the official image with prefect-aws', (_, of) => {
    const image = of === template ? configurationOf(of).template.variables.image : text(container(of).Image);
    expect(image).toMatch(/PrefectImagesprefectawsamd64\w+\.Tag}$/);
  });

  test('say where in their own environment, and it counts', () => {
    const own = { PREFECT_RESULTS_DEFAULT_STORAGE_BLOCK: 'gcs-bucket/mine' };
    const { environment } = configurationOf(templateOf({ results: Results.managed(), workPool: WorkPool.managed('etl', { flowRunDefaults: { environment: own } }) })).template;
    expect(environment).toMatchObject(own);
  });

  test('say where in a secret of their own, and ECS is told the name once', () => {
    const name = 'PREFECT_RESULTS_DEFAULT_STORAGE_BLOCK';
    const of = templateOf(stack => ({
      results: Results.managed(), workPool: WorkPool.managed('etl', { flowRunDefaults: { secrets: { [name]: newSecret(stack, 'Own') } } }),
    }));
    expect(flowRunContainer(of).secrets).toEqual([expect.objectContaining({ name })]);
    expect(configurationOf(of).template.environment[name]).toBeNull();
  });
});

test('the pool\'s function is told the block, the bucket and the worker\'s folder in it', () => {
  const { results } = configurationOf(template);
  expect(results).toEqual({ block: expect.stringMatching(BLOCK), bucket: `{${bucket.logicalId}}`, folder: expect.stringMatching(FOLDER) });
  expect(JSON.stringify(resource(template, 'Custom::PrefectWorkPool').Properties.Configuration)).toContain('{"Fn::Select":[2,{"Fn::Split":["/",{"Ref":"AWS::StackId"}]}]}');
});

describe('permissions', () => {
  const objects = `{${bucket.logicalId}.Arn}/${configurationOf(template).results.folder}/*`;
  const permissions = [
    { Effect: 'Allow', Action: ['s3:GetObject', 's3:PutObject', 's3:AbortMultipartUpload'], Resource: objects },
    {
      Effect: 'Allow',
      Action: ['kms:Decrypt', 'kms:GenerateDataKey'],
      Resource: `{${key}.Arn}`,
      Condition: {
        StringEquals: { 'kms:ViaService': 's3.{AWS::Region}.{AWS::URLSuffix}' },
        StringLike: { 'kms:EncryptionContext:aws:s3:arn': [`{${bucket.logicalId}.Arn}`, objects] },
      },
    },
  ];

  test('of flow runs reach their worker\'s folder, and the key for that bucket only', () => {
    expect(ofResults(statementsOf(template, /FlowRunRole/))).toEqual(permissions);
  });

  test('of a PROCESS worker, whose flow runs have its role, are the same', () => {
    expect(ofResults(statementsOf(processes, /WorkerRole/))).toEqual(permissions);
  });

  test('are nobody else\'s', () => {
    const { logicalId } = resource(template, 'AWS::IAM::Role', /FlowRunRole/);
    const others = resources(template, 'AWS::IAM::Policy').filter(({ Properties }) => !Properties.Roles.some(({ Ref }: any) => Ref === logicalId));
    expect(others.flatMap(({ Properties }) => Properties.PolicyDocument.Statement).flatMap(({ Action }) => Action).filter(action => /^s3:/.test(action))).toEqual([]);
  });

  test('are a deployment\'s own role\'s too, where it may name one for its tasks', () => {
    const stack = newStack();
    const worker = addWorker(stack, { results: Results.managed() });
    const role = (id: string) => new iam.Role(stack, id, { assumedBy: new iam.ServicePrincipal('ecs-tasks.amazonaws.com') });
    worker.allowFlowRunRole(role('Payroll'));
    worker.allowFlowRunRole(role('Starter'), { asExecutionRole: true });
    const of = Template.fromStack(stack);
    expect(ofResults(statementsOf(of, /^Payroll/))).toEqual(permissions);
    expect(ofResults(statementsOf(of, /^Starter/))).toEqual([]);
  });

  test('of an imported role are listed in its warning', () => {
    const stack = newStack();
    addWorker(stack, { results: Results.managed(), flowRunRole: iam.Role.fromRoleArn(stack, 'Given', 'arn:aws:iam::123456789012:role/flows', { mutable: false }) });
    Template.fromStack(stack);
    expect(warnings(stack, 'roleLacksPermissions').join()).toContain('s3:PutObject');
  });
});

describe('a bucket of the user\'s', () => {
  test('is used as it is, with its key, and nothing is created', () => {
    const stack = newStack();
    const own = new kms.Key(stack, 'Own');
    addWorker(stack, { results: Results.bucket(new s3.Bucket(stack, 'Mine', { encryptionKey: own })) });
    const of = Template.fromStack(stack);
    const mine = resource(of, 'AWS::S3::Bucket', /./).logicalId;
    expect(mine).toMatch(/^Mine/);
    expect(configurationOf(of).results.bucket).toBe(`{${mine}}`);
    expect(ofResults(statementsOf(of, /FlowRunRole/))[1].Resource).toMatch(/^\{Own\w+\.Arn\}$/);
  });

  test('without a key takes no permission for one', () => {
    const of = templateOf(stack => ({ results: Results.bucket(s3.Bucket.fromBucketName(stack, 'Mine', 'results-1')) }));
    expect(ofResults(statementsOf(of, /FlowRunRole/))).toHaveLength(1);
  });

  test('is shared by workers and by their role, each with a folder of its own', () => {
    const stack = newStack();
    const shared = { results: Results.bucket(new s3.Bucket(stack, 'Mine')), flowRunRole: new iam.Role(stack, 'Flows', { assumedBy: new iam.ServicePrincipal('ecs-tasks.amazonaws.com') }) };
    addWorker(stack, shared, 'One');
    addWorker(stack, { ...shared, workPool: WorkPool.managed('other') }, 'Two');
    const statements = statementsOf(Template.fromStack(stack), /^Flows/);
    expect(new Set(ofResults(statements).flatMap(({ Resource }: any) => Resource)).size).toBe(2);
    const sids = statements.map(({ Sid }) => Sid).filter(sid => sid !== undefined);
    expect(new Set(sids).size).toBe(sids.length);
  });

  test.each([['us-east-1', false], ['eu-west-1', true]])('in %s, for a worker in us-east-1: refused %s', (region, refused) => {
    const build = () => templateOf(stack => ({
      results: Results.bucket(s3.Bucket.fromBucketAttributes(stack, 'Mine', { bucketName: 'results-1', region })),
    }), { account: '123456789012', region: 'us-east-1' });
    if (!refused) return expect(build).not.toThrow();
    return expect(build).toThrow('Stack/Worker: results is "results-1": the bucket is in eu-west-1, and the VPC\'s endpoint for Amazon S3 leads to buckets of us-east-1 only; '
      + 'give one of us-east-1, or Results.managed().');
  });

  test('is not judged where the worker\'s region is known only at deployment', () => {
    expect(() => templateOf(stack => ({ results: Results.bucket(s3.Bucket.fromBucketAttributes(stack, 'Mine', { bucketName: 'results-1', region: 'eu-west-1' })) }))).not.toThrow();
  });
});

describe('it is refused', () => {
  test.each([[undefined], [WorkerType.PROCESS]])('with a work pool that is not managed: %s', workerType => {
    expect(() => templateOf({ workerType, workPool: WorkPool.existing('etl'), results: Results.managed() })).toThrow(
      'Stack/Worker: results is "etl": it is the work pool that tells flow runs where their results are, and WorkPool.existing() is not changed here; '
      + 'give WorkPool.managed(), or remove results and set PREFECT_RESULTS_DEFAULT_STORAGE_BLOCK in the pool yourself.');
  });

  test.each([Duration.hours(36), Duration.days(0), Duration.minutes(5)])('to keep results for %s', expiration => {
    expect(() => Results.managed({ expiration })).toThrow(
      `expiration is ${JSON.stringify(expiration.toString())}: Amazon S3 counts in days; give a whole number of them, at least 1.`);
  });

  test('without a bucket', () => {
    expect(() => Results.bucket(undefined as any)).toThrow('bucket is missing: give a bucket, or Results.managed() to have one created.');
  });

  test('not for a time that is known only at deployment', () => {
    const expiration = Duration.days(Lazy.number({ produce: () => 3 }));
    expect(resource(templateOf({ results: Results.managed({ expiration }) }), 'AWS::S3::Bucket').Properties.LifecycleConfiguration.Rules[0].ExpirationInDays).toBe(3);
  });
});

test('an own image is taken as it is: whether it has prefect-aws shows in it', () => {
  const image = ecs.ContainerImage.fromRegistry('public.ecr.aws/acme/flows:1');
  const of = templateOf({ results: Results.managed(), workPool: WorkPool.managed('etl', { flowRunDefaults: { image } }) });
  expect(configurationOf(of).template.variables.image).toBe('public.ecr.aws/acme/flows:1');
});
