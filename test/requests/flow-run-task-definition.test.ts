import { App, aws_ecs as ecs, aws_efs as efs, aws_iam as iam, aws_secretsmanager as secretsmanager, Stack, Tags } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { PrefectFargateWorker, WorkPool } from '../../src';
import { fillTemplate } from '../../src/work-pool/base-job-template';
import { askWorker, EcsRequests } from '../support/ecs-worker';
import { OFFERED } from '../support/prefect-server';
import { cloud, configurationOf, resource, statementsOf } from '../support/worker';

jest.setTimeout(300_000);

/** What users add to the task definition of flow runs, as they would to any other: seen in what the real worker registers and runs. */
describe('a task definition of flow runs with all that users add', () => {
  let template: Template;
  let requests: Required<EcsRequests>;
  const flowRun = () => requests.taskDefinition!.containerDefinitions.find(({ name }: any) => name === 'prefect');
  const container = (name: string) => requests.taskDefinition!.containerDefinitions.find((candidate: any) => candidate.name === name);

  beforeAll(async () => {
    const app = new App({ analyticsReporting: false, treeMetadata: false });
    const stack = new Stack(app, 'Stack');
    const secret = new secretsmanager.Secret(stack, 'Database');
    const worker = new PrefectFargateWorker(stack, 'Worker', {
      api: cloud(stack),
      workPool: WorkPool.managed('etl', {
        flowRunDefaults: {
          ephemeralStorageGiB: 100,
          secrets: { API_TOKEN: ecs.Secret.fromSecretsManager(new secretsmanager.Secret(stack, 'Token')) },
          jobVariables: { match_latest_revision_in_family: true },
        },
      }),
    });
    const files = new efs.FileSystem(stack, 'Files', { vpc: worker.vpc });
    const accessPoint = files.addAccessPoint('Flows', { path: '/flows', posixUser: { uid: '1000', gid: '1000' } });
    worker.flowRunTaskDefinition.addVolume({
      name: 'files',
      efsVolumeConfiguration: { fileSystemId: files.fileSystemId, transitEncryption: 'ENABLED', authorizationConfig: { accessPointId: accessPoint.accessPointId, iam: 'ENABLED' } },
    });
    worker.flowRunContainer.addMountPoints({ sourceVolume: 'files', containerPath: '/data', readOnly: false });
    worker.flowRunContainer.addSecret('DB_PASSWORD', ecs.Secret.fromSecretsManager(secret, 'password'));
    worker.flowRunContainer.addEnvironment('TEAM', 'data');
    worker.flowRunContainer.addUlimits({ name: ecs.UlimitName.NOFILE, softLimit: 65536, hardLimit: 65536 });
    worker.flowRunTaskDefinition.addFirelensLogRouter('log-router', {
      image: ecs.obtainDefaultFluentBitECRImage(worker.flowRunTaskDefinition),
      firelensConfig: { type: ecs.FirelensLogRouterType.FLUENTBIT },
      logging: ecs.LogDrivers.awsLogs({ logGroup: worker.logGroup, streamPrefix: 'log-router' }),
    });
    const agent = worker.flowRunTaskDefinition.addContainer('agent', { image: ecs.ContainerImage.fromRegistry('public.ecr.aws/datadog/agent:7'), essential: false, environment: { ECS_FARGATE: 'true' } });
    worker.flowRunContainer.addContainerDependencies({ container: agent, condition: ecs.ContainerDependencyCondition.START });
    worker.flowRunRole.addToPrincipalPolicy(new iam.PolicyStatement({ actions: ['elasticfilesystem:ClientWrite'], resources: [files.fileSystemArn] }));
    Tags.of(app).add('CostCenter', '4711');

    template = Template.fromStack(stack);
    const values = configurationOf(template).template;
    [requests] = await askWorker([{ template: fillTemplate(OFFERED.ecs, undefined, values) }], { PREFECT_API_KEY: 'pnu_plain' }) as Required<EcsRequests>[];
  });

  test('is one that the worker and Amazon ECS take', () => {
    expect(requests.error).toBeUndefined();
  });

  test('has the volume with its access point, and mounts it', () => {
    expect(requests.taskDefinition!.volumes).toEqual([{
      name: 'files',
      efsVolumeConfiguration: { fileSystemId: expect.stringMatching(/^\{Files/), transitEncryption: 'ENABLED', authorizationConfig: { accessPointId: expect.stringMatching(/^\{Files/), iam: 'ENABLED' } },
    }]);
    expect(flowRun().mountPoints).toEqual([{ sourceVolume: 'files', containerPath: '/data', readOnly: false }]);
  });

  test('has secrets, a field of one among them, beside the API\'s', () => {
    expect(flowRun().secrets).toEqual(expect.arrayContaining([
      { name: 'API_TOKEN', valueFrom: expect.stringMatching(/^\{Token/) },
      { name: 'DB_PASSWORD', valueFrom: expect.stringMatching(/^\{Database\w+\}:password::$/) },
      { name: 'PREFECT_API_KEY', valueFrom: expect.stringMatching(/^\{ApiKey/) },
    ]));
  });

  test('lets only the execution role of flow runs read them', () => {
    const readable = (role: RegExp) => JSON.stringify(statementsOf(template, role).filter(({ Action }) => JSON.stringify(Action).includes('secretsmanager:GetSecretValue')));
    expect(readable(/FlowRunExecutionRole/)).toMatch(/Database.*Token|Token.*Database/);
    expect(readable(/IdentityExecutionRole/)).not.toMatch(/Database|Token/);
  });

  test('has a variable, a limit and the size of its disk', () => {
    expect(requests.runTask!.overrides.containerOverrides[0].environment).toContainEqual({ name: 'TEAM', value: 'data' });
    expect(flowRun().ulimits).toEqual([{ name: 'nofile', softLimit: 65536, hardLimit: 65536 }]);
    expect(requests.taskDefinition!.ephemeralStorage).toEqual({ sizeInGiB: 100 });
  });

  test('has a log router and a sidecar, and what overrides the flow run still reaches the flow run', () => {
    expect(container('log-router')).toMatchObject({ firelensConfiguration: { type: 'fluentbit' } });
    expect(container('agent')).toMatchObject({ essential: false, environment: [{ name: 'ECS_FARGATE', value: 'true' }] });
    expect(flowRun().dependsOn).toContainEqual({ containerName: 'agent', condition: 'START' });
    expect(requests.runTask!.overrides.containerOverrides).toEqual([expect.objectContaining({ name: 'prefect' })]);
  });

  test('has the tags of the app, which its tasks get beside Prefect\'s own labels', () => {
    expect(requests.taskDefinition!.tags).toEqual([{ key: 'CostCenter', value: '4711' }]);
    expect(requests.runTask!.propagateTags).toBe('TASK_DEFINITION');
    expect(requests.runTask!.tags.map(({ key }: any) => key)).toContain('prefect.io/flow-run-id');
  });

  test('is deployed as a resource too, so that Amazon ECS refuses a wrong one in the deployment', () => {
    const { Properties } = resource(template, 'AWS::ECS::TaskDefinition', /FlowRunTask/);
    expect(Properties.ContainerDefinitions.map(({ Name }: any) => Name).sort()).toEqual(['agent', 'log-router', 'prefect']);
    expect(Properties.Tags).toEqual([{ Key: 'CostCenter', Value: '4711' }]);
  });
});
