import { aws_ecr as ecr, aws_ecs as ecs, aws_iam as iam, aws_kms as kms, aws_logs as logs, custom_resources as cr, CustomResource, Duration, Names, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { ImageCopyFunction } from './image-copy-function';
import { Network } from '../network/network';
import { acknowledgeFindings } from '../private/acknowledge';
import { functionLogs, keepLogs, letLambdaAttach } from '../private/api-function';
import { idByKey } from '../private/encryption';
import { invalid } from '../private/validation';

const ID = 'PrefectImages';

/** As registries call them. */
const ARCHITECTURES: Record<string, string> = { X86_64: 'amd64', ARM64: 'arm64' };

/** A version has an image for each worker type and architecture, so several versions fit. */
const IMAGES_KEPT = 12;

export interface ImageCopiesProps {
  readonly network: Pick<Network, 'isolated' | 'providerOptions' | 'connectivity'>;
  readonly encryptionKey: kms.IKey;
  readonly logRetention: logs.RetentionDays;
}

/**
 * Copies of public images in a repository of the stack, made at the deployment: tasks pull them as often as they like, without a
 * way to the internet. The official images share most of their layers, so they share the repository.
 */
export class ImageCopies extends Construct {
  /** Those of the stack and of one key, or of one VPC where functions have to be in it: the first worker that needs one creates the repository. */
  public static of(stack: Stack, props: ImageCopiesProps): ImageCopies {
    const { vpc } = props.network.providerOptions;
    const id = idByKey(stack, vpc ? `${ID}${Names.uniqueResourceName(vpc, { maxLength: 100 })}` : ID, props.encryptionKey);
    const copies = stack.node.tryFindChild(id) as ImageCopies | undefined ?? new ImageCopies(stack, id, props);
    keepLogs(copies, props.logRetention);
    return copies;
  }

  private readonly repository: ecr.Repository;
  private readonly provider: cr.Provider;

  private constructor(scope: Construct, id: string, private readonly props: ImageCopiesProps) {
    super(scope, id);
    acknowledgeFindings(this);
    this.repository = new ecr.Repository(this, 'Repository', {
      encryption: ecr.RepositoryEncryption.KMS,
      encryptionKey: props.encryptionKey,
      imageScanOnPush: true,
      imageTagMutability: ecr.TagMutability.IMMUTABLE,
      lifecycleRules: [{ description: `The last ${IMAGES_KEPT} images`, maxImageCount: IMAGES_KEPT }],
      // All that is in it can be copied again.
      emptyOnDelete: true,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.provider = new cr.Provider(this, 'Provider', {
      onEventHandler: this.copyFunction(),
      logGroup: functionLogs(this, 'ProviderLogs', props),
      ...props.network.providerOptions,
    });
  }

  /** The copy of an image by its name. What refers to it is deployed after it is there. */
  public copy(image: string, cpuArchitecture: ecs.CpuArchitecture): ecs.ContainerImage {
    const architecture = ARCHITECTURES[cpuArchitecture._cpuArchitecture];
    if (!architecture) throw invalid('cpuArchitecture', cpuArchitecture._cpuArchitecture, 'images are copied for X86_64 and ARM64; set copyImages to false and give your own.');
    const [, name, version] = /([^/:]+):(.+)$/.exec(image)!;
    const id = `${name}-${architecture}`;
    const made = this.node.tryFindChild(id) as CustomResource | undefined;
    const copy = made ?? new CustomResource(this, id, {
      resourceType: 'Custom::ImageCopy',
      serviceToken: this.provider.serviceToken,
      properties: {
        Image: image,
        Architecture: architecture,
        RepositoryName: this.repository.repositoryName,
        Tag: `${name}-${version}-${architecture}`,
      },
    });
    if (!made && this.inVpc) copy.node.addDependency(this.props.network.connectivity);
    return ecs.ContainerImage.fromEcrRepository(this.repository, copy.getAttString('Tag'));
  }

  private copyFunction(): ImageCopyFunction {
    const logGroup = functionLogs(this, 'Logs', this.props);
    const role = new iam.Role(this, 'Role', {
      description: 'Copies public images to the repository of the stack',
      assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com'),
    });
    if (this.inVpc) letLambdaAttach(role);
    logGroup.grantWrite(role);
    // Its own grants to push add GetAuthorizationToken on everything, for Docker's login.
    this.repository.grant(role,
      'ecr:DescribeImages', 'ecr:BatchCheckLayerAvailability', 'ecr:InitiateLayerUpload', 'ecr:UploadLayerPart', 'ecr:CompleteLayerUpload', 'ecr:PutImage');
    return new ImageCopyFunction(this, 'Function', {
      description: `Copies public images to the repository of ${Stack.of(this).stackName}`,
      timeout: Duration.minutes(15),
      // 300 MB take 200 MB of memory and two and a half seconds of a processor, TLS apart.
      memorySize: 512,
      role,
      logGroup,
      ...this.props.network.providerOptions,
    });
  }

  /** The function reaches public registries from outside the VPC, wherever it may be there. */
  private get inVpc(): boolean {
    return this.props.network.providerOptions.vpc !== undefined;
  }
}
