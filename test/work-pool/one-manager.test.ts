import { App, CfnParameter, Stack } from 'aws-cdk-lib';
import { PrefectApi, PrefectFargateWorkerProps, WorkerType, WorkPool } from '../../src';
import { addWorker, newStack, selfHosted, warnings } from '../support/worker';

const etl = () => ({ workPool: WorkPool.managed('etl') });
const server = (name: string) => PrefectApi.selfHosted({ url: `https://${name}.example.com/api` });

describe('two workers of a stack', () => {
  test('that manage one pool are refused by both their names', () => {
    const stack = newStack();
    addWorker(stack, etl(), 'First');
    expect(() => addWorker(stack, etl(), 'Second')).toThrow(
      'Stack/Second: workPool has the name "etl", and Stack/First manages that pool already: '
      + 'give WorkPool.existing() with that name to one of the two, or manage two pools.');
  });

  test('that manage one pool by one WorkPool are refused too', () => {
    const stack = newStack();
    const workPool = WorkPool.managed('etl');
    addWorker(stack, { workPool }, 'First');
    expect(() => addWorker(stack, { workPool }, 'Second')).toThrow(/^Stack\/Second: .* Stack\/First manages/);
  });

  test('may share a pool that one of them manages', () => {
    const stack = newStack();
    addWorker(stack, etl(), 'First');
    expect(() => addWorker(stack, { workPool: WorkPool.existing('etl') }, 'Second')).not.toThrow();
  });

  test('may manage one pool where the first has been taken out of the tree', () => {
    const stack = newStack();
    addWorker(stack, etl(), 'First');
    stack.node.tryRemoveChild('First');
    expect(() => addWorker(stack, etl(), 'Second')).not.toThrow();
  });

  test('may manage two pools', () => {
    const stack = newStack();
    addWorker(stack, etl(), 'First');
    expect(() => addWorker(stack, { workPool: WorkPool.managed('elt') }, 'Second')).not.toThrow();
  });

  test('may manage pools of one name on two servers', () => {
    const stack = newStack();
    addWorker(stack, { ...etl(), api: server('one') }, 'First');
    expect(() => addWorker(stack, { ...etl(), api: server('two') }, 'Second')).not.toThrow();
  });

  test('may manage pools whose names are known only at deployment', () => {
    const stack = newStack();
    const named = (id: string) => ({ workPool: WorkPool.managed(new CfnParameter(stack, id).valueAsString) });
    addWorker(stack, named('One'), 'First');
    expect(() => addWorker(stack, named('Two'), 'Second')).not.toThrow();
  });
});

test('the same pool in two stacks, of which one is deployed, is allowed', () => {
  const app = new App();
  addWorker(new Stack(app, 'Staging'), etl());
  expect(() => addWorker(new Stack(app, 'Production'), etl())).not.toThrow();
});

describe('an existing ECS pool', () => {
  test.each([
    ['Prefect Cloud', () => ({}), 'prefect_api_key_secret_arn'],
    ['a server with an authentication string', (stack: Stack) => ({ api: selfHosted(stack) }), 'prefect_api_auth_string_secret_arn'],
  ])('of %s warns of the credential that its template may leave in clear', (_, props, place) => {
    const stack = newStack();
    addWorker(stack, { ...props(stack), workPool: WorkPool.existing('etl') });
    expect(warnings(stack, 'credentialsInExistingPool')).toEqual([expect.stringContaining(place)]);
  });

  test.each([
    ['a managed pool', (_: Stack): Partial<PrefectFargateWorkerProps> => ({})],
    ['a PROCESS pool', () => ({ workerType: WorkerType.PROCESS, workPool: WorkPool.existing('etl') })],
    ['a server without credentials', () => ({ api: PrefectApi.selfHosted({ url: 'https://prefect.example.com/api' }), workPool: WorkPool.existing('etl') })],
  ])('brings no such warning where there is %s instead', (_, props) => {
    const stack = newStack();
    addWorker(stack, props(stack));
    expect(warnings(stack, 'credentialsInExistingPool')).toEqual([]);
  });
});
