import { aws_ecs as ecs, aws_secretsmanager as secretsmanager, Stack } from 'aws-cdk-lib';
import { WorkerType, WorkPool } from '../src';
import { templateOf } from './support/worker';

/** Go, Java and Python hand maps and structs over in an order of their own. */
describe('the template is the same in whatever order a language hands over', () => {
  const secret = (stack: Stack, id: string) => ecs.Secret.fromSecretsManager(
    stack.node.tryFindChild(id) as secretsmanager.ISecret ?? secretsmanager.Secret.fromSecretNameV2(stack, id, id));

  test('environment and secrets', () => {
    expect(templateOf({ environment: { A: '1', B: '2' } }).toJSON()).toEqual(templateOf({ environment: { B: '2', A: '1' } }).toJSON());
    expect(templateOf(stack => ({ secrets: { A: secret(stack, 'One'), B: secret(stack, 'Other') } })).toJSON())
      .toEqual(templateOf(stack => ({ secrets: { B: secret(stack, 'Other'), A: secret(stack, 'One') } })).toJSON());
  });

  test('the environment of flow runs', () => {
    const withEnvironment = (environment: Record<string, string>) => templateOf({ workPool: WorkPool.managed('etl', { flowRunDefaults: { environment } }) });
    expect(withEnvironment({ A: '1', B: '2' }).toJSON()).toEqual(withEnvironment({ B: '2', A: '1' }).toJSON());
  });

  test('the fields of a work queue', () => {
    const withQueue = (queue: { name: string; priority?: number; concurrencyLimit?: number }) => templateOf({
      workerType: WorkerType.PROCESS, workPool: WorkPool.managed('etl', { workQueues: [queue] }),
    });
    expect(withQueue({ name: 'urgent', priority: 1, concurrencyLimit: 5 }).toJSON()).toEqual(withQueue({ concurrencyLimit: 5, priority: 1, name: 'urgent' }).toJSON());
  });
});
