import { aws_ecr as ecr, aws_ecs as ecs } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { Tracing, WorkerType, WorkPool } from '../../src';
import { addWorker, configurationOf, container, newStack, resource, resources, statementsOf, templateOf, text, warnings } from '../support/worker';

const copies = (template: Template) => resources(template, 'Custom::ImageCopy').map(({ Properties }) => Properties);

describe('copyImages', () => {
  const template = templateOf({ copyImages: true });
  const { logicalId: repository } = resource(template, 'AWS::ECR::Repository');

  test('copies the official images of the worker and of its flow runs, each at its version and for the architecture', () => {
    expect(copies(template).map(({ Image, Architecture, RepositoryName, Tag }) => [Image, Architecture, RepositoryName, Tag])).toEqual([
      ['prefecthq/prefect-aws:0.7.12-python3.12-prefect3.9.1', 'amd64', { Ref: repository }, 'prefect-aws-0.7.12-python3.12-prefect3.9.1-amd64'],
      ['prefecthq/prefect:3.9.1-python3.12', 'amd64', { Ref: repository }, 'prefect-3.9.1-python3.12-amd64'],
    ]);
    expect(copies(templateOf({ copyImages: true, cpuArchitecture: ecs.CpuArchitecture.ARM64 })).map(({ Tag }) => Tag)).toEqual([
      'prefect-aws-0.7.12-python3.12-prefect3.9.1-arm64', 'prefect-3.9.1-python3.12-arm64',
    ]);
  });

  test('a PROCESS worker has one image, which its flow runs use', () => {
    expect(copies(templateOf({ copyImages: true, workerType: WorkerType.PROCESS })).map(({ Image }) => Image)).toEqual(['prefecthq/prefect:3.9.1-python3.12']);
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
    const first = addWorker(stack, { copyImages: true });
    addWorker(stack, { copyImages: true, workPool: WorkPool.managed('second'), vpc: first.vpc, cluster: first.cluster }, 'Second');
    addWorker(stack, { copyImages: true, workPool: WorkPool.managed('third'), workerType: WorkerType.PROCESS, vpc: first.vpc, cluster: first.cluster }, 'Third');
    const shared = Template.fromStack(stack);
    shared.resourceCountIs('AWS::ECR::Repository', 1);
    expect(copies(shared).map(({ Image }) => Image)).toHaveLength(2);
  });

  test('images that are given are pulled from where they are', () => {
    const given = templateOf(stack => {
      const image = ecs.ContainerImage.fromEcrRepository(ecr.Repository.fromRepositoryName(stack, 'Images', 'prefect'), '1');
      return { copyImages: true, image, workPool: WorkPool.managed('etl', { flowRunDefaults: { image } }) };
    });
    given.resourceCountIs('AWS::ECR::Repository', 0);
    given.resourceCountIs('Custom::ImageCopy', 0);
  });

  test('the template of a pool that exists is not ours, so only the worker\'s image is copied', () => {
    expect(copies(templateOf({ copyImages: true, workPool: WorkPool.existing('etl') }))).toHaveLength(1);
  });

  test('serves subnets without a way to the internet, the collector too, so there is nothing to warn of', () => {
    const stack = newStack();
    addWorker(stack, { copyImages: true, network: { natGateways: 0 }, observability: { tracing: Tracing.xray() } });
    expect(copies(Template.fromStack(stack)).map(({ Image }) => Image)).toContain('public.ecr.aws/aws-observability/aws-otel-collector:v0.49.0');
    expect(warnings(stack, 'publicImage')).toEqual([]);
  });

  test('what Docker Hub doesn\'t limit is not copied where there is a way to it', () => {
    const traced = templateOf({ copyImages: true, observability: { tracing: Tracing.xray() } });
    expect(container(traced, 'collector').Image).toMatch(/^public\.ecr\.aws\//);
  });

  test('an architecture that the images are not there for is refused', () => {
    expect(() => templateOf({ copyImages: true, cpuArchitecture: ecs.CpuArchitecture.of('RISCV') }))
      .toThrow('cpuArchitecture is "RISCV": images are copied for X86_64 and ARM64; set copyImages to false and give your own.');
  });
});

test('copyImages: false creates no repository, and images come from Docker Hub', () => {
  const template = templateOf({ copyImages: false });
  template.resourceCountIs('AWS::ECR::Repository', 0);
  expect(container(template).Image).toBe('prefecthq/prefect-aws:0.7.12-python3.12-prefect3.9.1');
  expect(configurationOf(template).template.variables.image).toBe('prefecthq/prefect:3.9.1-python3.12');
});
