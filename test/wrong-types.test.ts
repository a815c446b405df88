import { aws_s3 as s3 } from 'aws-cdk-lib';
import { PrefectFargateWorker, PrefectFargateWorkerProps, PrefectServer, Results, WorkerType, WorkPool } from '../src';
import { addWorker, newStack } from './support/worker';

/** Compilers refuse these, but not in JavaScript, and not where a value is of the type `any`. */
const wrong = (value: unknown): any => value;
const worker = (props: Partial<PrefectFargateWorkerProps>) => () => addWorker(newStack(), props);

test.each<[string, () => unknown, RegExp]>([
  ['a name for a work pool', worker({ workPool: wrong('etl') }), /^Stack\/Worker: workPool is a string: give WorkPool\.managed\(\) or WorkPool\.existing\(\)\.$/],
  ['a URL for an API', () => new PrefectFargateWorker(newStack(), 'Worker', { api: wrong('https://prefect.example.com/api'), workPool: WorkPool.managed('etl') }), /^Stack\/Worker: api is a string: give PrefectApi\./],
  ['nothing at all', () => new PrefectFargateWorker(newStack(), 'Worker', wrong(undefined)), /^Stack\/Worker: props are missing: give at least api and workPool\.$/],
  ['the name of an image', worker({ image: wrong('prefecthq/prefect:3') }), /image is a string: give ecs\.ContainerImage\.fromRegistry\(\)/],
  ['the id of a VPC', worker({ vpc: wrong('vpc-1') }), /vpc is a string: give ec2\.Vpc\.fromLookup\(\)/],
  ['the name of a cluster', worker({ cluster: wrong('main') }), /cluster is a string: give ecs\.Cluster\./],
  ['the ARN of a role', worker({ flowRunRole: wrong('arn:aws:iam::123456789012:role/flows') }), /flowRunRole is a string: give iam\.Role\.fromRoleArn\(\)/],
  ['the ARN of a key', worker({ encryptionKey: wrong('arn:aws:kms:us-east-1:123456789012:key/1') }), /encryptionKey is a string: give kms\.Key\.fromKeyArn\(\)/],
  ['the ARN of a topic', worker({ observability: { pageTopic: wrong('arn:aws:sns:us-east-1:123456789012:page') } }), /observability\.pageTopic is a string: give sns\.Topic\.fromTopicArn\(\)/],
  ['true for results', worker({ results: wrong(true) }), /^Stack\/Worker: results is a boolean: give Results\.managed\(\) or Results\.bucket\(\)\.$/],
  ['a bucket for results', worker({ results: wrong(s3.Bucket.fromBucketName(newStack(), 'Bucket', 'results')) }), /^Stack\/Worker: results is not a Results object: give Results\.managed\(\), or Results\.bucket\(\) with your bucket\.$/],
  ['the name of a bucket', () => Results.bucket(wrong('results')), /^bucket is a string: give s3\.Bucket\.fromBucketName\(\)/],
  ['days for a duration', () => Results.managed({ expiration: wrong(30) }), /^expiration is a number: give a Duration/],
  ['one security group', worker({ securityGroups: wrong('sg-1') }), /securityGroups is a string: give a list/],
  ['seconds for a duration', worker({ workerType: WorkerType.PROCESS, scaling: { leadTime: wrong(120) } }), /scaling\.leadTime is a number: give a Duration/],
  ['a type that there is not', worker({ workerType: wrong('fargate') }), /workerType is a string: give WorkerType\.ECS or WorkerType\.PROCESS\.$/],
  ['the id of a VPC for a server', () => new PrefectServer(newStack(), 'Server', { vpc: wrong('vpc-1') }), /^Stack\/Server: vpc is a string: give ec2\.Vpc/],
  ['the name of an image for flow runs', () => WorkPool.managed('etl', { flowRunDefaults: { image: wrong('prefecthq/prefect:3') } }), /^flowRunDefaults\.image is a string: give ecs\.ContainerImage/],
  ['seconds for a limit of time', () => WorkPool.managed('etl', { flowRunDefaults: { maxRunTime: wrong(600) } }), /^flowRunDefaults\.maxRunTime is a number: give a Duration/],
  ['a word for what becomes of interrupted runs', () => WorkPool.managed('etl', { interruptedRuns: wrong('again') }), /^interruptedRuns is a string: give InterruptedRuns\.RESTART or InterruptedRuns\.CRASH\.$/],
  ['names for queues', () => WorkPool.managed('etl', { workQueues: wrong(['urgent']) }), /^workQueues is "urgent": give \{ name \} for each queue \(in Python WorkQueue\(name=\.\.\.\)\)\.$/],
  ['a queue with names of Python, as from JavaScript: of a dict in a list, jsii drops them before the library sees them', () => WorkPool.managed('etl', { workQueues: [wrong({ name: 'urgent', concurrency_limit: 5 })] }), /^workQueues\.concurrency_limit is 5: a queue has .*; in Python write WorkQueue\(\.\.\.\), not a dict\.$/],
])('%s is refused in a sentence that says what to give', (_, build, sentence) => {
  expect(build).toThrow(sentence);
});

test('the sentence does not show the value, which may be a key at the wrong place', () => {
  for (const prop of ['api', 'workPool', 'image', 'encryptionKey']) {
    expect(worker({ [prop]: wrong('pnu_0123456789') } as any)).toThrow(/is a string: give/);
    expect(worker({ [prop]: wrong('pnu_0123456789') } as any)).not.toThrow(/pnu_/);
  }
});
