import { Annotations, Aspects, aws_ecs as ecs, Stack, Token } from 'aws-cdk-lib';

interface Named { readonly name: string }
interface Container extends Named {
  readonly environment?: readonly Named[];
  readonly secrets?: readonly Named[];
  readonly mountPoints?: readonly { readonly sourceVolume?: string }[];
}

/**
 * Has a synthesis fail where Amazon ECS would refuse what users have made of a task definition, and warns of what has no effect.
 * Only at the end of synthesis is it complete.
 */
export function validateTaskDefinition(taskDefinition: ecs.FargateTaskDefinition): void {
  taskDefinition.node.addValidation({ validate: () => errorsOf(containersOf(taskDefinition)) });
  Aspects.of(taskDefinition).add({
    visit: node => {
      if (node !== taskDefinition) return;
      for (const name of unmountedVolumes(taskDefinition)) {
        Annotations.of(taskDefinition).addWarningV2('cdk-prefect-fargate-worker:unmountedVolume',
          `No container mounts the volume ${JSON.stringify(name)}, so it has no effect. Mount it with addMountPoints() on flowRunContainer, workerContainer or a container of your own.`);
      }
    },
  });
}

function errorsOf(containers: readonly Container[]): string[] {
  return [
    ...duplicates(containers).map(name =>
      `Two containers are called ${JSON.stringify(name)}, and Amazon ECS takes a name only once: give yours another containerName.`),
    ...containers.flatMap(({ name, environment = [], secrets = [] }) => duplicates([...environment, ...secrets]).map(variable =>
      `The container ${JSON.stringify(name)} has the variable ${variable} twice, in its environment and in its secrets or by two of them, and Amazon ECS takes a name only once: remove one.`)),
  ];
}

function unmountedVolumes(taskDefinition: ecs.FargateTaskDefinition): string[] {
  const volumes = resolved<Named>(taskDefinition, 'volumes').map(({ name }) => name);
  if (volumes.length === 0) return [];
  const mounted = containersOf(taskDefinition).flatMap(({ mountPoints = [] }) => mountPoints.map(({ sourceVolume }) => sourceVolume));
  return volumes.filter(name => typeof name === 'string' && !mounted.includes(name));
}

function containersOf(taskDefinition: ecs.FargateTaskDefinition): readonly Container[] {
  return resolved<Container>(taskDefinition, 'containerDefinitions');
}

function resolved<T>(taskDefinition: ecs.FargateTaskDefinition, field: 'volumes' | 'containerDefinitions'): readonly T[] {
  return Stack.of(taskDefinition).resolve((taskDefinition.node.defaultChild as ecs.CfnTaskDefinition)[field]) ?? [];
}

function duplicates(named: readonly Named[]): string[] {
  const names = named.map(({ name }) => name).filter(name => typeof name === 'string' && !Token.isUnresolved(name));
  return [...new Set(names.filter((name, index) => names.indexOf(name) !== index))];
}
