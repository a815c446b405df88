import { BaseJobTemplate, fillTemplate } from '../../src/work-pool/base-job-template';
import { TemplateValues } from '../../src/work-pool/configuration';
import { FLOW_RUN_CONTAINER } from '../../src/work-pool/three-way-merge';
import { OFFERED } from '../support/prefect-server';

/** A template as it comes back from the server. */
const stored = (values: TemplateValues) => structuredClone(fillTemplate(offered(), undefined, values));
const offered = () => structuredClone(OFFERED.ecs);
const NOTHING: TemplateValues = { variables: {}, environment: {} };
const defaultsOf = (template: BaseJobTemplate) => Object.fromEntries(
  Object.entries(template.variables.properties).map(([name, variable]) => [name, variable.default]).filter(([, value]) => value !== undefined));
const containers = (template: BaseJobTemplate) => template.job_configuration.task_definition.containerDefinitions;

const headers = { name: 'PREFECT_CLIENT_CUSTOM_HEADERS', valueFrom: 'arn:aws:secretsmanager:us-east-1:1:secret:headers' };
/** As it comes to the function: objects of one realm, which jest otherwise mixes with its own. */
const VALUES: TemplateValues = structuredClone({
  variables: { cluster: 'arn:cluster', cpu: 512, network_configuration: { subnets: ['subnet-1'] }, prefect_api_key_secret_arn: 'arn:key' },
  environment: { LOG_LEVEL: 'debug', PREFECT_CLIENT_CUSTOM_HEADERS: null },
  taskDefinition: {
    executionRoleArn: '{{ execution_role_arn }}',
    runtimePlatform: { cpuArchitecture: 'ARM64' },
    volumes: [{ name: 'prefect-tls' }],
    containerDefinitions: [
      { name: FLOW_RUN_CONTAINER, image: '{{ image }}', environment: [{ name: 'FLOW_RUN_PROGRAM', value: 'pass' }], secrets: [headers], mountPoints: [{ sourceVolume: 'prefect-tls', containerPath: '/prefect-tls' }] },
      { name: 'ca-certificate', image: 'writer:1', essential: false },
    ],
  },
});
const withContainer = (fields: object): TemplateValues => {
  const [flowRun, ...others] = VALUES.taskDefinition!.containerDefinitions as any[];
  return { ...VALUES, taskDefinition: { ...VALUES.taskDefinition, containerDefinitions: [{ ...flowRun, ...fields }, ...others] } };
};
const PLAIN: TemplateValues = {
  ...VALUES,
  environment: {},
  taskDefinition: { executionRoleArn: '{{ execution_role_arn }}', runtimePlatform: { cpuArchitecture: 'ARM64' }, containerDefinitions: [{ name: FLOW_RUN_CONTAINER, image: '{{ image }}' }] },
};

describe('a new pool\'s template', () => {
  const template = fillTemplate(offered(), undefined, VALUES);

  test('has this stack\'s values as defaults, and keeps what the variables are', () => {
    expect(defaultsOf(template)).toEqual({ ...defaultsOf(offered()), ...VALUES.variables, env: VALUES.environment });
    expect(template.variables.properties.cluster).toEqual({ ...offered().variables.properties.cluster, default: 'arn:cluster' });
    expect(template.variables.type).toBe('object');
  });

  test('has the variable of a credential, which the server does not offer, and a place for it in the job configuration', () => {
    expect(template.variables.properties.prefect_api_key_secret_arn).toEqual({ title: 'Prefect API Key Secret ARN', type: 'string', default: 'arn:key' });
    expect(template.job_configuration.prefect_api_key_secret_arn).toBe('{{ prefect_api_key_secret_arn }}');
  });

  test('has the limit of a flow run\'s time where there is one, and loses it with its variable when that is withdrawn', () => {
    const limited: TemplateValues = structuredClone({
      ...VALUES, variables: { ...VALUES.variables, max_run_time: 3600 }, taskDefinition: { ...VALUES.taskDefinition, tags: [{ key: 'max-run-time', value: '{{ max_run_time }} seconds' }] },
    });
    const present = stored(limited);
    expect(present.variables.properties.max_run_time).toMatchObject({ type: 'integer', default: 3600 });
    present.job_configuration.task_definition.tags.push({ key: 'Team', value: 'data' });
    const { variables: { properties }, job_configuration: { task_definition: { tags } } } = fillTemplate(offered(), present, VALUES, limited);
    expect(properties).not.toHaveProperty('max_run_time');
    expect(tags).toEqual([{ key: 'Team', value: 'data' }]);
  });

  test('takes null for a variable that the worker is not to pass on', () => {
    expect(template.variables.properties.env.additionalProperties).toEqual({ anyOf: [{ type: 'string' }, { type: 'null' }] });
    const strings = fillTemplate(offered(), undefined, PLAIN).variables.properties.env;
    expect(strings.additionalProperties).toEqual({ type: 'string' });
  });

  test('keeps a secret setting of the worker from being passed on in clear', () => {
    expect(template.variables.properties.env.default).toEqual({ LOG_LEVEL: 'debug', PREFECT_CLIENT_CUSTOM_HEADERS: null });
  });

  test('gives the network to ECS with the request, so that the worker asks EC2 nothing', () => {
    expect(template.job_configuration.network_configuration).toBeUndefined();
    expect(template.job_configuration.task_run_request).toEqual({
      ...offered().job_configuration.task_run_request, networkConfiguration: { awsvpcConfiguration: '{{ network_configuration }}' }, propagateTags: 'TASK_DEFINITION',
    });
  });

  test('shapes the task definition and its container, and keeps their placeholders', () => {
    expect(template.job_configuration.task_definition).toMatchObject({ family: '{{ family }}', runtimePlatform: { cpuArchitecture: 'ARM64' }, volumes: [{ name: 'prefect-tls' }] });
    expect(containers(template)).toEqual([
      { name: '{{ container_name }}', image: '{{ image }}', environment: [{ name: 'FLOW_RUN_PROGRAM', value: 'pass' }], secrets: [headers], mountPoints: [{ sourceVolume: 'prefect-tls', containerPath: '/prefect-tls' }] },
      { name: 'ca-certificate', image: 'writer:1', essential: false },
    ]);
  });

  test('shapes a container where the server offers none', () => {
    const bare = offered();
    delete bare.job_configuration.task_definition;
    expect(containers(fillTemplate(bare, undefined, PLAIN))).toEqual([{ name: '{{ container_name }}', image: '{{ image }}' }]);
  });

  test('is the server\'s own where there is nothing to fill in', () => {
    expect(fillTemplate(offered(), undefined, NOTHING)).toEqual(offered());
  });

  test('leaves what the server offered as it is', () => {
    const given = offered();
    fillTemplate(given, undefined, VALUES);
    expect(given).toEqual(offered());
  });
});

describe('an existing pool\'s template', () => {
  test('keeps variables, defaults and job settings that users changed', () => {
    const present = stored(VALUES);
    present.variables.properties.image.default = 'mine:1';
    present.variables.properties.team = { type: 'string', default: 'data' };
    present.variables.required = ['team'];
    present.variables.properties.env.default.MINE = 'x';
    present.job_configuration.stream_output = true;
    present.job_configuration.task_run_request.tags = [{ key: 'team', value: '{{ team }}' }];
    const template = fillTemplate(offered(), structuredClone(present), VALUES, VALUES);
    expect(template).toEqual(present);
  });

  test('keeps containers that users added, and the settings of the flow run\'s', () => {
    const present = stored(VALUES);
    containers(present)[0].ulimits = [{ name: 'nofile' }];
    containers(present).push({ name: 'proxy' });
    const template = fillTemplate(offered(), present, VALUES, VALUES);
    expect(containers(template).map(({ name }: any) => name)).toEqual(['{{ container_name }}', 'ca-certificate', 'proxy']);
    expect(containers(template)[0]).toMatchObject({ ulimits: [{ name: 'nofile' }], secrets: [headers] });
  });

  test('keeps volumes, mounts, variables and secrets that users added beside ours', () => {
    const present = stored(VALUES);
    containers(present)[0].environment.push({ name: 'TEAM', value: 'data' });
    present.job_configuration.task_definition.volumes.push({ name: 'scratch' });
    containers(present)[0].mountPoints.push({ sourceVolume: 'scratch', containerPath: '/scratch' });
    containers(present)[0].secrets.push({ name: 'DB_PASSWORD', valueFrom: 'arn:db' });
    const template = fillTemplate(offered(), structuredClone(present), VALUES, VALUES);
    expect(template.job_configuration.task_definition.volumes).toContainEqual({ name: 'scratch' });
    expect(containers(template)[0].mountPoints).toContainEqual({ sourceVolume: 'scratch', containerPath: '/scratch' });
    expect(containers(template)[0].secrets).toContainEqual({ name: 'DB_PASSWORD', valueFrom: 'arn:db' });
    expect(containers(template)[0].environment).toEqual([{ name: 'FLOW_RUN_PROGRAM', value: 'pass' }, { name: 'TEAM', value: 'data' }]);
  });

  test('has our entries beside theirs once, as they are now', () => {
    const present = stored(VALUES);
    containers(present)[0].secrets.push({ name: 'DB_PASSWORD', valueFrom: 'arn:db' });
    const moved = { ...headers, valueFrom: 'arn:moved' };
    const values = withContainer({ secrets: [moved] });
    const template = structuredClone(fillTemplate(offered(), present, values, VALUES));
    expect(containers(template)[0].secrets).toEqual([moved, { name: 'DB_PASSWORD', valueFrom: 'arn:db' }]);
    expect(fillTemplate(offered(), structuredClone(template), values, values)).toEqual(template);
  });

  test('has our entries where users have a list of their own', () => {
    const present = stored(PLAIN);
    containers(present)[0].secrets = [{ name: 'DB_PASSWORD', valueFrom: 'arn:db' }];
    expect(containers(fillTemplate(offered(), present, VALUES, PLAIN))[0].secrets).toEqual([{ name: 'DB_PASSWORD', valueFrom: 'arn:db' }, headers]);
  });

  test('gets this stack\'s values where it had others', () => {
    const present = offered();
    present.variables.properties.cpu.default = 4096;
    expect(fillTemplate(offered(), present, VALUES).variables.properties.cpu).toEqual({ ...offered().variables.properties.cpu, default: 512 });
  });

  test('gets the variables and settings that a newer server offers', () => {
    const present = offered();
    delete (present.variables.properties as any).image;
    delete present.job_configuration.command;
    const template = fillTemplate(offered(), present, VALUES);
    expect(template.variables.properties.image).toEqual(offered().variables.properties.image);
    expect(template.job_configuration.command).toBe('{{ command }}');
  });

  test.each([['everything', VALUES], ['little', PLAIN], ['nothing', NOTHING]])('is the same after a second time with %s', (_, values) => {
    const once = stored(values);
    expect(fillTemplate(offered(), structuredClone(once), values)).toEqual(once);
    expect(fillTemplate(offered(), structuredClone(once), values, values)).toEqual(once);
  });

  test('has the new container of ours instead of the old one', () => {
    const once = stored(VALUES);
    const [flowRun] = VALUES.taskDefinition!.containerDefinitions as any[];
    const values = { ...VALUES, taskDefinition: { ...VALUES.taskDefinition, containerDefinitions: [flowRun, { name: 'ca-certificate', image: 'new' }] } };
    const twice = fillTemplate(offered(), once, values, VALUES);
    expect(containers(twice).slice(1)).toEqual([{ name: 'ca-certificate', image: 'new' }]);
  });
});

describe('what the last deployment set and this one does not', () => {
  const present = () => stored(VALUES);
  const without = (...names: string[]): TemplateValues =>
    ({ ...VALUES, variables: Object.fromEntries(Object.entries(VALUES.variables).filter(([name]) => !names.includes(name))) });

  test('goes back to what the server offers', () => {
    expect(fillTemplate(offered(), present(), without('cpu'), VALUES).variables.properties.cpu).toEqual(offered().variables.properties.cpu);
  });

  test('goes back where it is an object', () => {
    const { network_configuration: network } = fillTemplate(offered(), present(), without('network_configuration'), VALUES).variables.properties;
    expect(network).toEqual(offered().variables.properties.network_configuration);
  });

  test('has no default where the server offers none', () => {
    expect(fillTemplate(offered(), present(), without('cluster'), VALUES).variables.properties.cluster).toEqual(offered().variables.properties.cluster);
  });

  test('stays where users changed it since', () => {
    const changed = present();
    changed.variables.properties.cpu.default = 8192;
    expect(fillTemplate(offered(), changed, without('cpu'), VALUES).variables.properties.cpu.default).toBe(8192);
  });

  test('goes from the environment, and what users added there stays', () => {
    const changed = present();
    changed.variables.properties.env.default.MINE = 'x';
    expect(fillTemplate(offered(), changed, { ...VALUES, environment: {} }, VALUES).variables.properties.env.default).toEqual({ MINE: 'x' });
  });

  test('stays in the environment where users changed it since', () => {
    const changed = present();
    changed.variables.properties.env.default.LOG_LEVEL = 'info';
    expect(fillTemplate(offered(), changed, { ...VALUES, environment: {} }, VALUES).variables.properties.env.default).toEqual({ LOG_LEVEL: 'info' });
  });

  test('goes from the task definition: a secret that flow runs may no longer read would stop every one of them', () => {
    const template = fillTemplate(offered(), present(), PLAIN, VALUES);
    expect(template.job_configuration.task_definition.volumes ?? []).toEqual([]);
    expect(containers(template)).toHaveLength(1);
    expect(containers(template)[0].secrets ?? []).toEqual([]);
    expect(containers(template)[0].mountPoints ?? []).toEqual([]);
  });

  test('goes from the lists of the task definition, and what users added there stays', () => {
    const changed = present();
    changed.job_configuration.task_definition.volumes.push({ name: 'scratch' });
    containers(changed)[0].secrets.push({ name: 'DB_PASSWORD', valueFrom: 'arn:db' });
    const template = fillTemplate(offered(), changed, PLAIN, VALUES);
    expect(template.job_configuration.task_definition.volumes).toEqual([{ name: 'scratch' }]);
    expect(containers(template)[0].secrets).toEqual([{ name: 'DB_PASSWORD', valueFrom: 'arn:db' }]);
    expect(containers(template)[0]).not.toHaveProperty('mountPoints');
  });
});
