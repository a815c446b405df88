import { aws_ecr as ecr, aws_ecs as ecs } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Tracing, WorkerType, WorkPool, XRayTracingOptions } from '../src';
import { addWorker, configurationOf, flowRunContainer, container, importedVpc, newStack, resources, selfHosted, statementsOf, templateOf, text, warnings } from './support/worker';

const { ECS, PROCESS } = WorkerType;
const traced = (options?: XRayTracingOptions) => ({ observability: { tracing: Tracing.xray(options) } });
const ecsTemplate = templateOf(traced());
const processTemplate = templateOf({ ...traced(), workerType: PROCESS });

const variables = (template: Template) => Object.fromEntries(container(template).Environment.map(({ Name, Value }: any) => [Name, text(Value)]));
const collectorConfiguration = (collector: any) => JSON.parse(collector.Environment.find(({ Name }: any) => Name === 'AOT_CONFIG_CONTENT').Value);

describe.each([['ECS', ecsTemplate], ['PROCESS', processTemplate]])('with tracing, the task of a worker of the type %s', (_, template) => {
  const collector = container(template, 'collector');

  test('has a collector at an exact version, which takes nobody with it when it fails', () => {
    expect(collector).toMatchObject({
      Image: expect.stringMatching(/^public\.ecr\.aws\/aws-observability\/aws-otel-collector:v\d+\.\d+\.\d+$/),
      Essential: false,
      ReadonlyRootFilesystem: true,
      Memory: 256,
      HealthCheck: { Command: ['CMD', '/healthcheck'] },
    });
  });

  test('starts it before the worker, so that it stops after it', () => {
    expect(container(template).DependsOn).toEqual([{ ContainerName: 'collector', Condition: 'START' }]);
  });

  test('takes OTLP on its loopback only, and sends to X-Ray', () => {
    const { receivers, service } = collectorConfiguration(collector);
    expect(receivers).toEqual({ otlp: { protocols: { http: { endpoint: '127.0.0.1:4318' } } } });
    expect(service.pipelines).toEqual({ traces: { receivers: ['otlp'], processors: ['batch'], exporters: ['awsxray'] } });
  });

  test('tells the worker where it is, for traces only', () => {
    expect(variables(template)).toMatchObject({
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://127.0.0.1:4318/v1/traces',
      OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'http/protobuf',
      OTEL_METRICS_EXPORTER: 'none',
      OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
      OTEL_TRACES_SAMPLER_ARG: '1',
      PREFECT_PLUGINS_ENABLED: 'true',
    });
    expect(variables(template)).not.toHaveProperty('OTEL_EXPORTER_OTLP_ENDPOINT');
  });

  test('may send traces', () => {
    expect(statementsOf(template, /WorkerRole/)).toContainEqual(expect.objectContaining({ Action: 'xray:PutTraceSegments', Resource: '*' }));
  });

  test('reaches X-Ray by an endpoint', () => {
    expect(resources(template, 'AWS::EC2::VPCEndpoint').map(({ Properties }) => text(Properties.ServiceName))).toContain('com.amazonaws.{AWS::Region}.xray');
  });
});

describe('with tracing, flow runs as Fargate tasks', () => {
  const { template } = configurationOf(ecsTemplate);

  test('have the same collector as the worker', () => {
    const collector = flowRunContainer(ecsTemplate, 'collector');
    const ofWorker = container(ecsTemplate, 'collector');
    expect(collector).toMatchObject({ name: 'collector', image: ofWorker.Image, essential: false, readonlyRootFilesystem: true, memory: 256 });
    expect(collector.environment.map(({ name, value }: any) => ({ Name: name, Value: value }))).toEqual(ofWorker.Environment);
    expect(collector.logConfiguration).toEqual({
      logDriver: 'awslogs',
      options: { 'awslogs-group': expect.stringMatching(/WorkerTaskLogs/), 'awslogs-region': '{AWS::Region}', 'awslogs-stream-prefix': 'flow-run' },
    });
    expect(flowRunContainer(ecsTemplate).dependsOn).toEqual([{ containerName: 'collector', condition: 'START' }]);
  });

  test('know where it is, under the name of their work pool', () => {
    expect(template.environment).toMatchObject({
      OTEL_SERVICE_NAME: 'etl', OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://127.0.0.1:4318/v1/traces', PREFECT_PLUGINS_ENABLED: 'true',
    });
  });

  test('may send traces', () => {
    expect(statementsOf(ecsTemplate, /FlowRunRole/)).toContainEqual(expect.objectContaining({ Action: 'xray:PutTraceSegments' }));
  });

  test('wait for the certificate as well', () => {
    const stack = newStack();
    addWorker(stack, s => ({ ...traced(), api: selfHosted(s) }));
    const certified = Template.fromStack(stack);
    expect(configurationOf(certified).template.taskDefinition.containerDefinitions.slice(1).map(({ name }: any) => name)).toEqual(['ca-certificate', 'collector']);
    expect(flowRunContainer(certified).dependsOn).toEqual([{ containerName: 'ca-certificate', condition: 'SUCCESS' }, { containerName: 'collector', condition: 'START' }]);
  });
});

test('variables of yours win', () => {
  const template = templateOf({
    ...traced(),
    environment: { OTEL_SERVICE_NAME: 'mine' },
    workPool: WorkPool.managed('etl', { flowRunDefaults: { environment: { OTEL_TRACES_SAMPLER: 'always_on' } } }),
  });
  expect(variables(template).OTEL_SERVICE_NAME).toBe('mine');
  expect(configurationOf(template).template.environment).toMatchObject({ OTEL_SERVICE_NAME: 'etl', OTEL_TRACES_SAMPLER: 'always_on' });
});

test('the sampling ratio reaches worker and flow runs', () => {
  const template = templateOf(traced({ samplingRatio: 0.25 }));
  expect(variables(template).OTEL_TRACES_SAMPLER_ARG).toBe('0.25');
  expect(configurationOf(template).template.environment.OTEL_TRACES_SAMPLER_ARG).toBe('0.25');
});

test.each([[0], [-0.1], [1.1], [NaN]])('a sampling ratio of %s is refused', samplingRatio => {
  expect(() => Tracing.xray({ samplingRatio })).toThrow(/^samplingRatio is .*: give a share above 0 and up to 1/);
});

test('a collector of yours is pulled by worker and flow runs', () => {
  const template = templateOf(stack => traced({
    collectorImage: ecs.ContainerImage.fromEcrRepository(ecr.Repository.fromRepositoryName(stack, 'Images', 'mirror'), 'v1.2.3'),
  }));
  expect(text(container(template, 'collector').Image)).toMatch(/mirror:v1\.2\.3$/);
  expect(flowRunContainer(template, 'collector').image).toMatch(/mirror:v1\.2\.3$/);
  for (const role of [/WorkerIdentityExecutionRole/, /FlowRunExecutionRole/]) {
    expect(statementsOf(template, role)).toContainEqual(expect.objectContaining({ Action: expect.arrayContaining(['ecr:BatchGetImage']) }));
  }
});

test('the default collector brings a warning where tasks can not reach its registry', () => {
  const stack = newStack();
  const vpc = importedVpc(stack, { isolatedSubnetIds: ['subnet-1', 'subnet-2'] });
  addWorker(stack, { ...traced(), vpc, copyImages: false });
  expect(warnings(stack, 'publicImage.collectorImage')).toHaveLength(1);
});

test.each([[ECS], [PROCESS]])('without tracing, nothing of it is there (%s)', workerType => {
  const template = JSON.stringify(templateOf({ workerType }).toJSON());
  expect(template).not.toMatch(/OTEL_|PREFECT_PLUGINS|xray|otel-collector/i);
});
