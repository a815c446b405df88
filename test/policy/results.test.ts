import { aws_s3 as s3, Stack } from 'aws-cdk-lib';
import { IamRequest, PolicySimulator } from './simulate';
import { PrefectApi, PrefectFargateWorker, Results, WorkerType, WorkPool } from '../../src';
import { synthesize } from '../validators/synth';

/** Workers of both types that keep results in one bucket, and one with a bucket of its own. */
const [named] = synthesize([{
  name: 'results',
  build: app => {
    const stack = new Stack(app, 'Results');
    const api = PrefectApi.selfHosted({ url: 'https://prefect.example.com/api' });
    const results = Results.bucket(new s3.Bucket(stack, 'Shared'));
    const tasks = new PrefectFargateWorker(stack, 'Tasks', { api, workPool: WorkPool.managed('tasks'), results });
    const { vpc, cluster } = tasks;
    new PrefectFargateWorker(stack, 'Processes', { api, workPool: WorkPool.managed('processes'), workerType: WorkerType.PROCESS, results, vpc, cluster });
    new PrefectFargateWorker(stack, 'Own', { api, workPool: WorkPool.managed('own'), results: Results.managed(), vpc, cluster });
    return stack;
  },
}]);
const simulator = new PolicySimulator(named.template);
const { resolver } = simulator;
const [TASKS, PROCESSES, OWN, WORKER] = ['Tasks/Identity/FlowRunRole', 'Processes/Identity/WorkerRole', 'Own/Identity/FlowRunRole', 'Own/Identity/WorkerRole'];
const shared = simulator.arn('Shared', 'AWS::S3::Bucket');
const own = simulator.arn('Own/Results/Bucket', 'AWS::S3::Bucket');
const key = simulator.arn('PrefectWorkersShared/Key', 'AWS::KMS::Key');
const { region } = resolver.deployment;

/** The folder of a pool's worker, by what the pool's function is told. */
function folder(pool: string): string {
  const told = Object.values(named.template.Resources).filter(({ Type }) => Type === 'Custom::PrefectWorkPool')
    .map(({ Properties }) => JSON.parse(resolver.resolve(Properties!.Configuration)));
  return told.find(({ name }) => name === pool).results.folder;
}
const object = (bucket: string, pool: string, name = '0123456789abcdef') => `${bucket}/${folder(pool)}/${name}`;
const by = (service: string, arn: string) => ({ 'kms:ViaService': `${service}.${region}.amazonaws.com`, 'kms:EncryptionContext:aws:s3:arn': arn });
const OVER_TLS = { 'aws:SecureTransport': 'true' };

/** What prefect-aws's S3Bucket block asks for: an upload, in parts where it is large, and a download, before which it looks at the object. */
const ALLOWED: [string, string, IamRequest][] = [
  ...([[TASKS, shared, 'tasks'], [PROCESSES, shared, 'processes'], [OWN, own, 'own']] as const).flatMap(([role, bucket, pool]) =>
    ['s3:GetObject', 's3:PutObject', 's3:AbortMultipartUpload'].map(action =>
      [role, `${action} in its folder`, { action, resource: object(bucket, pool), context: OVER_TLS }] as [string, string, IamRequest])),
  [OWN, 'encrypt a result', { action: 'kms:GenerateDataKey', resource: key, context: by('s3', own) }],
  [OWN, 'decrypt a result', { action: 'kms:Decrypt', resource: key, context: by('s3', own) }],
  [OWN, 'decrypt a result of a bucket without S3 Bucket Key', { action: 'kms:Decrypt', resource: key, context: by('s3', object(own, 'own')) }],
];

const REFUSED: [string, string, IamRequest][] = [
  [TASKS, 'read results of the pool next to it', { action: 's3:GetObject', resource: object(shared, 'processes') }],
  [PROCESSES, 'write results of the pool next to it', { action: 's3:PutObject', resource: object(shared, 'tasks') }],
  [TASKS, 'read what else is in the bucket', { action: 's3:GetObject', resource: `${shared}/payroll.csv` }],
  [TASKS, 'read a folder whose name begins as its own', { action: 's3:GetObject', resource: `${shared}/${folder('tasks')}-2/x` }],
  [TASKS, 'read another bucket', { action: 's3:GetObject', resource: object(own, 'own') }],
  [TASKS, 'delete a result', { action: 's3:DeleteObject', resource: object(shared, 'tasks') }],
  [TASKS, 'list the bucket', { action: 's3:ListBucket', resource: shared }],
  [OWN, 'open the bucket', { action: 's3:PutBucketPolicy', resource: own }],
  [OWN, 'keep results for ever', { action: 's3:PutLifecycleConfiguration', resource: own }],
  [OWN, 'write without TLS', { action: 's3:PutObject', resource: object(own, 'own'), context: { 'aws:SecureTransport': 'false' } }],
  [OWN, 'decrypt with the key by itself', { action: 'kms:Decrypt', resource: key }],
  [OWN, 'decrypt messages of the workers\' queue', { action: 'kms:Decrypt', resource: key, context: { 'kms:ViaService': `sqs.${region}.amazonaws.com` } }],
  [OWN, 'decrypt what the key encrypts in another bucket', { action: 'kms:Decrypt', resource: key, context: by('s3', shared) }],
  [WORKER, 'read results, as the worker that only starts flow runs', { action: 's3:GetObject', resource: object(own, 'own') }],
];

const cases = (requests: typeof ALLOWED) => requests.map(([role, what, request]) => [`${role}: ${what}`, role, request] as const);

test.each(cases(ALLOWED))('allowed: %s', async (_, role, request) => {
  expect(await simulator.decide(role, request)).toMatchObject({ allowed: true });
});

test.each(cases(REFUSED))('refused: %s', async (_, role, request) => {
  expect(await simulator.decide(role, request)).toMatchObject({ allowed: false });
});

test('only the policies refuse it: roles that may do everything would be allowed all but plain HTTP', async () => {
  const open = structuredClone(named.template);
  for (const role of [TASKS, PROCESSES, OWN, WORKER]) {
    open.Resources[simulator.find(role)].Properties!.Policies = [
      { PolicyName: 'everything', PolicyDocument: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] } },
    ];
  }
  const permissive = new PolicySimulator(open);
  const refused: string[] = [];
  for (const [role, what, request] of REFUSED) if (!(await permissive.decide(role, request)).allowed) refused.push(`${role}: ${what}`);
  expect(refused).toEqual([`${OWN}: write without TLS`]);
});
