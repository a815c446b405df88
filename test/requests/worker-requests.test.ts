import { aws_ecs as ecs, aws_secretsmanager as secretsmanager, Duration, Stack } from 'aws-cdk-lib';
import { PrefectFargateWorkerProps, Tracing, WorkPool } from '../../src';
import { fillTemplate } from '../../src/work-pool/base-job-template';
import { TemplateValues } from '../../src/work-pool/configuration';
import { askWorker, EcsRequests } from '../support/ecs-worker';
import { leaksIn } from '../support/leaks';
import { offeredTemplates } from '../support/offered-templates';
import { OFFERED } from '../support/prefect-server';
import { configurationOf, container, selfHosted, templateOf } from '../support/worker';

jest.setTimeout(300_000);

/** What the real ECS worker makes of a pool that a worker's deployment fills: what Amazon ECS is asked, where it counts. */

const KEY = 'pnu_0123456789abcdefghijklmnopqrstuvwxyz';
const AUTH_STRING = 'admin:plainpassword';
const HEADERS = { 'X-Proxy-Token': 'plainproxytoken' };
const SETTING = 'plainsettingvalue';

interface SetUp {
  readonly props: (stack: Stack) => Partial<PrefectFargateWorkerProps>;
  /** The worker's own, with its credentials. */
  readonly environment: Record<string, string>;
  readonly secrets: string[];
}

const SET_UPS: Record<string, SetUp> = {
  'Prefect Cloud, as it comes': {
    props: () => ({}),
    environment: { PREFECT_API_KEY: KEY },
    secrets: [KEY],
  },
  'a server with everything': {
    props: stack => ({
      api: selfHosted(stack),
      secrets: { PREFECT_LOGGING_EXTRA_LOGGERS: ecs.Secret.fromSecretsManager(new secretsmanager.Secret(stack, 'Setting')) },
      observability: { tracing: Tracing.xray() },
      workPool: WorkPool.managed('etl', {
        flowRunDefaults: {
          capacity: { spotWeight: 1, onDemandWeight: 0 },
          maxRunTime: Duration.hours(6),
          ephemeralStorageGiB: 50,
          cpu: 1024,
          environment: { LEVEL: 'debug' },
          image: ecs.ContainerImage.fromRegistry('registry.example.com/flows:7', { credentials: new secretsmanager.Secret(stack, 'Registry') }),
          command: ['uv', 'run', 'prefect', 'flow-run', 'execute'],
        },
      }),
    }),
    environment: {
      PREFECT_API_AUTH_STRING: AUTH_STRING, PREFECT_CLIENT_CUSTOM_HEADERS: JSON.stringify(HEADERS), PREFECT_LOGGING_EXTRA_LOGGERS: SETTING,
    },
    secrets: [AUTH_STRING, HEADERS['X-Proxy-Token'], SETTING],
  },
};

/** Where each variable that a deployment sets shows its effect. A variable that isn't here has none that anybody has seen. */
const EFFECTS: Record<string, (requests: Required<EcsRequests>) => unknown> = {
  cluster: ({ runTask }) => runTask!.cluster,
  // Behind the prefix that its worker may register.
  family: ({ taskDefinition }) => /^prefect-Stack-Worker-[0-9A-F]{8}-(.*)$/.exec(taskDefinition!.family)![1],
  launch_type: ({ runTask }) => runTask!.launchType ?? runTask!.capacityProviderStrategy[0].capacityProvider,
  image: ({ taskDefinition }) => flowRun(taskDefinition!).image,
  cpu: ({ taskDefinition }) => Number(taskDefinition!.cpu),
  memory: ({ taskDefinition }) => Number(taskDefinition!.memory),
  command: ({ runTask }) => runTask!.overrides.containerOverrides[0].command.map((word: string) => /[^\w-]/.test(word) ? `'${word}'` : word).join(' '),
  task_role_arn: ({ runTask }) => runTask!.overrides.taskRoleArn,
  execution_role_arn: ({ taskDefinition }) => taskDefinition!.executionRoleArn,
  network_configuration: ({ runTask }) => runTask!.networkConfiguration.awsvpcConfiguration,
  configure_cloudwatch_logs: ({ taskDefinition }) => flowRun(taskDefinition!).logConfiguration.logDriver === 'awslogs',
  cloudwatch_logs_prefix: ({ taskDefinition }) => flowRun(taskDefinition!).logConfiguration.options['awslogs-stream-prefix'],
  cloudwatch_logs_options: ({ taskDefinition }) => {
    const { 'awslogs-stream-prefix': _, ...options } = flowRun(taskDefinition!).logConfiguration.options;
    return options;
  },
  ephemeral_storage_gib: ({ taskDefinition }) => taskDefinition!.ephemeralStorage.sizeInGiB,
  // What the reconciler reads of the task, which has the tags of its task definition.
  max_run_time: ({ taskDefinition, runTask }) => runTask!.propagateTags === 'TASK_DEFINITION'
    && Number(/^(\d+) seconds$/.exec(taskDefinition!.tags.find(({ key }: any) => key === 'max-run-time').value)![1]),
  prefect_api_key_secret_arn: ({ taskDefinition }) => secret(taskDefinition!, 'PREFECT_API_KEY'),
  prefect_api_auth_string_secret_arn: ({ taskDefinition }) => secret(taskDefinition!, 'PREFECT_API_AUTH_STRING'),
};

const flowRun = (definition: Record<string, any>) => definition.containerDefinitions.find(({ name }: any) => name === 'prefect');
const secret = (definition: Record<string, any>, variable: string) =>
  flowRun(definition).secrets.find(({ name }: any) => name === variable)?.valueFrom;

test('the templates that these tests begin with are those of the Prefect server that is installed', async () => {
  expect(await offeredTemplates()).toEqual(OFFERED);
});

describe.each(Object.entries(SET_UPS))('%s:', (_, { props, environment, secrets }) => {
  let values: TemplateValues;
  let requests: Required<EcsRequests>;

  beforeAll(async () => {
    values = configurationOf(templateOf(props)).template;
    [requests] = await askWorker([{ template: fillTemplate(OFFERED.ecs, undefined, values) }], environment) as Required<EcsRequests>[];
  });

  test('the worker takes the pool\'s template, and Amazon ECS what the worker asks', () => {
    expect(requests.error).toBeUndefined();
  });

  test('every variable that the deployment sets takes effect', () => {
    expect(Object.fromEntries(Object.keys(values.variables).map(name => [name, EFFECTS[name]?.(requests)]))).toEqual(values.variables);
  });

  test('so does every variable of the environment, and what is null there is not passed on', () => {
    const passed = Object.fromEntries(requests.runTask!.overrides.containerOverrides[0].environment.map(({ name, value }: any) => [name, value]));
    const wanted = Object.entries(values.environment);
    expect(passed).toMatchObject(Object.fromEntries(wanted.filter(([, value]) => value !== null)));
    for (const [name] of wanted.filter(([, value]) => value === null)) expect(passed).not.toHaveProperty(name);
  });

  test('so does every field of the task definition and its containers', () => {
    const { executionRoleArn, family, containerDefinitions: [{ name, image, ...ours }, ...sidecars], ...fields } = values.taskDefinition as any;
    const { tags = [], ephemeralStorage: disk, ...others } = fields;
    expect(requests.taskDefinition).toMatchObject(others);
    if (disk) expect(requests.taskDefinition!.ephemeralStorage).toEqual({ sizeInGiB: values.variables.ephemeral_storage_gib });
    expect((requests.taskDefinition!.tags ?? []).map(({ key }: any) => key)).toEqual(tags.map(({ key }: any) => key));
    const { secrets: ourSecrets = [], ...own } = ours;
    expect(flowRun(requests.taskDefinition!)).toMatchObject(own);
    expect(flowRun(requests.taskDefinition!).secrets).toEqual(expect.arrayContaining(ourSecrets));
    for (const sidecar of sidecars) expect(requests.taskDefinition!.containerDefinitions).toContainEqual(sidecar);
  });

  test('credentials reach the flow run as secrets of its container, and stand nowhere in clear', () => {
    for (const text of [JSON.stringify(requests), JSON.stringify(values)]) {
      for (const credential of secrets) expect([credential, leaksIn(text, credential)]).toEqual([credential, []]);
    }
    expect(flowRun(requests.taskDefinition!).secrets.length).toBeGreaterThanOrEqual(1);
  });

  test('where the places for credentials are missing, as in the server\'s own template, they would stand in clear: this test would see it', async () => {
    const template = fillTemplate(OFFERED.ecs, undefined, { ...values, environment: {} });
    delete template.job_configuration.prefect_api_key_secret_arn;
    delete template.job_configuration.prefect_api_auth_string_secret_arn;
    flowRunOf(template).secrets = [];
    const [leaky] = await askWorker([{ template }], environment);
    for (const credential of secrets) expect(leaksIn(JSON.stringify(leaky), credential)).not.toEqual([]);
  });
});

const flowRunOf = (template: any) => template.job_configuration.task_definition.containerDefinitions[0];

test('a deployment\'s own job variables still take effect, beside what the stack sets', async () => {
  const values: TemplateValues = configurationOf(templateOf()).template;
  const [{ runTask, taskDefinition, error }] = await askWorker([{
    template: fillTemplate(OFFERED.ecs, undefined, values),
    jobVariables: { image: 'own:1', cpu: 2048, memory: 8192, env: { OWN: 'x' }, command: 'own command', family: 'own', network_configuration: { subnets: ['subnet-own'] }, task_role_arn: 'arn:own' },
  }], { PREFECT_API_KEY: KEY });
  expect(error).toBeUndefined();
  expect(taskDefinition).toMatchObject({ cpu: '2048', memory: '8192', family: expect.stringMatching(/^prefect-Stack-Worker-[0-9A-F]{8}-own$/) });
  expect(flowRun(taskDefinition!)).toMatchObject({ image: 'own:1', stopTimeout: 120 });
  expect(runTask).toMatchObject({ networkConfiguration: { awsvpcConfiguration: { subnets: ['subnet-own'] } }, overrides: { taskRoleArn: 'arn:own' } });
  const [{ command, environment }] = runTask!.overrides.containerOverrides;
  expect(command).toEqual(['own', 'command']);
  expect(environment).toEqual(expect.arrayContaining([{ name: 'OWN', value: 'x' }, { name: 'PREFECT_FLOWS_HEARTBEAT_FREQUENCY', value: '60' }]));
  expect(leaksIn(JSON.stringify({ runTask, taskDefinition }), KEY)).toEqual([]);
});

test.each([
  ['a share of Spot', { spotWeight: 3 }, {}, [{ capacityProvider: 'FARGATE', base: 0, weight: 1 }, { capacityProvider: 'FARGATE_SPOT', base: 0, weight: 3 }]],
  ['Spot alone', { spotWeight: 1, onDemandWeight: 0 }, {}, [{ capacityProvider: 'FARGATE_SPOT', weight: 1 }]],
  ['Spot alone, where its deployment wants to be on demand', { spotWeight: 1, onDemandWeight: 0 }, { launch_type: 'FARGATE' }, undefined],
  ['a share of Spot, where its deployment wants to be on demand', { spotWeight: 3 }, { capacity_provider_strategy: [{ capacityProvider: 'FARGATE', base: 0, weight: 1 }] }, [{ capacityProvider: 'FARGATE', base: 0, weight: 1 }]],
  ['no Spot', {}, {}, undefined],
])('a flow run with %s is asked for as such', async (_, capacity, jobVariables, strategy) => {
  const { template } = configurationOf(templateOf({ workPool: WorkPool.managed('etl', { flowRunDefaults: { capacity } }) }));
  const filled = fillTemplate(OFFERED.ecs, undefined, template);
  const [{ runTask, error }] = await askWorker([{ template: filled, jobVariables }], { PREFECT_API_KEY: KEY });
  expect(error).toBeUndefined();
  expect(runTask!.capacityProviderStrategy).toEqual(strategy);
  expect(runTask!.launchType).toBe(strategy ? undefined : 'FARGATE');
});

test('a deployment\'s own max_run_time is what its task is tagged with, and its own disk what its task gets', async () => {
  const flowRunDefaults = { maxRunTime: Duration.hours(1), ephemeralStorageGiB: 50 };
  const { template } = configurationOf(templateOf({ workPool: WorkPool.managed('etl', { flowRunDefaults }) }));
  const filled = fillTemplate(OFFERED.ecs, undefined, template);
  const jobVariables = { max_run_time: 7200, ephemeral_storage_gib: 150 };
  const [{ taskDefinition, error }] = await askWorker([{ template: filled, jobVariables }], { PREFECT_API_KEY: KEY });
  expect(error).toBeUndefined();
  expect(taskDefinition!.tags).toContainEqual({ key: 'max-run-time', value: '7200 seconds' });
  expect(taskDefinition!.ephemeralStorage).toEqual({ sizeInGiB: 150 });
});

test('a flow run that people may look into is started so, with an init process, and without what its template no longer says', async () => {
  const values: TemplateValues = configurationOf(templateOf({ enableExecuteCommand: true })).template;
  const template = structuredClone(fillTemplate(OFFERED.ecs, undefined, values));
  const without: TemplateValues = configurationOf(templateOf()).template;
  const next = fillTemplate(OFFERED.ecs, structuredClone(template), without, values);
  const [{ runTask, taskDefinition, error }, after] = await askWorker([{ template }, { template: next }], { PREFECT_API_KEY: KEY });
  expect(error).toBeUndefined();
  expect(runTask!.enableExecuteCommand).toBe(true);
  expect(flowRun(taskDefinition!).linuxParameters.initProcessEnabled).toBe(true);
  expect(after.runTask).not.toHaveProperty('enableExecuteCommand');
  expect(flowRun(after.taskDefinition!)).not.toHaveProperty('linuxParameters');
});

test('what the worker\'s own container is set to does not reach its flow runs, unless it is for them, too', async () => {
  const template = templateOf();
  const own: Record<string, string> = Object.fromEntries(container(template).Environment.map(({ Name, Value }: any) => [Name, typeof Value === 'string' ? Value : 'a token']));
  const { template: values } = configurationOf(template);
  const [{ runTask, error }] = await askWorker([{ template: fillTemplate(OFFERED.ecs, undefined, values) }], { ...own, PREFECT_API_KEY: KEY });
  expect(error).toBeUndefined();
  const passed = runTask!.overrides.containerOverrides[0].environment.map(({ name }: any) => name);
  expect(own).toHaveProperty('PREFECT_HOME');
  expect(passed.filter((name: string) => name in own && !(name in values.environment))).toEqual(['PREFECT_API_URL']);
});
