import { aws_ecs as ecs } from 'aws-cdk-lib';

/** Where a worker writes that can't write to its root file system. */
export const TMP = '/tmp';
const VOLUME = 'tmp';
const CONTAINER = 'tmp';
const SIZE_MIB = 64;

/** Open to all users of the task and sticky, as /tmp is everywhere. */
const CHMOD = ['python', '-c', `import os; os.chmod("${TMP}", 0o1777)`];

/** A small /tmp in memory. */
export function tmpfs(linuxParameters: ecs.LinuxParameters): void {
  const { RW, NOSUID, NODEV } = ecs.TmpfsMountOption;
  linuxParameters.addTmpfs({ containerPath: TMP, size: SIZE_MIB, mountOptions: [RW, NOSUID, NODEV] });
}

/** A /tmp on the task's ephemeral storage: ECS gives a bind mount to root, so a container opens it to the worker's user before. */
export function addTmpVolume(container: ecs.ContainerDefinition, image: ecs.ContainerImage, logging: ecs.LogDriver): void {
  const task = container.taskDefinition;
  task.addVolume({ name: VOLUME });
  const chmod = task.addContainer(CONTAINER, { image, logging, essential: false, user: 'root', command: CHMOD, readonlyRootFilesystem: true });
  for (const one of [chmod, container]) one.addMountPoints({ sourceVolume: VOLUME, containerPath: TMP, readOnly: false });
  container.addContainerDependencies({ container: chmod, condition: ecs.ContainerDependencyCondition.SUCCESS });
}
