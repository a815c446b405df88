import { CfnParameter, Token } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { WorkerType, WorkPool } from '../../src';
import { workerSize } from '../../src/task/size';
import { addWorker, newStack, resource, templateOf, WORKER_TASK } from '../support/worker';

const { ECS, PROCESS } = WorkerType;
const token = () => Token.asNumber({ Ref: 'Size' });

describe('the size of a worker', () => {
  test.each([
    ['an ECS worker by default', ECS, undefined, undefined, 512, 1024],
    ['a PROCESS worker by default', PROCESS, undefined, undefined, 1024, 2048],
    ['little CPU', ECS, 256, undefined, 256, 1024],
    ['more CPU, with the least memory that goes with it', ECS, 2048, undefined, 2048, 4096],
    ['the most CPU', PROCESS, 16384, undefined, 16384, 32768],
    ['a pair', ECS, 256, 512, 256, 512],
    ['a pair in the middle of its steps', PROCESS, 8192, 20480, 8192, 20480],
    ['a pair at the upper end', PROCESS, 4096, 30720, 4096, 30720],
  ])('is that of %s', (_, type, cpu, memory, expectedCpu, expectedMemory) => {
    expect(workerSize(type, cpu, memory)).toMatchObject({ cpu: expectedCpu, memoryLimitMiB: expectedMemory });
  });

  test.each([
    ['ECS', ECS, undefined], ['PROCESS', PROCESS, 7],
  ])('lets an idle %s worker take that many flow runs', (_, type, limit) => {
    expect(workerSize(type).flowRunLimit).toBe(limit);
  });

  test.each([[512, 1], [1024, 3], [2048, 7], [4096, 15]])('of a PROCESS worker with %d MiB gives 256 MiB to each flow run', (memory, limit) => {
    expect(workerSize(PROCESS, memory > 2048 ? 1024 : 256, memory === 4096 ? 4096 : memory).flowRunLimit).toBe(limit);
  });

  test('reaches the task definition', () => {
    expect(resource(templateOf({ cpu: 2048, memoryLimitMiB: 8192, ephemeralStorageGiB: 100 }), 'AWS::ECS::TaskDefinition', WORKER_TASK).Properties)
      .toMatchObject({ Cpu: '2048', Memory: '8192', EphemeralStorage: { SizeInGiB: 100 } });
  });

  test('may be known only at deployment', () => {
    const stack = newStack();
    const [cpu, memoryLimitMiB, ephemeralStorageGiB] = ['Cpu', 'Memory', 'Storage'].map(id => new CfnParameter(stack, id, { type: 'Number' }).valueAsNumber);
    addWorker(stack, { cpu, memoryLimitMiB, ephemeralStorageGiB, workerType: PROCESS, flowRunLimit: 40 });
    expect(resource(Template.fromStack(stack), 'AWS::ECS::TaskDefinition', WORKER_TASK).Properties)
      .toMatchObject({ Cpu: { Ref: 'Cpu' }, Memory: { Ref: 'Memory' }, EphemeralStorage: { SizeInGiB: { Ref: 'Storage' } } });
  });

  test('with memory known only at deployment has the limit of the default memory', () => {
    expect(workerSize(PROCESS, 1024, token()).flowRunLimit).toBe(7);
  });
});

describe('a size that Fargate does not offer is refused:', () => {
  test.each<[number | undefined, number | undefined, string]>([
    [300, undefined, 'cpu is 300: Fargate offers 256, 512, 1024, 2048, 4096, 8192, 16384 CPU units.'],
    [0, undefined, 'cpu is 0: Fargate offers 256, 512'],
    [-256, 512, 'cpu is -256: Fargate offers 256, 512'],
    [1024, 512, 'memoryLimitMiB is 512: with 1024 CPU units Fargate offers 2048 to 8192 in steps of 1024 MiB.'],
    [256, 3072, 'memoryLimitMiB is 3072: with 256 CPU units Fargate offers 512, 1024, 2048 MiB.'],
    [undefined, 8192, 'memoryLimitMiB is 8192: with 512 CPU units Fargate offers 1024, 2048, 3072, 4096 MiB.'],
    [1024, 2500, 'memoryLimitMiB is 2500: with 1024 CPU units'],
    [8192, 17408, 'memoryLimitMiB is 17408: with 8192 CPU units Fargate offers 16384 to 61440 in steps of 4096 MiB.'],
    [undefined, 0, 'memoryLimitMiB is 0: with 512 CPU units'],
  ])('cpu %s with memory %s', (cpu, memoryLimitMiB, message) => {
    expect(() => addWorker(newStack(), { cpu, memoryLimitMiB })).toThrow(message);
  });

  test.each([
    [20, 'ephemeralStorageGiB is 20: Fargate offers 21 to 200 GiB; leave the prop out for the 20 GiB that every task has.'],
    [201, 'ephemeralStorageGiB is 201: Fargate offers 21 to 200 GiB'],
    [-1, 'ephemeralStorageGiB is -1:'],
  ])('%d GiB of storage', (ephemeralStorageGiB, message) => {
    expect(() => addWorker(newStack(), { ephemeralStorageGiB })).toThrow(message);
    expect(() => addWorker(newStack(), { workPool: WorkPool.managed('etl', { flowRunDefaults: { ephemeralStorageGiB } }) })).toThrow(`flowRunDefaults.${message}`);
  });

  test('21.5 GiB of storage', () => {
    expect(() => addWorker(newStack(), { ephemeralStorageGiB: 21.5 })).toThrow('ephemeralStorageGiB is 21.5:');
  });
});

describe('a limit of flow runs is refused:', () => {
  test.each<[WorkerType, number, string]>([
    [PROCESS, 0, 'flowRunLimit is 0: give a whole number of at least 1.'],
    [PROCESS, -2, 'flowRunLimit is -2: give a whole number of at least 1.'],
    [PROCESS, 2.5, 'flowRunLimit is 2.5: give a whole number of at least 1.'],
    [PROCESS, 19, 'flowRunLimit is 19: 2048 MiB hold at most 18 flow runs, even empty ones; give a lower limit or more memoryLimitMiB.'],
  ])('%s with %d', (workerType, flowRunLimit, message) => {
    expect(() => addWorker(newStack(), { workerType, flowRunLimit })).toThrow(message);
  });

  test.each([5, token()])('%s for an ECS worker, whose flow runs are elsewhere, with the way to a limit that holds', flowRunLimit => {
    expect(() => addWorker(newStack(), { flowRunLimit })).toThrow(
      /^Stack\/Worker: flowRunLimit is (5|known only at deployment): an ECS worker only starts the tasks of flow runs, .* WorkPool\.managed\(name, \{ concurrencyLimit \}\), or an existing pool in Prefect\.$/);
  });
});
