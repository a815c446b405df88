import { Template } from 'aws-cdk-lib/assertions';
import { WorkerType, WorkPool } from '../../src';
import { addWorker, newStack, resource, resources, statementsOf, templateOf, text } from '../support/worker';

const TYPE = 'Custom::PrefectVerification';
const verified = (workerType: WorkerType, others = {}) => templateOf({ workerType, verify: true, ...others });

test('a worker that is not to be verified has nothing of it', () => {
  const template = templateOf({});
  expect(resources(template, TYPE)).toEqual([]);
  expect(JSON.stringify(template.toJSON())).not.toContain('Verif');
});

describe.each([[WorkerType.ECS, 2], [WorkerType.PROCESS, 1]])('a worker of the type %s that is verified', (workerType, definitions) => {
  const template = verified(workerType);
  const { Properties: properties, DependsOn: after } = resource(template, TYPE);

  test('is verified after its service, its scaling and all that calls it, so also from zero workers', () => {
    const all = Object.entries<any>(template.toJSON().Resources);
    const before = all.filter(([, { Type }]) => ['AWS::ECS::Service', 'AWS::ApplicationAutoScaling::ScalableTarget', 'AWS::Events::Rule'].includes(Type))
      .map(([id]) => id).filter(id => /Service|Scaling|Demand|Rescue/.test(id));
    expect(before.length).toBeGreaterThan(3);
    expect(after).toEqual(expect.arrayContaining(before));
  });

  test('is verified anew where a task definition or the pool changes', () => {
    expect(properties.Verified.map(text)).toEqual([
      ...Array(definitions).fill(expect.stringMatching(/TaskDefinition/)), expect.stringMatching(/WorkPool.*\.Fingerprint\}$/),
    ]);
  });

  test('has a function that may look at the cluster\'s tasks, and read the API\'s secret', () => {
    expect(statementsOf(template, /VerificationRole/).flatMap(({ Action }) => Action).filter(action => !action.startsWith('logs:')).sort())
      .toEqual(['ecs:DescribeTasks', 'ecs:ListTasks', 'secretsmanager:DescribeSecret', 'secretsmanager:GetSecretValue']);
  });

  test('says in an output what became of it', () => {
    expect(Object.values<any>(template.toJSON().Outputs).map(({ Value }) => text(Value))).toContainEqual(expect.stringMatching(/Verification\w+\.Result\}$/));
  });
});

test('a worker that serves some queues has its flow run in the first of them', () => {
  const template = verified(WorkerType.PROCESS, { workQueues: ['fast', 'slow'] });
  expect(JSON.parse(text(resource(template, TYPE).Properties.Configuration)).workQueue).toBe('fast');
});

test('an existing pool is verified, too', () => {
  const template = verified(WorkerType.PROCESS, { workPool: WorkPool.existing('theirs') });
  expect(resource(template, TYPE).Properties.Verified).toHaveLength(1);
});

test('workers in two clusters share the function, whose policy IAM takes: no two statements have one id', () => {
  const stack = newStack();
  for (const name of ['one', 'two']) addWorker(stack, { verify: true, workPool: WorkPool.managed(name) }, name);
  const template = Template.fromStack(stack);
  expect(resources(template, TYPE)).toHaveLength(2);
  const statements = statementsOf(template, /VerificationRole/);
  expect(statements.filter(({ Action }) => Action === 'ecs:ListTasks')).toHaveLength(2);
  const ids = statements.map(({ Sid }) => Sid).filter(id => id !== undefined);
  expect(new Set(ids).size).toBe(ids.length);
});
