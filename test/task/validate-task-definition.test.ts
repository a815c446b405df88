import { aws_ecs as ecs, aws_secretsmanager as secretsmanager, Stack } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { PrefectFargateWorker } from '../../src';
import { addWorker, newStack } from '../support/worker';

const UNMOUNTED = '*cdk-prefect-fargate-worker:unmountedVolume*';
const image = ecs.ContainerImage.fromRegistry('public.ecr.aws/datadog/agent:7');
const secret = (stack: Stack, id = 'Secret') => ecs.Secret.fromSecretsManager(new secretsmanager.Secret(stack, id));

function synthesized(change: (worker: PrefectFargateWorker, stack: Stack) => void): Stack {
  const stack = newStack();
  change(addWorker(stack), stack);
  return stack;
}

describe.each([
  ['the worker', (worker: PrefectFargateWorker) => [worker.taskDefinition, worker.workerContainer] as const],
  ['flow runs', (worker: PrefectFargateWorker) => [worker.flowRunTaskDefinition, worker.flowRunContainer] as const],
])('a task definition of %s', (_, of) => {
  test('with a second container of one name is refused with both names\' place', () => {
    const stack = synthesized(worker => of(worker)[0].addContainer('Other', { image, containerName: of(worker)[1].containerName, memoryLimitMiB: 64 }));
    expect(() => Template.fromStack(stack)).toThrow(/Stack\/Worker\/\w+\/TaskDefinition\] Two containers are called "(worker|prefect)", and Amazon ECS takes a name only once: give yours another containerName\./);
  });

  test('with one name among the environment and the secrets of a container is refused, and says no value', () => {
    const stack = synthesized((worker, scope) => {
      of(worker)[1].addEnvironment('DB_PASSWORD', 'plain');
      of(worker)[1].addSecret('DB_PASSWORD', secret(scope));
    });
    expect(() => Template.fromStack(stack)).toThrow(/The container "(worker|prefect)" has the variable DB_PASSWORD twice/);
    expect(() => Template.fromStack(stack)).not.toThrow(/plain/);
  });

  test('with a volume that nothing mounts has a warning, and none once it is mounted', () => {
    const unmounted = synthesized(worker => of(worker)[0].addVolume({ name: 'scratch' }));
    Annotations.fromStack(unmounted).hasWarning('*', Match.stringLikeRegexp('No container mounts the volume "scratch"'));
    const mounted = synthesized(worker => {
      of(worker)[0].addVolume({ name: 'scratch' });
      of(worker)[1].addMountPoints({ sourceVolume: 'scratch', containerPath: '/scratch', readOnly: false });
    });
    Annotations.fromStack(mounted).hasNoWarning('*', Match.stringLikeRegexp('unmountedVolume'));
  });
});

test('what the construct itself puts into task definitions has no mistakes', () => {
  const stack = synthesized(() => undefined);
  Template.fromStack(stack);
  Annotations.fromStack(stack).hasNoWarning(UNMOUNTED, Match.anyValue());
});
