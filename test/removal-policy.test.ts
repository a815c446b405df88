import { aws_kms as kms, aws_s3 as s3, RemovalPolicy } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { PrefectApi, PrefectFargateWorkerProps, WorkerType, WorkPool } from '../src';
import { addWorker, newStack, templateOf } from './support/worker';

// An API without a secret, which would be a resource of the test's own.
const EVERYTHING: Partial<PrefectFargateWorkerProps> = { api: PrefectApi.selfHosted({ url: 'https://prefect.example.com/api' }), observability: { logArchive: {} } };
const KINDS: [string, Partial<PrefectFargateWorkerProps>][] = [
  ['an ECS worker', EVERYTHING],
  ['a PROCESS worker', { ...EVERYTHING, workerType: WorkerType.PROCESS }],
  ['a worker with functions in the VPC', { ...EVERYTHING, network: { functionsInVpc: true }, workPool: WorkPool.existing('etl') }],
];

/** Types with data whose resources have a policy of their own; the CDK gives one to whatever holds something. A custom resource's is its handler's. */
function policies(template: Template): Record<string, [string, string]> {
  const withPolicy = Object.entries<any>(template.toJSON().Resources).filter(([, { Type, DeletionPolicy }]) => DeletionPolicy && !/^(Custom::|AWS::CloudFormation::)/.test(Type));
  return Object.fromEntries(withPolicy.map(([id, { DeletionPolicy, UpdateReplacePolicy }]) => [id, [DeletionPolicy, UpdateReplacePolicy]]));
}
const typesOf = (template: Template, ids: string[]) => [...new Set(ids.map(id => template.toJSON().Resources[id].Type))].sort();

describe.each(KINDS)('removalPolicy of %s', (_, props) => {
  const byDefault = templateOf(props);

  test('RETAIN reaches everything that a removal would take data from', () => {
    const kept = templateOf({ ...props, removalPolicy: RemovalPolicy.RETAIN });
    const all = policies(kept);
    expect(typesOf(kept, Object.keys(all))).toEqual(expect.arrayContaining(['AWS::KMS::Key', 'AWS::Logs::LogGroup', 'AWS::S3::Bucket']));
    expect(Object.entries(all).filter(([, both]) => both.join() !== 'Retain,Retain')).toEqual([]);
    // Nothing of these types is without one.
    const types = new Set(typesOf(kept, Object.keys(all)));
    const without = Object.entries<any>(kept.toJSON().Resources).filter(([, { Type, DeletionPolicy }]) => types.has(Type) && !DeletionPolicy);
    expect(without).toEqual([]);
  });

  test('RETAIN changes no id, and nothing else', () => {
    const kept = templateOf({ ...props, removalPolicy: RemovalPolicy.RETAIN }).toJSON();
    const expected = structuredClone(byDefault.toJSON());
    for (const id of Object.keys(policies(byDefault))) Object.assign(expected.Resources[id], { DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' });
    expect(kept).toEqual(expected);
  });

  test('RETAIN_ON_UPDATE_OR_DELETE lets a creation that fails go', () => {
    const kept = policies(templateOf({ ...props, removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE }));
    expect(new Set(Object.values(kept).map(([deletion]) => deletion))).toEqual(new Set(['RetainExceptOnCreate']));
  });

  test('DESTROY is the default, and leaves the archive', () => {
    expect(templateOf({ ...props, removalPolicy: RemovalPolicy.DESTROY }).toJSON()).toEqual(byDefault.toJSON());
    const left = Object.entries(policies(byDefault)).filter(([, [deletion]]) => deletion !== 'Delete').map(([id]) => id);
    expect(left).toHaveLength(2);
    expect(typesOf(byDefault, left)).toEqual(['AWS::KMS::Key', 'AWS::S3::Bucket']);
  });
});

test('removalPolicy SNAPSHOT is refused', () => {
  expect(() => templateOf({ removalPolicy: RemovalPolicy.SNAPSHOT })).toThrow(
    'removalPolicy is "snapshot": no resource of a worker has snapshots; give DESTROY, RETAIN or RETAIN_ON_UPDATE_OR_DELETE.');
});

test('removalPolicy leaves alone what you bring', () => {
  const stack = newStack();
  addWorker(stack, {
    removalPolicy: RemovalPolicy.RETAIN,
    encryptionKey: new kms.Key(stack, 'Mine', { removalPolicy: RemovalPolicy.DESTROY }),
    observability: { logArchive: { bucket: new s3.Bucket(stack, 'Bucket', { removalPolicy: RemovalPolicy.DESTROY }) } },
  });
  const mine = Object.entries(policies(Template.fromStack(stack))).filter(([id]) => /^(Mine|Bucket)/.test(id));
  expect(mine.map(([, both]) => both)).toEqual([['Delete', 'Delete'], ['Delete', 'Delete']]);
});

test('removalPolicy keeps the copies of images where one of the stack\'s workers says so', () => {
  const stack = newStack();
  addWorker(stack, {}, 'One');
  addWorker(stack, { removalPolicy: RemovalPolicy.RETAIN, workPool: WorkPool.managed('other') }, 'Two');
  const repositories = Object.values(Template.fromStack(stack).findResources('AWS::ECR::Repository'));
  expect(repositories.map(({ DeletionPolicy }) => DeletionPolicy)).toEqual(['Retain']);
});
