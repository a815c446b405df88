import { readFileSync } from 'node:fs';
import { CfnParameter, Fn, Lazy } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { WorkerType, WorkPool } from '../../src';
import { workerCommand } from '../../src/task/command';
import { addWorker, container, newStack, resource, templateOf, text } from '../support/worker';

const BEGIN = ['python', '-c', readFileSync('assets/task/launcher.py', 'utf8')];
const END = ['--with-healthcheck', '--install-policy', 'never', '--no-create-pool-if-not-found'];
const { ECS, PROCESS } = WorkerType;

describe('the command of a worker', () => {
  test('of the type ECS is a list of arguments without a limit', () => {
    expect(container(templateOf()).Command).toEqual([...BEGIN, 'prefect', 'worker', 'start', '--pool', 'etl', '--type', 'ecs', ...END]);
  });

  test('of the type PROCESS has the limit that its memory allows', () => {
    expect(container(templateOf({ workerType: PROCESS })).Command.slice(6))
      .toEqual(['prefect', 'worker', 'start', '--pool', 'etl', '--type', 'process', '--limit', '7', ...END]);
  });

  test('of the type PROCESS runs under the supervisor that comes with the package', () => {
    const [python, option, program] = container(templateOf({ workerType: PROCESS })).Command.slice(3);
    expect([python, option]).toEqual(['python', '-c']);
    expect(program).toBe(readFileSync('assets/task/supervisor.py', 'utf8'));
  });

  test('leaves most of the 64 KiB of a task definition to the user', () => {
    expect(JSON.stringify(resource(templateOf({ workerType: PROCESS }), 'AWS::ECS::TaskDefinition').Properties).length).toBeLessThan(30 * 1024);
  });

  test.each(['on premises', 'the "best" pool', 'it\'s', '$HOME `date` \\ ; rm -rf', '-', 'Grün & so'.replace('&', '+')])('keeps a name as one argument: %s', name => {
    const command = container(templateOf({ workPool: WorkPool.managed(name), workQueues: [name] })).Command;
    expect(command).toEqual([...BEGIN, 'prefect', 'worker', 'start', '--pool', name, '--type', 'ecs', '--work-queue', name, ...END]);
  });

  test('names every work queue, in order', () => {
    expect(workerCommand({ workPoolName: 'etl', workerType: ECS, workQueues: ['b', 'a'] })).toEqual(
      [...BEGIN, 'prefect', 'worker', 'start', '--pool', 'etl', '--type', 'ecs', '--work-queue', 'b', '--work-queue', 'a', ...END]);
  });

  test('has the limit that is given', () => {
    expect(workerCommand({ workPoolName: 'etl', workerType: PROCESS, flowRunLimit: 3 })).toEqual(expect.arrayContaining(['--limit', '3']));
  });

  test('never goes through a shell or an entry point of ours', () => {
    expect(container(templateOf()).EntryPoint).toBeUndefined();
  });

  test('has names and limits that are known only at deployment', () => {
    const stack = newStack();
    addWorker(stack, {
      workerType: PROCESS,
      workPool: WorkPool.managed(new CfnParameter(stack, 'Pool').valueAsString),
      workQueues: [new CfnParameter(stack, 'Queue').valueAsString, Lazy.string({ produce: () => 'late' })],
      flowRunLimit: new CfnParameter(stack, 'Limit', { type: 'Number' }).valueAsNumber,
    });
    expect(text(container(Template.fromStack(stack)).Command).slice(6)).toEqual(
      ['prefect', 'worker', 'start', '--pool', '{Pool}', '--type', 'process', '--work-queue', '{Queue}', '--work-queue', 'late', '--limit', '{Limit}', ...END]);
  });

  test.each([
    ['a parameter', (stack: any) => new CfnParameter(stack, 'Queues', { type: 'CommaDelimitedList' }).valueAsList],
    ['an import', () => Fn.split(',', Fn.importValue('queues'))],
  ])('can not have a list of queues whose length is known only at deployment: %s', (_, queues) => {
    const stack = newStack();
    expect(() => addWorker(stack, { workQueues: queues(stack) })).toThrow(
      /^Stack\/Worker: workQueues is known only at deployment: their number must be known at synthesis, while each name may be a token; .*Fn\.select.*Fn\.split\(\) with its assumedLength\.$/);
  });

  test('has the queues that are taken from such a list', () => {
    const stack = newStack();
    const queues = new CfnParameter(stack, 'Queues', { type: 'CommaDelimitedList' }).valueAsList;
    addWorker(stack, { workQueues: [Fn.select(0, queues)] }, 'One');
    addWorker(stack, { workPool: WorkPool.managed('second'), workQueues: Fn.split(',', Fn.importValue('queues'), 2) }, 'Two');
    expect(JSON.stringify(Template.fromStack(stack).toJSON())).toContain('"--work-queue",{"Fn::Select":[0,{"Ref":"Queues"}]}');
  });
});
