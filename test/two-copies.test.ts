import * as cdk from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import type * as library from '../src';
import { WorkPool } from '../src';
import { ofAppsOnly } from './support/sources';
import { addWorker, cloud, importedVpc, newStack, resources } from './support/worker';

/** The library, loaded a second time: two versions of a package of constructs that both depend on it bring this about. */
function secondCopy(): typeof library {
  let copy: typeof library;
  jest.isolateModules(() => {
    jest.doMock('aws-cdk-lib', () => cdk);
    copy = jest.requireActual('../src');
  });
  return copy!;
}

const { PrefectFargateWorker: Other, WorkPool: OtherPool } = secondCopy();
const network = { vpcEndpoints: true };
const withRoutes = (stack: cdk.Stack) => importedVpc(stack, { privateSubnetIds: ['subnet-1', 'subnet-2'], privateSubnetRouteTableIds: ['rtb-1', 'rtb-2'] });
const endpoints = (stack: cdk.Stack) => resources(Template.fromStack(stack), 'AWS::EC2::VPCEndpoint').length;

describe('workers of two loaded copies of the library', () => {
  test('are of two classes', () => {
    expect(addWorker(newStack())).not.toBeInstanceOf(Other);
  });

  test('share a VPC that one of them created, with its endpoints', () => {
    const [alone, shared] = [newStack(), newStack()];
    addWorker(alone);
    const { vpc, cluster } = addWorker(shared);
    new Other(shared, 'Other', { api: cloud(shared), workPool: OtherPool.managed('other'), vpc, cluster });
    expect(endpoints(shared)).toBe(endpoints(alone));
    // Only in a VPC that is not theirs do groups let DNS out.
    expect(JSON.stringify(Template.fromStack(shared))).not.toContain('"Description":"DNS"');
  });

  test('make the endpoints of a given VPC once', () => {
    const [alone, shared] = [newStack(), newStack()].map(stack => ({ stack, vpc: withRoutes(stack) }));
    addWorker(alone.stack, { vpc: alone.vpc, network });
    addWorker(shared.stack, { vpc: shared.vpc, network });
    new Other(shared.stack, 'Other', { api: cloud(shared.stack), workPool: OtherPool.managed('other'), vpc: shared.vpc, network });
    expect(endpoints(alone.stack)).toBeGreaterThan(3);
    expect(endpoints(shared.stack)).toBe(endpoints(alone.stack));
  });

  test('do not manage one pool', () => {
    const stack = newStack();
    addWorker(stack, { workPool: WorkPool.managed('etl') });
    expect(() => new Other(stack, 'Other', { api: cloud(stack), workPool: OtherPool.managed('etl') })).toThrow(/^Stack\/Other: workPool has the name "etl", and Stack\/Worker manages/);
  });
});

test('two apps of a process know nothing of each other', () => {
  const build = () => {
    const stack = newStack();
    addWorker(stack, { vpc: withRoutes(stack), network });
    return Template.fromStack(stack).toJSON();
  };
  expect(build()).toEqual(build());
});

test('no module of the library remembers anything of an app', () => {
  const state = /^(?:export )?(?:let |(?:const \w+(?:: [^=]+)?|static [^=]+) = new (?:Weak)?(?:Map|Set)(?:<.*>)?\(\))/m;
  expect('const managers = new WeakMap<Stack, Map<string, IConstruct>>();').toMatch(state);
  expect(ofAppsOnly().filter(({ text }) => state.test(text)).map(({ file }) => file)).toEqual([]);
});
