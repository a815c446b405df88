import { CfnParameter, Lazy, Token } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { PrefectFargateWorker, PrefectFargateWorkerProps, WorkerType, WorkPool } from '../src';
import { addWorker, newStack, resource } from './support/worker';

const refused = (props: Partial<PrefectFargateWorkerProps>) => () => addWorker(newStack(), props);

describe('props that can not be are refused:', () => {
  test.each<[string, Partial<PrefectFargateWorkerProps>, string]>([
    ['no work pool', { workPool: undefined }, 'workPool is missing: give WorkPool.managed() or WorkPool.existing().'],
    ['no queue in the list', { workQueues: [] }, 'workQueues is []: name at least one queue, or leave the prop out to serve all.'],
    ['a queue twice', { workQueues: ['a', 'b', 'a'] }, 'workQueues is ["a","b","a"]: "a" is listed twice; name each entry once.'],
    ['a queue without a name', { workQueues: ['a', ''] }, 'workQueues is "": give the name that the Prefect UI shows.'],
    ['a queue with a name that Prefect refuses', { workQueues: ['a&b'] }, 'workQueues is "a&b": Prefect does not accept the characters / % & < > in a name.'],
    ['defaults of flow runs that a PROCESS worker does not have', { workerType: WorkerType.PROCESS, workPool: WorkPool.managed('etl', { flowRunDefaults: { cpu: 512, memoryLimitMiB: 1024 } }) },
      'flow runs of a PROCESS worker are processes in its container; set image, cpu, memoryLimitMiB and environment of the worker instead.'],
    ['no limit at all', { workerType: WorkerType.PROCESS, flowRunLimit: 0 }, 'flowRunLimit is 0: give a whole number of at least 1.'],
    ['more workers at least than at most', { scaling: { minWorkers: 3, maxWorkers: 2 } }, 'scaling.minWorkers is 3: it is above scaling.maxWorkers, which is 2'],
  ])('%s', (_, props, message) => {
    expect(refused(props)).toThrow(message);
  });

  test('no API', () => {
    const props = { workPool: WorkPool.managed('etl') } as PrefectFargateWorkerProps;
    expect(() => new PrefectFargateWorker(newStack(), 'Worker', props)).toThrow('api is missing: give PrefectApi.cloud() or PrefectApi.selfHosted().');
  });

  test('and the prop is named where flow runs of a PROCESS worker get defaults', () => {
    expect(refused({ workerType: WorkerType.PROCESS, workPool: WorkPool.managed('etl', { flowRunDefaults: { cpu: 512 } }) })).toThrow(/^Stack\/Worker: flowRunDefaults is /);
  });

  test('before anything is made, so that the stack stays as it was', () => {
    const stack = newStack();
    expect(() => addWorker(stack, { workQueues: [] })).toThrow();
    expect(Object.keys(Template.fromStack(stack).findResources('AWS::EC2::VPC'))).toEqual([]);
  });
});

describe('props that are known only at deployment pass', () => {
  test('all checks', () => {
    const stack = newStack();
    const text = (id: string) => new CfnParameter(stack, id).valueAsString;
    const number = (id: string) => new CfnParameter(stack, id, { type: 'Number' }).valueAsNumber;
    addWorker(stack, {
      workerType: WorkerType.PROCESS,
      workPool: WorkPool.managed(text('Pool'), { concurrencyLimit: number('PoolLimit') }),
      workQueues: [text('Queue'), Lazy.string({ produce: () => 'late' })],
      flowRunLimit: number('Limit'),
      cpu: number('Cpu'),
      memoryLimitMiB: number('Memory'),
      ephemeralStorageGiB: number('Storage'),
      environment: { LEVEL: text('Level') },
      scaling: { minWorkers: number('Min'), maxWorkers: number('Max') },
    });
    expect(resource(Template.fromStack(stack), 'AWS::ApplicationAutoScaling::ScalableTarget').Properties.MinCapacity).toEqual({ Ref: 'Min' });
  });

  test('as a limit beside a known memory, and the other way round', () => {
    const token = Token.asNumber({ Ref: 'Number' });
    const workerType = WorkerType.PROCESS;
    expect(refused({ workerType, flowRunLimit: token, cpu: 256, memoryLimitMiB: 512 })).not.toThrow();
    expect(refused({ workerType, flowRunLimit: 100, cpu: 256, memoryLimitMiB: token })).not.toThrow();
  });

  test.each([WorkerType.ECS, WorkerType.PROCESS])('as CPU, whatever the memory (%s)', workerType => {
    const token = Token.asNumber({ Ref: 'Number' });
    expect(refused({ workerType, cpu: token, memoryLimitMiB: 123 })).not.toThrow();
    expect(refused({ workerType, cpu: token })).not.toThrow();
  });

  test.each(['maxAzs', 'natGateways'] as const)('unless they shape the template itself, which is said: network.%s', option => {
    expect(refused({ network: { [option]: Token.asNumber({ Ref: 'Number' }) } })).toThrow(new RegExp(`^Stack/Worker: network\\.${option} `));
  });

  test('unless it divides the VPC, which is said: network.cidr', () => {
    expect(refused({ network: { cidr: Token.asString({ Ref: 'Range' }) } })).toThrow(
      'network.cidr is known only at deployment: the subnets in the template depend on it; give the value itself.');
  });
});
