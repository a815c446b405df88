import { aws_ecr as ecr, aws_ecs as ecs, aws_ssm as ssm, Token } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { OtlpTracingOptions, PrefectFargateWorkerProps, Tracing, WorkerType, WorkPool, XRayTracingOptions } from '../src';
import {
  addWorker, configurationOf, flowRunContainer, container, importedVpc, newSecret, newStack, resource, resources,
  selfHosted, statementsOf, templateOf, text, warnings,
} from './support/worker';

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

describe('with a receiver of OTLP', () => {
  const ENDPOINT = 'https://otlp.example.com';
  const toOtlp = (options: Partial<OtlpTracingOptions> = {}) => ({ observability: { tracing: Tracing.otlp({ endpoint: ENDPOINT, ...options }) } });
  const withKey = (props: Partial<PrefectFargateWorkerProps> = {}) => templateOf(stack => ({
    ...toOtlp({ headers: { 'x-zone': newSecret(stack, 'Zone', 'zone'), 'api-key': newSecret(stack, 'Key') }, samplingRatio: 0.5 }), ...props,
  }));
  const secretsOf = (of: any) => Object.fromEntries(of.Secrets.map(({ Name, ValueFrom }: any) => [Name, text(ValueFrom)]));

  describe.each([['ECS', ECS], ['PROCESS', PROCESS]])('a worker of the type %s', (_, workerType) => {
    const template = withKey({ workerType });
    const collector = container(template, 'collector');

    test('has a collector that sends there, whose headers are secrets of that container only', () => {
      const { exporters, service } = collectorConfiguration(collector);
      expect(exporters).toEqual({ otlphttp: { endpoint: ENDPOINT, headers: { 'api-key': '${env:OTLP_HEADER_0}', 'x-zone': '${env:OTLP_HEADER_1}' } } });
      expect(service.pipelines.traces.exporters).toEqual(['otlphttp']);
      // cfn-lint takes that for a parameter of Fn::Sub (E1029), and the CDK's own validation warns of it.
      expect(JSON.stringify(template.toJSON())).not.toContain('${env:');
      expect(secretsOf(collector)).toEqual({ OTLP_HEADER_0: expect.stringMatching(/^\{Key\w+\}$/), OTLP_HEADER_1: expect.stringMatching(/^\{Zone\w+\}:zone::$/) });
      expect(JSON.stringify(container(template).Secrets)).not.toContain('OTLP_HEADER');
    });

    test('lets ECS read them, and nobody else', () => {
      const readers = Object.entries<any>(template.findResources('AWS::IAM::Policy'))
        .filter(([, { Properties }]) => /"\{?Ref"?:"Key/.test(JSON.stringify(Properties.PolicyDocument)) && JSON.stringify(Properties.PolicyDocument).includes('secretsmanager:GetSecretValue'));
      expect(readers.map(([id]) => /Worker(Identity\w*Role)DefaultPolicy/.exec(id)?.[1]).sort()).toEqual(
        workerType === PROCESS ? ['IdentityExecutionRole'] : ['IdentityExecutionRole', 'IdentityFlowRunExecutionRole']);
    });

    test('asks for nothing of X-Ray', () => {
      expect(JSON.stringify(template.toJSON())).not.toMatch(/xray/i);
    });

    test('tells what is traced where its collector is, and how much to trace', () => {
      expect(variables(template)).toMatchObject({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://127.0.0.1:4318/v1/traces', OTEL_TRACES_SAMPLER_ARG: '0.5' });
    });
  });

  test('flow runs as Fargate tasks have the same collector, with its secrets', () => {
    const template = withKey();
    const collector = flowRunContainer(template, 'collector');
    expect(collectorConfiguration({ Environment: collector.environment.map(({ name, value }: any) => ({ Name: name, Value: value })) }))
      .toEqual(collectorConfiguration(container(template, 'collector')));
    expect(collector.secrets.map(({ name, valueFrom }: any) => [name, valueFrom])).toEqual(Object.entries(secretsOf(container(template, 'collector'))));
    expect(JSON.stringify(flowRunContainer(template).secrets ?? [])).not.toContain('OTLP_HEADER');
  });

  test('no headers are no secrets', () => {
    expect(container(templateOf(toOtlp()), 'collector').Secrets).toBeUndefined();
  });

  const egressOf = (template: Template, group: RegExp) =>
    resource(template, 'AWS::EC2::SecurityGroup', group).Properties.SecurityGroupEgress.map(({ FromPort }: any) => FromPort);

  test.each<[string, number[]]>([
    [ENDPOINT, [443]],
    ['https://otlp.example.com:4318/otlp', [443, 4318]],
    ['http://collector.example.internal:4318', [443, 4318]],
    ['http://collector.example.internal', [443, 80]],
    // A container of your own in the task.
    ['http://127.0.0.1:4320', [443]],
    [Token.asString({ Ref: 'Endpoint' }), [443]],
  ])('workers and flow runs are let through to the port of %s', (endpoint, ports) => {
    const template = templateOf({ ...toOtlp({ endpoint }), network: { functionsInVpc: true } });
    expect(egressOf(template, /WorkerSecurityGroup/)).toEqual(ports);
    expect(egressOf(template, /FlowRunSecurityGroup/)).toEqual(ports);
    expect(egressOf(template, /SharedFunctionSecurityGroup/)).toEqual([443]);
  });

  test('a port that the API has too is there once', () => {
    const template = templateOf(stack => ({ ...toOtlp({ endpoint: 'https://otlp.example.com:4200' }), api: selfHosted(stack) }));
    expect(egressOf(template, /FlowRunSecurityGroup/)).toEqual([443, 4200, 53, 53]);
  });

  test('the collector takes the proxy of the container beside it', () => {
    const proxied = { HTTPS_PROXY: 'http://proxy.example.com:3128' };
    const template = templateOf({ ...toOtlp(), environment: proxied, workPool: WorkPool.managed('etl', { flowRunDefaults: { environment: proxied } }) });
    const wanted = { HTTPS_PROXY: 'http://proxy.example.com:3128', NO_PROXY: 'localhost,127.0.0.1,169.254.170.2' };
    expect(Object.fromEntries(container(template, 'collector').Environment.map(({ Name, Value }: any) => [Name, Value]))).toMatchObject(wanted);
    expect(Object.fromEntries(flowRunContainer(template, 'collector').environment.map(({ name, value }: any) => [name, value]))).toMatchObject(wanted);
  });

  test('an SSM parameter as a header gets its endpoint', () => {
    const template = templateOf(stack => toOtlp({ headers: { 'api-key': ecs.Secret.fromSsmParameter(ssm.StringParameter.fromSecureStringParameterAttributes(stack, 'Key', { parameterName: '/key' })) } }));
    expect(resources(template, 'AWS::EC2::VPCEndpoint').map(({ Properties }) => text(Properties.ServiceName))).toContain('com.amazonaws.{AWS::Region}.ssm');
  });

  describe('warns', () => {
    const warned = (endpoint: string, props: Partial<PrefectFargateWorkerProps> = {}, id = '') => {
      const stack = newStack();
      addWorker(stack, { ...toOtlp({ endpoint }), ...props });
      return warnings(stack, `tracing.${id}`).length;
    };

    test.each([['http://otlp.example.com', 1], ['http://203.0.113.7:4318', 1], [ENDPOINT, 0], ['http://127.0.0.1:4320', 0], ['http://10.0.3.7:4318', 0],
      ['http://172.20.0.1', 0], ['http://172.40.0.1', 1], ['http://collector', 0], ['http://collector.example.internal:4318', 0], ['http://[fd00::1]:4318', 0],
      [Token.asString({ Ref: 'Endpoint' }), 0]])('of traces in clear outside the network: %s', (endpoint, count) => {
      expect(warned(endpoint, {}, 'plainHttp')).toBe(count);
    });

    test('of the port of gRPC', () => {
      expect([warned('http://collector.example.internal:4317', {}, 'grpc'), warned('http://collector.example.internal:4318', {}, 'grpc')]).toEqual([1, 0]);
    });

    test('of a receiver that tasks can\'t reach', () => {
      const network = { natGateways: 0 };
      expect([warned(ENDPOINT, { network }, 'noInternetRoute'), warned('https://collector.example.internal', { network }, 'noInternetRoute'), warned(ENDPOINT, {}, 'noInternetRoute')]).toEqual([1, 0, 0]);
    });
  });

  describe('refuses', () => {
    const otlp = (options: any) => () => Tracing.otlp({ endpoint: ENDPOINT, ...options });
    const secret = newSecret(newStack(), 'Key');

    test.each<[unknown, string]>([
      [undefined, 'endpoint is missing: give the URL of a receiver of OTLP over HTTP'],
      ['otlp.example.com:4318', 'endpoint is "otlp.example.com:4318": give the URL of a receiver of OTLP over HTTP'],
      ['grpc://otlp.example.com', 'endpoint is "grpc://otlp.example.com": give the URL of a receiver of OTLP over HTTP'],
      ['https://otlp.example.com/v1/traces', 'endpoint is "https://otlp.example.com/v1/traces": the collector adds /v1/traces; give the URL without it.'],
    ])('the endpoint %s', (endpoint, message) => expect(otlp({ endpoint })).toThrow(message));

    test.each(['https://user:hunter2@otlp.example.com', 'https://otlp.example.com/?key=hunter2'])('a key in the endpoint, and does not show it', endpoint => {
      expect(otlp({ endpoint })).toThrow(/^endpoint has a user, a password or a query in it \(it is not shown here\)/);
      expect(otlp({ endpoint })).not.toThrow(/hunter2/);
    });

    test('a header\'s value that is no secret, and does not show it', () => {
      expect(otlp({ headers: { 'api-key': 'hunter2' } })).toThrow(/^headers\.api-key is a string \(its value is not shown here\)/);
      expect(otlp({ headers: { 'api-key': 'hunter2' } })).not.toThrow(/hunter2/);
    });

    test.each<[Record<string, unknown>, string]>([
      [{ 'api key': secret }, 'headers is "api key": this is not a valid name of an HTTP header; give one such as api-key.'],
      [{ Host: secret }, 'headers is "Host": the collector sets this header; remove it.'],
      [{ 'X-Key': secret, 'x-key': secret }, 'headers is ["X-Key","x-key"]: "x-key" is listed twice; names of HTTP headers are not case-sensitive.'],
    ])('the headers %#', (headers, message) => expect(otlp({ headers })).toThrow(message));

    test.each([[0], [1.1]])('a sampling ratio of %s', samplingRatio => {
      expect(otlp({ samplingRatio })).toThrow(/^samplingRatio is .*: give a share above 0 and up to 1/);
    });
  });
});
