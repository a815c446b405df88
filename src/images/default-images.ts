import { Annotations, aws_ecs as ecs, Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { ImageCopies, ImageCopiesProps } from './image-copies';
import { isResolved } from '../private/validation';

export interface DefaultImagesProps extends ImageCopiesProps {
  /** Whether images are copied to a repository of the stack. @default - where the function that copies them reaches the internet */
  readonly copy?: boolean;
  readonly cpuArchitecture: ecs.CpuArchitecture;
}

/** The images that nobody gave: copies in the stack, or as they are in their public registries. */
export class DefaultImages {
  /** Where the copies are that the worker has asked for; other workers of the stack use them too. */
  public copies?: ImageCopies;

  constructor(private readonly worker: Construct, private readonly props: DefaultImagesProps) {}

  /** What the prop gives, or else the image of this name. */
  public givenOr(name: string, prop: string, given: ecs.ContainerImage | undefined): ecs.ContainerImage {
    const { cpuArchitecture, network: { isolated, providerOptions } } = this.props;
    if (given) return given;
    const copy = this.props.copy ?? !(isolated && providerOptions.vpc);
    // Other registries have no such limit, so an open network needs no copy of what they have.
    if (copy && (isolated || isOfDockerHub(name))) {
      this.copies = ImageCopies.of(Stack.of(this.worker), this.props);
      return this.copies.copy(name, cpuArchitecture);
    }
    if (isolated) {
      Annotations.of(this.worker).addWarningV2(`cdk-prefect-fargate-worker:publicImage.${prop}`,
        'Tasks in subnets without a route to the internet can\'t pull the default image from its public registry. '
        + `Set copyImages to true, or copy it to Amazon ECR yourself and give it with ${prop}.`);
    }
    return ecs.ContainerImage.fromRegistry(name);
  }

  /** Warns of flow runs that share Docker Hub's limit of an address. Workers start too seldom to meet it. */
  public warnOfAnonymousPulls(name: string, hasCredentials: boolean): void {
    if (hasCredentials || this.props.network.isolated || !isResolved(name) || !isOfDockerHub(name)) return;
    Annotations.of(this.worker).addWarningV2('cdk-prefect-fargate-worker:anonymousPulls',
      `Each flow run pulls ${name} from Docker Hub without credentials, which an address may do about 100 times in six hours; after that, flow runs can't start. `
      + 'Leave copyImages on for the official image, copy your own to Amazon ECR, or give ContainerImage.fromRegistry() the credentials of an account.');
  }
}

/** Whether an image comes from Docker Hub, which is meant where a name begins with no host. */
export function isOfDockerHub(name: string): boolean {
  return !/^[^/]*[.:][^/]*\//.test(name) || name.startsWith('docker.io/');
}
