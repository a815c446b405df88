import { aws_ecr as ecr, aws_ecs as ecs, aws_secretsmanager as secretsmanager, Fn, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { Tracing, WorkerType, WorkPool } from '../../src';
import { addWorker, configurationOf, container, newStack, resource, resources, statementsOf, templateOf, text, warnings } from '../support/worker';

const copies = (template: Template) => resources(template, 'Custom::ImageCopy').map(({ Properties }) => Properties);

describe('by default', () => {
  const template = templateOf();
  const { logicalId: repository } = resource(template, 'AWS::ECR::Repository');

  test('copies the official images of the worker and of its flow runs, each at its version and for the architecture', () => {
    expect(copies(template).map(({ Image, Architecture, RepositoryName, Tag }) => [Image, Architecture, RepositoryName, Tag])).toEqual([
      ['prefecthq/prefect-aws:0.7.12-python3.12-prefect3.9.1', 'amd64', { Ref: repository }, 'prefect-aws-0.7.12-python3.12-prefect3.9.1-amd64'],
      ['prefecthq/prefect:3.9.1-python3.12', 'amd64', { Ref: repository }, 'prefect-3.9.1-python3.12-amd64'],
    ]);
    expect(copies(templateOf({ cpuArchitecture: ecs.CpuArchitecture.ARM64 })).map(({ Tag }) => Tag)).toEqual([
      'prefect-aws-0.7.12-python3.12-prefect3.9.1-arm64', 'prefect-3.9.1-python3.12-arm64',
    ]);
  });

  test('a PROCESS worker has one image, which its flow runs use', () => {
    expect(copies(templateOf({ workerType: WorkerType.PROCESS })).map(({ Image }) => Image)).toEqual(['prefecthq/prefect:3.9.1-python3.12']);
  });

  test('workers and flow runs pull the copies, and are deployed after they are there', () => {
    expect(text(container(template).Image)).toMatch(new RegExp(`/{${repository}}:{PrefectImagesprefectawsamd64\\w+\\.Tag}$`));
    expect(configurationOf(template).template.variables.image).toMatch(new RegExp(`/{${repository}}:{PrefectImagesprefectamd64\\w+\\.Tag}$`));
  });

  test.each(['ExecutionRole', 'FlowRunExecutionRole'])('the %s may pull from this repository', role => {
    expect(statementsOf(template, new RegExp(`Identity${role}`))).toContainEqual(expect.objectContaining({
      Action: ['ecr:BatchCheckLayerAvailability', 'ecr:GetDownloadUrlForLayer', 'ecr:BatchGetImage'],
      Resource: { 'Fn::GetAtt': [repository, 'Arn'] },
    }));
  });

  test('the function that copies may write to this repository and to its log, and nothing else', () => {
    expect(statementsOf(template, /PrefectImagesRole/).map(({ Action, Resource }) => [Action, text(Resource)])).toEqual([
      [['logs:CreateLogStream', 'logs:PutLogEvents'], expect.stringMatching(/^{PrefectImagesLogs\w+\.Arn}$/)],
      [['ecr:DescribeImages', 'ecr:BatchCheckLayerAvailability', 'ecr:InitiateLayerUpload', 'ecr:UploadLayerPart', 'ecr:CompleteLayerUpload', 'ecr:PutImage'],
        `{${repository}.Arn}`],
    ]);
  });

  test('the repository is encrypted with the worker\'s key, its tags stay, its images are scanned, old ones end, and it is deleted with the stack', () => {
    template.hasResource('AWS::ECR::Repository', {
      DeletionPolicy: 'Delete',
      Properties: {
        EmptyOnDelete: true,
        EncryptionConfiguration: { EncryptionType: 'KMS', KmsKey: { 'Fn::GetAtt': [Match.stringLikeRegexp('Key'), 'Arn'] } },
        ImageScanningConfiguration: { ScanOnPush: true },
        ImageTagMutability: 'IMMUTABLE',
        LifecyclePolicy: { LifecyclePolicyText: Match.serializedJson({ rules: [Match.objectLike({ selection: { tagStatus: 'any', countType: 'imageCountMoreThan', countNumber: 12 } })] }) },
      },
    });
  });

  test('the workers of a stack share the repository, and each image is copied once', () => {
    const stack = newStack();
    const first = addWorker(stack, {});
    addWorker(stack, { workPool: WorkPool.managed('second'), vpc: first.vpc, cluster: first.cluster }, 'Second');
    addWorker(stack, { workPool: WorkPool.managed('third'), workerType: WorkerType.PROCESS, vpc: first.vpc, cluster: first.cluster }, 'Third');
    const shared = Template.fromStack(stack);
    shared.resourceCountIs('AWS::ECR::Repository', 1);
    expect(copies(shared).map(({ Image }) => Image)).toHaveLength(2);
  });

  test('images that are given are pulled from where they are', () => {
    const given = templateOf(stack => {
      const image = ecs.ContainerImage.fromEcrRepository(ecr.Repository.fromRepositoryName(stack, 'Images', 'prefect'), '1');
      return { image, workPool: WorkPool.managed('etl', { flowRunDefaults: { image } }) };
    });
    given.resourceCountIs('AWS::ECR::Repository', 0);
    given.resourceCountIs('Custom::ImageCopy', 0);
  });

  test('the template of a pool that exists is not ours, so only the worker\'s image is copied', () => {
    expect(copies(templateOf({ workPool: WorkPool.existing('etl') }))).toHaveLength(1);
  });

  test('serves subnets without a way to the internet, the collector too, so there is nothing to warn of', () => {
    const stack = newStack();
    addWorker(stack, { network: { natGateways: 0 }, observability: { tracing: Tracing.xray() } });
    expect(copies(Template.fromStack(stack)).map(({ Image }) => Image)).toContain('public.ecr.aws/aws-observability/aws-otel-collector:v0.49.0');
    expect(warnings(stack, 'publicImage')).toEqual([]);
  });

  test('what Docker Hub doesn\'t limit is not copied where there is a way to it', () => {
    const traced = templateOf({ observability: { tracing: Tracing.xray() } });
    expect(container(traced, 'collector').Image).toMatch(/^public\.ecr\.aws\//);
  });

  test('an architecture that the images are not there for is refused', () => {
    expect(() => templateOf({ cpuArchitecture: ecs.CpuArchitecture.of('RISCV') }))
      .toThrow('cpuArchitecture is "RISCV": images are copied for X86_64 and ARM64; set copyImages to false and give your own.');
  });
});

describe('functions that have to be in the VPC', () => {
  test('reach Docker Hub by its NAT gateways, once they are there', () => {
    const template = templateOf({ network: { functionsInVpc: true } });
    const [copier, provider] = Object.values<any>(template.findResources('AWS::Lambda::Function')).filter(({ Properties }) => /copies|PrefectImages/i.test(Properties.Description));
    expect([copier.Properties.VpcConfig, provider.Properties.VpcConfig]).toEqual([expect.anything(), expect.anything()]);
    for (const { DependsOn } of resources(template, 'Custom::ImageCopy')) expect(DependsOn).toEqual(expect.arrayContaining([expect.stringMatching(/DefaultRoute/)]));
    expect(statementsOf(template, /PrefectImages\w+NetworkVpc[0-9A-F]{8}Role/).flatMap(({ Action }) => Action)).toContain('ec2:DescribeSubnets');
  });

  test('can\'t copy where there is no route to the internet, so that is warned of as without copies', () => {
    const stack = newStack();
    addWorker(stack, { network: { natGateways: 0, functionsInVpc: true } });
    Template.fromStack(stack).resourceCountIs('AWS::ECR::Repository', 0);
    expect(warnings(stack, 'publicImage')).toHaveLength(2);
  });
});

describe('copyImages: false', () => {
  const stack = newStack();
  addWorker(stack, { copyImages: false });
  const template = Template.fromStack(stack);

  test('creates no repository, and images come from Docker Hub', () => {
    template.resourceCountIs('AWS::ECR::Repository', 0);
    expect(container(template).Image).toBe('prefecthq/prefect-aws:0.7.12-python3.12-prefect3.9.1');
    expect(configurationOf(template).template.variables.image).toBe('prefecthq/prefect:3.9.1-python3.12');
  });

  test('warns that flow runs share Docker Hub\'s limit of an address', () => {
    expect(warnings(stack, 'cdk-prefect-fargate-worker:anonymousPulls')).toEqual([expect.stringMatching(
      /^Each flow run pulls prefecthq\/prefect:3\.9\.1-python3\.12 from Docker Hub without credentials.* about 100 times in six hours.* Leave copyImages on/)]);
  });
});

describe('of an image that is given, flow runs that pull it from Docker Hub', () => {
  const warned = (image: (stack: Stack) => ecs.ContainerImage) => {
    const stack = newStack();
    addWorker(stack, { workPool: WorkPool.managed('etl', { flowRunDefaults: { image: image(stack) } }) });
    return warnings(stack, 'anonymousPulls').length;
  };

  test.each(['company/flows:1.0.0', 'python:3.12', 'docker.io/company/flows:1.0.0'])('without credentials bring a warning: %s', name => {
    expect(warned(() => ecs.ContainerImage.fromRegistry(name))).toBe(1);
  });

  test('with credentials, or from another registry, bring none', () => {
    expect(warned(stack => ecs.ContainerImage.fromRegistry('company/flows:1.0.0', { credentials: new secretsmanager.Secret(stack, 'DockerHub') }))).toBe(0);
    expect(warned(() => ecs.ContainerImage.fromRegistry('registry.example.com/company/flows:1.0.0'))).toBe(0);
    expect(warned(() => ecs.ContainerImage.fromRegistry('localhost:5000/flows:1.0.0'))).toBe(0);
    expect(warned(() => ecs.ContainerImage.fromRegistry(Fn.importValue('image')))).toBe(0);
    expect(warned(stack => ecs.ContainerImage.fromEcrRepository(ecr.Repository.fromRepositoryName(stack, 'Images', 'flows'), '1'))).toBe(0);
  });

  test('of PROCESS workers bring none, because they don\'t pull it for each run', () => {
    const stack = newStack();
    addWorker(stack, { workerType: WorkerType.PROCESS, copyImages: false });
    expect(warnings(stack, 'anonymousPulls')).toEqual([]);
  });
});
