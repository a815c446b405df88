import { aws_ecs as ecs } from 'aws-cdk-lib';

const DIRECTORY = '/prefect-tls';
const VOLUME = 'prefect-tls';
const CONTAINER = 'ca-certificate';

/** Where Prefect's client finds the certificate authority of your own server. */
export const CA_CERTIFICATE_FILE = `${DIRECTORY}/ca.pem`;

/** Prefect takes a certificate authority only as a file, and ECS gives a container no files: a container before it writes one. */
const WRITE_FILE = ['python', '-c', `import os, pathlib; pathlib.Path("${CA_CERTIFICATE_FILE}").write_text(os.environ["CA_CERTIFICATE"])`];

/** Puts the certificate authority into the containers of a task definition. */
export function addCaCertificate(container: ecs.ContainerDefinition, image: ecs.ContainerImage, logging: ecs.LogDriver, certificate: string): void {
  const task = container.taskDefinition;
  task.addVolume({ name: VOLUME });
  const writer = task.addContainer(CONTAINER, {
    image,
    logging,
    essential: false,
    // ECS gives a bind mount to root, whatever the image's user is.
    user: 'root',
    command: WRITE_FILE,
    environment: { CA_CERTIFICATE: certificate },
    readonlyRootFilesystem: true,
  });
  writer.addMountPoints({ sourceVolume: VOLUME, containerPath: DIRECTORY, readOnly: false });
  container.addMountPoints({ sourceVolume: VOLUME, containerPath: DIRECTORY, readOnly: true });
  container.addContainerDependencies({ container: writer, condition: ecs.ContainerDependencyCondition.SUCCESS });
}
