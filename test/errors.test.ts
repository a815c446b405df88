import { App, aws_ec2 as ec2, aws_ecs as ecs, Duration, Stack, Stage } from 'aws-cdk-lib';
import { PrefectApi, PrefectFargateWorkerProps, WorkerType, WorkPool } from '../src';
import { ofAppsOnly } from './support/sources';
import { addWorker, importedVpc, newStack } from './support/worker';

/** What `work` throws, as an app shows it: node prints the stack, jsii the message. */
function thrown(work: () => unknown): Error {
  try {
    work();
  } catch (error) {
    return error as Error;
  }
  throw new Error('Nothing was thrown.');
}

describe('an error names the construct whose prop is wrong, whichever module finds it:', () => {
  test.each<[string, (stack: Stack) => Partial<PrefectFargateWorkerProps>]>([
    ['workQueues', () => ({ workQueues: [] })],
    ['environment.PREFECT_API_URL', () => ({ environment: { PREFECT_API_URL: 'x' } })],
    ['secrets.TOKEN', () => ({ secrets: { TOKEN: 'x' as unknown as ecs.Secret } })],
    ['cpu', () => ({ cpu: 100 })],
    ['scaling.minWorkers', () => ({ scaling: { minWorkers: 5, maxWorkers: 4 } })],
    ['scaling.pollInterval', () => ({ scaling: { pollInterval: Duration.seconds(7) } })],
    ['network.maxAzs', () => ({ network: { maxAzs: 0 } })],
    ['vpcSubnets', () => ({ vpcSubnets: { subnetType: ec2.SubnetType.PUBLIC } })],
    ['cluster', stack => ({ vpc: importedVpc(stack), cluster: new ecs.Cluster(stack, 'Cluster', { vpc: new ec2.Vpc(stack, 'Other') }) })],
    ['capacity.onDemandBase', () => ({ capacity: { onDemandBase: 2 } })],
    ['cpuArchitecture', () => ({ cpuArchitecture: ecs.CpuArchitecture.of('RISCV') })],
    ['observability.alarms.', () => ({ observability: { alarms: { highCpu: { threshold: 0 } } } })],
  ])('%s', (prop, props) => {
    const stack = newStack();
    const error = thrown(() => addWorker(stack, props(stack)));
    expect(error.message.startsWith(`Stack/Worker: ${prop}`)).toBe(true);
    expect(error.stack).toContain(error.message);
    expect(error.message.match(/Stack\/Worker: /g)).toHaveLength(1);
  });

  test('by its whole path, with stages', () => {
    const stack = new Stack(new Stage(new App(), 'Production'), 'Data');
    expect(thrown(() => addWorker(stack, { workerType: WorkerType.PROCESS, flowRunLimit: 0 }, 'Etl')).message)
      .toBe('Production/Data/Etl: flowRunLimit is 0: give a whole number of at least 1.');
  });

  test('and its stack leads to the line of the app', () => {
    expect(thrown(() => addWorker(newStack(), { workQueues: [] })).stack).toMatch(/^ValidationError: Stack\/Worker: workQueues is \[\]: .*\n(.*\n){1,3}.*new PrefectFargateWorker.*\n.*addWorker/);
  });
});

test('a factory has no construct yet, and says the mistake alone', () => {
  expect(thrown(() => WorkPool.managed('')).message).toBe('workPool name is "": give the name that the Prefect UI shows.');
  expect(thrown(() => PrefectApi.selfHosted({ url: 'prefect' })).message).toMatch(/^url is "prefect": /);
});

test('what the CDK throws stays as it is', () => {
  const stack = newStack();
  addWorker(stack);
  expect(thrown(() => addWorker(stack)).message).toMatch(/^There is already a Construct with name 'Worker' in Stack/);
});

test('no part of the library that only apps run throws an error that could not name its construct', () => {
  expect(ofAppsOnly().filter(({ text }) => /throw new (?!ValidationError)/.test(text)).map(({ file }) => file)).toEqual([]);
});
