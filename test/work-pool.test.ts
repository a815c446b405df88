import { CfnParameter, Lazy, Token } from 'aws-cdk-lib';
import { ManagedWorkPoolOptions, WorkPool } from '../src';
import { newStack } from './support/worker';

const make: [string, (name: any) => WorkPool][] = [['managed', WorkPool.managed], ['existing', WorkPool.existing]];
const number = () => Token.asNumber({ Ref: 'Number' });

describe.each(make)('the name of a pool that is %s', (_, pool) => {
  test.each(['etl', 'on premises', 'the "best" pool', 'it\'s', 'größer', 'a.b-c_d', 'not-prefect'])('may be %s', name => {
    expect(pool(name).name).toBe(name);
  });

  test.each([
    [undefined, 'workPool name is missing: give the name that the Prefect UI shows.'],
    ['', 'workPool name is "": give the name that the Prefect UI shows.'],
    ['  ', 'workPool name is "  ": give the name'],
    ...['a/b', 'a%b', 'a&b', 'a<b', 'a>b'].map((name): [string, string] =>
      [name, `workPool name is "${name}": Prefect does not accept the characters / % & < > in a name.`]),
    ['prefect-pool', 'workPool name is "prefect-pool": Prefect keeps names that begin with "prefect" for itself; choose another.'],
    ['Prefect', 'workPool name is "Prefect": Prefect keeps names'],
  ])('is refused as %j', (name, message) => {
    expect(() => pool(name)).toThrow(message);
  });

  test('may be known only at deployment', () => {
    expect(() => pool(new CfnParameter(newStack(), 'Pool').valueAsString)).not.toThrow();
    expect(() => pool(Lazy.string({ produce: () => '' }))).not.toThrow();
  });
});

describe('a managed pool refuses', () => {
  const WHOLE = 'give a whole number of at least 1.';
  test.each<[ManagedWorkPoolOptions, string]>([
    [{ flowRunDefaults: { outOfMemory: { maxMemoryMiB: 1024 } } }, 'flowRunDefaults.outOfMemory.maxMemoryMiB is 1024: flow runs have 1024 MiB from the start; give more than that.'],
    [{ flowRunDefaults: { memoryLimitMiB: 4096, outOfMemory: { maxMemoryMiB: 2048 } } }, 'flowRunDefaults.outOfMemory.maxMemoryMiB is 2048: flow runs have 4096 MiB'],
    [{ flowRunDefaults: { outOfMemory: { maxMemoryMiB: 2048.5 } } }, 'flowRunDefaults.outOfMemory.maxMemoryMiB is 2048.5: give a whole number'],
    [{ flowRunDefaults: { outOfMemory: { maxMemoryMiB: 4096, retry: false, remember: true } } }, 'flowRunDefaults.outOfMemory.remember is true: without retry, no flow run finds out'],
    [{ concurrencyLimit: 0 }, `concurrencyLimit is 0: ${WHOLE}`],
    [{ concurrencyLimit: -1 }, `concurrencyLimit is -1: ${WHOLE}`],
    [{ concurrencyLimit: 1.5 }, `concurrencyLimit is 1.5: ${WHOLE}`],
    [{ concurrencyLimit: NaN }, 'concurrencyLimit is'],
    [{ workQueues: [{ name: '' }] }, 'workQueues.name is "": give the name that the Prefect UI shows.'],
    [{ workQueues: [{ name: 'a/b' }] }, 'workQueues.name is "a/b": Prefect does not accept the characters'],
    [{ workQueues: [{ name: 'a', priority: 0 }] }, `workQueues.priority is 0: ${WHOLE}`],
    [{ workQueues: [{ name: 'a', concurrencyLimit: 0 }] }, `workQueues.concurrencyLimit is 0: ${WHOLE}`],
    [{ workQueues: [{ name: 'a', concurrencyLimit: -5 }] }, `workQueues.concurrencyLimit is -5: ${WHOLE}`],
    [{ workQueues: [{ name: 'a' }, { name: 'b' }, { name: 'a' }] }, 'workQueues is ["a","b","a"]: "a" is listed twice; name each entry once.'],
    [{ flowRunDefaults: { cpu: 100 } }, 'flowRunDefaults.cpu is 100: Fargate offers 256, 512, 1024, 2048, 4096, 8192, 16384 CPU units.'],
    [{ flowRunDefaults: { jobVariables: { cpu: 512 } } }, 'flowRunDefaults.jobVariables.cpu is 512: it is set by flowRunDefaults.cpu; give it there.'],
    [{ flowRunDefaults: { cpu: 256, memoryLimitMiB: 4096 } }, 'flowRunDefaults.memoryLimitMiB is 4096: with 256 CPU units Fargate offers 512, 1024, 2048 MiB.'],
    [{ flowRunDefaults: { memoryLimitMiB: -1 } }, 'flowRunDefaults.memoryLimitMiB is -1: with 512 CPU units Fargate offers'],
  ])('%j', (options, message) => {
    expect(() => WorkPool.managed('etl', options)).toThrow(message);
  });

  test('a command without a word', () => {
    expect(() => WorkPool.managed('etl', { flowRunDefaults: { command: [] } })).toThrow(/^flowRunDefaults\.command is \[\]: /);
  });
});

describe('a managed pool takes', () => {
  test('a limit, queues and defaults', () => {
    expect(() => WorkPool.managed('etl', {
      concurrencyLimit: 1, workQueues: [{ name: 'a', priority: 1, concurrencyLimit: 1 }, { name: 'A' }], flowRunDefaults: { cpu: 256, memoryLimitMiB: 512 },
    })).not.toThrow();
  });

  test('what is known only at deployment', () => {
    const [one, two] = ['One', 'Two'].map(id => new CfnParameter(newStack(), id).valueAsString);
    expect(() => WorkPool.managed('etl', {
      concurrencyLimit: number(),
      workQueues: [{ name: one, priority: number(), concurrencyLimit: number() }, { name: two }],
      flowRunDefaults: { cpu: number(), memoryLimitMiB: number() },
    })).not.toThrow();
    expect(() => WorkPool.managed('etl', { flowRunDefaults: { cpu: 256, memoryLimitMiB: number() } })).not.toThrow();
  });
});
