import { aws_applicationautoscaling as appscaling, CfnParameter, Stack } from 'aws-cdk-lib';
import { WorkerType, WorkPool } from '../../src';
import { addWorker, importedVpc, newStack, warnings } from '../support/worker';

const { ECS, PROCESS } = WorkerType;
type Props = Parameters<typeof addWorker>[1];

const told = (props: (stack: Stack) => Exclude<Props, Function>) => {
  const stack = newStack();
  addWorker(stack, props(stack));
  return warnings(stack, 'cdk-prefect-fargate-worker:fewAddresses');
};
/** Two subnets of 11 addresses each. */
const small = (stack: Stack) => importedVpc(stack, {
  privateSubnetIds: ['subnet-1', 'subnet-2'], privateSubnetIpv4CidrBlocks: ['10.20.0.0/28', '10.20.0.16/28'],
});
const limited = (concurrencyLimit?: number) => WorkPool.managed('etl', { concurrencyLimit });

describe('subnets with fewer addresses than there may be tasks are warned of', () => {
  test('for PROCESS workers, with the numbers, the properties and the subnets', () => {
    expect(told(stack => ({ vpc: small(stack), workerType: PROCESS, scaling: { maxWorkers: 23 } }))).toEqual([expect.stringMatching(
      /^The subnets PrivateSubnet1, PrivateSubnet2 have 22 addresses, and there may be 23 tasks \(scaling\.maxWorkers\).* larger subnets .* lower scaling\.maxWorkers/)]);
  });

  test('for ECS workers, together with the flow runs that the pool lets start', () => {
    expect(told(stack => ({ vpc: small(stack), workerType: ECS, workPool: limited(21) }))).toEqual([expect.stringMatching(/there may be 23 tasks .*concurrencyLimit/)]);
  });

  test('where a schedule allows more', () => {
    const at = (hour: string) => appscaling.Schedule.cron({ hour, minute: '0' });
    const schedules = [{ start: at('6'), end: at('7'), minWorkers: 1, maxWorkers: 30 }];
    expect(told(stack => ({ vpc: small(stack), workerType: PROCESS, scaling: { schedules } }))).toEqual([expect.stringMatching(/there may be 30 tasks/)]);
  });

  test('in a VPC that the worker creates', () => {
    expect(told(() => ({ workerType: PROCESS, network: { cidr: '10.20.0.0/26' }, scaling: { maxWorkers: 40 } }))).toHaveLength(1);
  });
});

test.each<[string, (stack: Stack) => Exclude<Props, Function>]>([
  ['they are enough', stack => ({ vpc: small(stack), workerType: PROCESS, scaling: { maxWorkers: 22 } })],
  ['flow runs have no limit', stack => ({ vpc: small(stack), workerType: ECS, workPool: limited() })],
  ['the pool exists, with a limit of its own', stack => ({ vpc: small(stack), workerType: ECS, workPool: WorkPool.existing('etl') })],
  ['nobody knows how large the subnets are', stack => ({ vpc: importedVpc(stack), workerType: PROCESS, scaling: { maxWorkers: 1000 } })],
  ['the largest number is a parameter', stack => ({ vpc: small(stack), workerType: PROCESS, scaling: { maxWorkers: new CfnParameter(stack, 'Most', { type: 'Number' }).valueAsNumber } })],
  ['all is as it is by default', () => ({})],
])('nothing is said where %s', (_, props) => {
  expect(told(props)).toEqual([]);
});
