import { Template } from 'aws-cdk-lib/assertions';
import { WorkerType } from '../../src';
import { addWorker, newStack, resource, templateOf } from '../support/worker';

const service = (template: Template) => resource(template, 'AWS::ECS::Service').Properties;

test.each([[undefined], [{}], [{ spotWeight: 0 }]])('workers are on demand with %j', capacity => {
  expect(service(templateOf({ capacity }))).toMatchObject({ LaunchType: 'FARGATE' });
});

test.each([[WorkerType.ECS], [WorkerType.PROCESS]])('workers of the type %s are spread as the weights say, one of them on demand first', workerType => {
  const properties = service(templateOf({ workerType, capacity: { spotWeight: 3 } }));
  expect(properties).not.toHaveProperty('LaunchType');
  expect(properties.CapacityProviderStrategy).toEqual([
    { CapacityProvider: 'FARGATE', Base: 1, Weight: 1 },
    { CapacityProvider: 'FARGATE_SPOT', Weight: 3 },
  ]);
});

test('the capacity providers stay with the cluster as long as the service needs them', () => {
  const template = templateOf({ capacity: { spotWeight: 3 } });
  const providers = resource(template, 'AWS::ECS::ClusterCapacityProviderAssociations').logicalId;
  expect(resource(template, 'AWS::ECS::Service').DependsOn).toContain(providers);
});

test('as many are on demand first as are asked for', () => {
  expect(service(templateOf({ capacity: { spotWeight: 1, onDemandBase: 0 } })).CapacityProviderStrategy[0]).toMatchObject({ Base: 0 });
});

test('beyond those, all are on Spot where none is to be on demand', () => {
  expect(service(templateOf({ capacity: { spotWeight: 1, onDemandWeight: 0 } })).CapacityProviderStrategy).toEqual([
    { CapacityProvider: 'FARGATE', Base: 1, Weight: 0 },
    { CapacityProvider: 'FARGATE_SPOT', Weight: 1 },
  ]);
  expect(service(templateOf({ capacity: { spotWeight: 1, onDemandWeight: 0, onDemandBase: 0 } })).CapacityProviderStrategy).toEqual([
    { CapacityProvider: 'FARGATE_SPOT', Weight: 1 },
  ]);
});

test.each([
  [{ spotWeight: -1 }, 'capacity.spotWeight is -1: give a whole number of at least 0.'],
  [{ spotWeight: 1001 }, 'capacity.spotWeight is 1001: the most that Amazon ECS takes is 1000.'],
  [{ spotWeight: 1, onDemandBase: 0.5 }, 'capacity.onDemandBase is 0.5: give a whole number of at least 0.'],
  [{ onDemandBase: 2 }, 'capacity.onDemandBase is 2: all tasks are on demand already; give capacity.spotWeight too, or leave both out.'],
  [{ onDemandWeight: 0 }, 'capacity.onDemandWeight is 0: all tasks are on demand already; give capacity.spotWeight too, or leave both out.'],
])('%j is refused', (capacity, message) => {
  expect(() => addWorker(newStack(), { capacity })).toThrow(message);
});
