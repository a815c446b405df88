import { Annotations, aws_ecs as ecs, Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { ImageCopies, ImageCopiesProps } from './image-copies';

export interface DefaultImagesProps extends ImageCopiesProps {
  /** Whether images are copied to a repository of the stack. */
  readonly copy: boolean;
  readonly cpuArchitecture: ecs.CpuArchitecture;
  /** Whether the tasks' subnets have no route to the internet. */
  readonly closedNetwork: boolean;
}

/** The images that nobody gave: copies in the stack, or as they are in their public registries. */
export class DefaultImages {
  constructor(private readonly worker: Construct, private readonly props: DefaultImagesProps) {}

  /** What the prop gives, or else the image of this name. */
  public givenOr(name: string, prop: string, given: ecs.ContainerImage | undefined): ecs.ContainerImage {
    const { copy, cpuArchitecture, closedNetwork } = this.props;
    if (given) return given;
    // Other registries have no such limit, so an open network needs no copy of what they have.
    if (copy && (closedNetwork || isOfDockerHub(name))) return ImageCopies.of(Stack.of(this.worker), this.props).copy(name, cpuArchitecture);
    if (closedNetwork) {
      Annotations.of(this.worker).addWarningV2(`cdk-prefect-fargate-worker:publicImage.${prop}`,
        'Tasks in subnets without a route to the internet can\'t pull the default image from its public registry. '
        + `Set copyImages to true, or copy it to Amazon ECR yourself and give it with ${prop}.`);
    }
    return ecs.ContainerImage.fromRegistry(name);
  }
}

/** Whether an image comes from Docker Hub, which is meant where a name begins with no host. */
export function isOfDockerHub(name: string): boolean {
  return !/^[^/]*[.:][^/]*\//.test(name) || name.startsWith('docker.io/');
}
