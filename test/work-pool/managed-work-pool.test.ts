import { readFileSync } from 'node:fs';
import { App, aws_ecr as ecr, aws_ecs as ecs, aws_secretsmanager as secretsmanager, CfnParameter, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { FlowRunDefaults, PrefectApi, PrefectFargateWorkerProps, Tracing, WorkerType, WorkPool } from '../../src';
import { addWorker, CERTIFICATE, cloud, configurationOf, connectedVpc, flowRunContainer, newStack, resource, resources, selfHosted, statementsOf, templateOf, text } from '../support/worker';

const { PROCESS } = WorkerType;
const flowRuns = (flowRunDefaults: FlowRunDefaults, props: Partial<PrefectFargateWorkerProps> = {}) =>
  configurationOf(templateOf({ workPool: WorkPool.managed('etl', { flowRunDefaults }), ...props })).template;

describe('an ECS pool is told', () => {
  const template = templateOf();
  const told = configurationOf(template);
  const id = (type: string, name: RegExp) => resource(template, type, name).logicalId;

  test('its name, type and API, with a reference to the key', () => {
    expect(told).toMatchObject({ name: 'etl', type: 'ecs', queues: [], deleteOnRemoval: false });
    expect(told.api).toEqual({ url: expect.stringMatching(/^https:\/\/api\.prefect\.cloud\//), isCloud: true, secrets: { PREFECT_API_KEY: '{ApiKeyF9DDEE66}' } });
    expect(told).not.toHaveProperty('concurrencyLimit');
  });

  test('this stack\'s cluster, roles, network, logs and defaults', () => {
    expect(told.template.variables).toEqual({
      cluster: `{${id('AWS::ECS::Cluster', /./)}.Arn}`,
      family: 'flow-run',
      launch_type: 'FARGATE',
      image: expect.stringMatching(/{PrefectImagesRepository\w+}:{PrefectImagesprefectamd64\w+\.Tag}$/),
      cpu: 512,
      memory: 1024,
      command: expect.stringMatching(/^python -c '.*FLOW_RUN_PROGRAM.*"prefect", "flow-run", "execute"\)'$/),
      task_role_arn: `{${id('AWS::IAM::Role', /IdentityFlowRunRole/)}.Arn}`,
      execution_role_arn: `{${id('AWS::IAM::Role', /FlowRunExecutionRole/)}.Arn}`,
      network_configuration: {
        subnets: [`{${id('AWS::EC2::Subnet', /PrivateSubnet1/)}}`, `{${id('AWS::EC2::Subnet', /PrivateSubnet2/)}}`],
        securityGroups: [`{${id('AWS::EC2::SecurityGroup', /FlowRunSecurityGroup/)}.GroupId}`],
        assignPublicIp: 'DISABLED',
      },
      configure_cloudwatch_logs: true,
      cloudwatch_logs_prefix: 'flow-run',
      cloudwatch_logs_options: { 'awslogs-group': `{${id('AWS::Logs::LogGroup', /WorkerTaskLogs/)}}`, 'awslogs-region': '{AWS::Region}', 'awslogs-create-group': 'false' },
      prefect_api_key_secret_arn: '{ApiKeyF9DDEE66}',
    });
  });

  test('JSON logs, heartbeats, what to do when it is stopped, and the architecture, and no container beside the flow run\'s', () => {
    expect(told.template.environment).toEqual({
      PREFECT_LOGGING_HANDLERS_CONSOLE_FORMATTER: 'json',
      PREFECT_CLIENT_RETRY_EXTRA_CODES: '500,504',
      PREFECT_CLIENT_MAX_RETRIES: '9',
      PREFECT_FLOWS_HEARTBEAT_FREQUENCY: '60',
      PREFECT_FLOW_RUN_EXECUTE_SIGTERM_BEHAVIOR: 'reschedule',
      // The worker's own, which it would pass on.
      PREFECT_HOME: null,
      PREFECT_WORKER_WEBSERVER_HOST: null,
      PREFECT_WORKER_WEBSERVER_PORT: null,
    });
    expect(told.template.taskDefinition).toEqual({
      executionRoleArn: '{{ execution_role_arn }}',
      family: expect.stringMatching(/^prefect-Stack-Worker-[0-9A-F]{8}-{{ family }}$/),
      runtimePlatform: { cpuArchitecture: 'X86_64', operatingSystemFamily: 'LINUX' },
      containerDefinitions: [{
        name: '{{ container_name }}',
        image: '{{ image }}',
        essential: true,
        stopTimeout: 120,
        environment: [{ name: 'FLOW_RUN_PROGRAM', value: readFileSync('assets/task/flow_run.py', 'utf8') }],
      }],
    });
  });

  test('names that its worker may register and run, whatever a deployment\'s own family is', () => {
    const [{ Resource }] = statementsOf(template, /WorkerRole/).filter(({ Sid }) => Sid === 'StartFlowRuns');
    const [, prefix] = /^(.*)-{{ family }}$/.exec(told.template.taskDefinition.family)!;
    expect(text(Resource)).toContain(`task-definition/${prefix}*`);
  });
});

describe('the defaults of flow runs', () => {
  test('are told as they are given', () => {
    expect(flowRuns({ cpu: 1024, memoryLimitMiB: 4096, capacity: { spotWeight: 1, onDemandWeight: 0 }, environment: { LEVEL: 'debug' } })).toMatchObject({
      variables: { cpu: 1024, memory: 4096, launch_type: 'FARGATE_SPOT' }, environment: { LEVEL: 'debug' },
    });
  });

  test.each([
    [['prefect', 'flow-run', 'execute'], 'prefect flow-run execute'],
    [['python', '-c', 'print("a b")'], 'python -c \'print("a b")\''],
    [['echo', 'it\'s', '$HOME'], 'echo \'it\'"\'"\'s\' \'$HOME\''],
    [['run', ''], 'run \'\''],
  ])('have the command %j as one string that a shell takes apart again', (command, told) => {
    expect(flowRuns({ command }).variables.command).toBe(told);
  });

  test('have no program of ours beside a command of the user\'s', () => {
    const { taskDefinition } = flowRuns({ command: ['uv', 'run', 'prefect', 'flow-run', 'execute'] });
    expect(taskDefinition.containerDefinitions).toEqual([{ name: '{{ container_name }}', image: '{{ image }}', essential: true, stopTimeout: 120 }]);
  });

  test('let the flow runs\' execution role pull the image', () => {
    const template = templateOf(stack => ({
      workPool: WorkPool.managed('etl', { flowRunDefaults: { image: ecs.ContainerImage.fromEcrRepository(new ecr.Repository(stack, 'Flows'), '7') } }),
    }));
    expect(configurationOf(template).template.variables.image).toMatch(/Flows.*:7$/);
    const pulled = (role: RegExp) => statementsOf(template, role).filter(({ Action }) => Action.includes('ecr:BatchGetImage')).map(({ Resource }) => text(Resource));
    expect(pulled(/FlowRunExecutionRole/)).toEqual([expect.stringMatching(/^{Flows\w+\.Arn}$/)]);
    expect(pulled(/IdentityExecutionRole/)).toEqual([expect.stringMatching(/^{PrefectImages\w+\.Arn}$/)]);
  });

  test('pull an image of a private registry with its credentials', () => {
    const template = templateOf(stack => ({
      workPool: WorkPool.managed('etl', {
        flowRunDefaults: {
          image: ecs.ContainerImage.fromRegistry('registry.example.com/flows:7', { credentials: new secretsmanager.Secret(stack, 'Registry') }),
        },
      }),
    }));
    expect(configurationOf(template).template.variables.image).toBe('registry.example.com/flows:7');
    expect(flowRunContainer(template).repositoryCredentials).toEqual({ credentialsParameter: expect.stringMatching(/^\{Registry/) });
    expect(statementsOf(template, /FlowRunExecutionRole/).map(({ Resource }) => text(Resource))).toContainEqual(expect.stringMatching(/^\{Registry/));
  });

  test('pull the container that writes the certificate authority with the same credentials, and let it write as root', () => {
    const template = templateOf(stack => ({
      api: selfHosted(stack),
      workPool: WorkPool.managed('etl', {
        flowRunDefaults: {
          image: ecs.ContainerImage.fromRegistry('registry.example.com/flows:7', { credentials: new secretsmanager.Secret(stack, 'Registry') }),
        },
      }),
    }));
    expect(flowRunContainer(template, 'ca-certificate')).toMatchObject({
      user: 'root', repositoryCredentials: { credentialsParameter: expect.stringMatching(/^\{Registry/) },
    });
  });

  test('have the worker\'s architecture', () => {
    expect(flowRuns({}, { cpuArchitecture: ecs.CpuArchitecture.ARM64 }).taskDefinition.runtimePlatform.cpuArchitecture).toBe('ARM64');
  });

  test('have the least memory that goes with the CPU where only that is given', () => {
    expect(flowRuns({ cpu: 2048 }).variables).toMatchObject({ cpu: 2048, memory: 4096 });
  });
});

describe('a server of your own', () => {
  const template = templateOf(stack => ({ api: selfHosted(stack) }));
  const told = configurationOf(template);

  test('is told with references to its secrets, and its certificate authority', () => {
    expect(told.api).toEqual({
      url: 'https://prefect.example.com:4200/api',
      isCloud: false,
      tlsCaCertificate: CERTIFICATE,
      secrets: { PREFECT_API_AUTH_STRING: expect.stringMatching(/^\{AuthString\w+\}:auth::$/), PREFECT_CLIENT_CUSTOM_HEADERS: expect.stringMatching(/^\{Headers\w+\}$/) },
    });
  });

  test('gives flow runs the authentication string and the headers as secrets', () => {
    expect(told.template.variables.prefect_api_auth_string_secret_arn).toMatch(/^\{AuthString\w+\}:auth::$/);
    expect(flowRunContainer(template).secrets).toEqual([{ name: 'PREFECT_CLIENT_CUSTOM_HEADERS', valueFrom: expect.stringMatching(/^\{Headers/) }]);
    expect(told.template.environment).toMatchObject({ PREFECT_CLIENT_CUSTOM_HEADERS: null });
  });

  test('gives flow runs the certificate authority', () => {
    expect(flowRunContainer(template, 'ca-certificate')).toMatchObject({ essential: false, image: told.template.variables.image, environment: [{ name: 'CA_CERTIFICATE', value: CERTIFICATE }] });
    // As the flow run's own logs, which Prefect's worker adds to no other container.
    const { 'awslogs-create-group': _, ...logs } = told.template.variables.cloudwatch_logs_options;
    expect(flowRunContainer(template, 'ca-certificate').logConfiguration).toEqual({ logDriver: 'awslogs', options: { ...logs, 'awslogs-stream-prefix': 'flow-run' } });
    expect(flowRunContainer(template)).toMatchObject({
      dependsOn: [{ containerName: 'ca-certificate', condition: 'SUCCESS' }],
      mountPoints: [{ sourceVolume: 'prefect-tls', containerPath: '/prefect-tls', readOnly: true }],
    });
    expect(told.template.taskDefinition.volumes).toEqual([{ name: 'prefect-tls' }]);
  });
});

describe('a PROCESS pool', () => {
  const workQueues = [{ name: 'urgent', priority: 1, concurrencyLimit: 5 }];
  const told = configurationOf(templateOf({ workerType: PROCESS, workPool: WorkPool.managed('quick', { concurrencyLimit: 20, workQueues, deleteOnRemoval: true }) }));

  test('is told its limit, its queues and what becomes of it', () => {
    expect(told).toMatchObject({ name: 'quick', type: 'process', concurrencyLimit: 20, queues: workQueues, deleteOnRemoval: true });
  });

  test('keeps the server\'s template, and lets flow runs wait longer for an API that is away', () => {
    expect(told.template).toEqual({ variables: {}, environment: { PREFECT_CLIENT_MAX_RETRIES: '9' } });
  });
});

describe('numbers and names that are known only at deployment', () => {
  const stack = newStack();
  const number = (id: string) => new CfnParameter(stack, id, { type: 'Number' }).valueAsNumber;
  addWorker(stack, {
    workPool: WorkPool.managed(new CfnParameter(stack, 'Pool').valueAsString, {
      concurrencyLimit: number('Limit'),
      workQueues: [{ name: new CfnParameter(stack, 'Queue').valueAsString, priority: number('Priority') }],
      flowRunDefaults: { cpu: number('Cpu'), memoryLimitMiB: number('Memory') },
    }),
  });
  const configured = text(resource(Template.fromStack(stack), 'Custom::PrefectWorkPool').Properties.Configuration);

  test('are in what the pool is told, numbers as numbers', () => {
    for (const part of ['"name":"{Pool}"', '"concurrencyLimit":{Limit}', '"name":"{Queue}"', '"priority":{Priority}', '"cpu":{Cpu}', '"memory":{Memory}']) {
      expect(configured).toContain(part);
    }
  });
});

describe('the function that manages the pool', () => {
  const template = templateOf(stack => ({ api: cloud(stack, 'key') }));
  const fn = resource(template, 'AWS::Lambda::Function', /Functions\w+WorkPoolFunction/);

  test('has the time that flow runs of a stack that is deleted may take to end', () => {
    expect(fn.Properties.Timeout).toBe(900);
  });

  test('runs Node 22 or later', () => {
    expect(Number(/^nodejs(\d+)\.x$/.exec(fn.Properties.Runtime)![1])).toBeGreaterThanOrEqual(22);
  });

  test('may read the API key and write its own log, and end flow runs, and nothing else', () => {
    const statements = statementsOf(template, /Functions\w+WorkPoolRole/);
    expect(statements.map(({ Action, Resource }) => [Action, text(Resource)])).toEqual([
      [['logs:CreateLogStream', 'logs:PutLogEvents'], expect.stringMatching(/^\{PrefectWorkersSharedFunctions\w+WorkPoolLogs\w+\.Arn\}$/)],
      [['secretsmanager:GetSecretValue', 'secretsmanager:DescribeSecret'], '{ApiKeyF9DDEE66}'],
      [['ecs:DescribeTasks', 'ecs:StopTask'], expect.stringMatching(/:task\/\{WorkerCluster\w+\}\/\*$/)],
      ['ecs:ListTasks', '*'],
    ]);
  });

  test('is called when the private network is there, where the API is in it', () => {
    const own = templateOf(stack => ({ api: selfHosted(stack) }));
    const routes = Object.keys(own.findResources('AWS::EC2::Route')).filter(id => /PrivateSubnet/.test(id));
    expect(routes).toHaveLength(2);
    expect(resource(own, 'Custom::PrefectWorkPool').DependsOn).toEqual(expect.arrayContaining(routes));
  });

  test('is called when the endpoints are there, where only they lead to the secrets', () => {
    const own = templateOf(stack => ({ api: selfHosted(stack), vpc: connectedVpc(stack, 0), network: { vpcEndpoints: true } }));
    expect(resource(own, 'Custom::PrefectWorkPool').DependsOn).toContain(resource(own, 'AWS::EC2::VPCEndpoint', /SecretsManager/).logicalId);
  });
});

describe('what takes minutes', () => {
  const slow = (template: Template) => Object.entries({ ...template.findResources('AWS::EC2::NatGateway'), ...template.findResources('AWS::EC2::VPCEndpoint', { Properties: { VpcEndpointType: 'Interface' } }) });
  const waiting = (template: Template) => slow(template).filter(([, { DependsOn = [] }]) => DependsOn.includes(resource(template, 'Custom::PrefectWorkPool', /^(?!Second)/).logicalId));

  test.each([[WorkerType.ECS], [PROCESS]])('begins when the API, the key, its role and the plan have proved to do (%s)', workerType => {
    const template = templateOf({ workerType });
    expect(slow(template).length).toBeGreaterThan(4);
    expect(waiting(template)).toEqual(slow(template));
  });

  test.each<[string, Parameters<typeof templateOf>[0]]>([
    ['with functionsInVpc', { network: { functionsInVpc: true } }],
    ['with privateNetwork', stack => ({ api: selfHosted(stack), network: { vpcEndpoints: true } })],
  ])('comes first where the function needs it, %s', (_, props) => {
    const template = templateOf(props);
    expect(slow(template).length).toBeGreaterThan(4);
    expect(waiting(template)).toEqual([]);
  });

  test('waits for one of two workers that share it', () => {
    const stack = newStack();
    const { vpc, cluster } = addWorker(stack);
    addWorker(stack, { vpc, cluster, workPool: WorkPool.managed('second'), observability: { tracing: Tracing.xray() } }, 'Second');
    const template = Template.fromStack(stack);
    expect(slow(template).length - waiting(template).length).toBe(1); // X-Ray, for the second
  });

  test('waits for nothing in a VPC of another stack', () => {
    const app = new App();
    const first = new Stack(app, 'First');
    const { vpc, cluster } = addWorker(first);
    const second = new Stack(app, 'Other');
    addWorker(second, { api: PrefectApi.selfHosted({ url: 'https://prefect.example.com/api' }), vpc, cluster, observability: { tracing: Tracing.xray() } });
    expect(() => app.synth()).not.toThrow();
  });
});

describe('an existing pool', () => {
  const template = templateOf({ workPool: WorkPool.existing('etl') });

  test('is not touched', () => {
    template.resourceCountIs('Custom::PrefectWorkPool', 0);
    expect(Object.keys(template.findResources('AWS::Lambda::Function')).filter(id => /WorkPool/.test(id))).toEqual([]);
  });

  test('is watched all the same, where it is of the type ECS', () => {
    expect(resources(template, 'AWS::SQS::Queue')).toHaveLength(2);
    templateOf({ workPool: WorkPool.existing('etl'), workerType: PROCESS }).resourceCountIs('AWS::SQS::Queue', 0);
  });
});
