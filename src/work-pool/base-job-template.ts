import { isDeepStrictEqual } from 'node:util';
import { TemplateValues } from './configuration';
import { mergeOwnTemplate } from './own-template';
import { Fields, ThreeWayMerge, Variables } from './three-way-merge';

/** A base job template: https://docs.prefect.io/v3/how-to-guides/deployment_infra/manage-work-pools#base-job-template */
export interface BaseJobTemplate {
  job_configuration: Fields;
  variables: { properties: Variables; [key: string]: unknown };
}

/** Variables of ours: the seconds after which the task of a flow run is stopped, and the size of its disk. */
export const MAX_RUN_TIME = 'max_run_time';
export const EPHEMERAL_STORAGE = 'ephemeral_storage_gib';

/**
 * Variables of prefect-aws that the server's own template for ECS lacks, in `variables` and in `job_configuration`. Without a
 * place in the latter their values have no effect, and the worker puts its credentials into RunTask in clear text.
 */
const CREDENTIALS: Variables = {
  prefect_api_key_secret_arn: { title: 'Prefect API Key Secret ARN', type: 'string' },
  prefect_api_auth_string_secret_arn: { title: 'Prefect API Auth String Secret ARN', type: 'string' },
};

/** Of the variables that are not offered. */
const DEFINITIONS: Variables = {
  ...CREDENTIALS,
  [MAX_RUN_TIME]: {
    title: 'Max Run Time',
    description: 'The number of seconds after which the task of a flow run is stopped, and the flow run becomes TimedOut.',
    type: 'integer',
    minimum: 60,
  },
  [EPHEMERAL_STORAGE]: {
    title: 'Ephemeral Storage GiB',
    description: 'The size of the disk of a flow run\'s task in GiB, from 21 to 200.',
    type: 'integer',
    minimum: 21,
    maximum: 200,
  },
};

/**
 * The template to store: the pool's own one where there is one (what users changed stays), completed by what the
 * server offers for the type, filled with this stack's values.
 *
 * @param offered the server's template for the type
 * @param present the template of the pool that exists
 * @param values what this deployment sets
 * @param before what the last deployment set, so that what it set and this one doesn't goes back to what is offered
 */
export function fillTemplate(
  offered: BaseJobTemplate,
  present: BaseJobTemplate | undefined,
  values: TemplateValues,
  before: TemplateValues = { variables: {}, environment: {} },
): BaseJobTemplate {
  const template = complete(structuredClone(present ?? offered), offered);
  mergeOwnTemplate(template, offered, values.baseJobTemplate, before.baseJobTemplate);
  const { job_configuration: job, variables: { properties: variables } } = template;
  for (const [name, value] of Object.entries(before.variables)) {
    const original = (values.baseJobTemplate?.variables?.properties[name] ?? offered.variables.properties[name])?.default;
    if (name in values.variables || !variables[name] || !isDeepStrictEqual(variables[name].default, value)) continue;
    setDefault(variables, name, original);
    if (name in DEFINITIONS && !(name in offered.variables.properties)) delete variables[name];
  }
  for (const [name, value] of Object.entries(values.variables)) setDefault(variables, name, value);
  mergeEnvironment(template, values.environment, before.environment);
  if (values.taskDefinition) {
    // Given here, the worker would ask EC2 about the VPC and its subnets before each run.
    delete job.network_configuration;
    new ThreeWayMerge(job, variables, values.variables, before.variables).merge(ecsJob(before), ecsJob(values));
  }
  return template;
}

function complete(template: BaseJobTemplate, offered: BaseJobTemplate): BaseJobTemplate {
  template.variables = { ...offered.variables, ...template.variables };
  template.variables.properties = structuredClone({ ...offered.variables.properties, ...template.variables.properties });
  template.job_configuration = { ...structuredClone(offered.job_configuration), ...template.job_configuration };
  return template;
}

/**
 * What the job configuration of an ECS pool has to say of this stack. The network is part of the RunTask request itself; the
 * variable `network_configuration` keeps its meaning, and deployments override the subnets by it.
 */
function ecsJob({ variables, taskDefinition, taskRunRequest }: TemplateValues): Fields {
  const credentials = Object.keys(CREDENTIALS).filter(name => name in variables);
  return taskDefinition ? {
    ...Object.fromEntries(credentials.map(name => [name, `{{ ${name} }}`])),
    task_run_request: {
      networkConfiguration: { awsvpcConfiguration: '{{ network_configuration }}' },
      // Beside Prefect's own labels, which the worker gives with the request.
      propagateTags: 'TASK_DEFINITION',
      ...taskRunRequest,
    },
    task_definition: taskDefinition,
  } : {};
}

function setDefault(variables: Variables, name: string, value: unknown): void {
  const { default: _, ...definition } = variables[name] ?? DEFINITIONS[name] ?? {};
  variables[name] = value === undefined ? definition : { ...definition, default: value };
}

/** The environment is the default of the variable whose placeholder stands for it, which Prefect calls `env`. */
function mergeEnvironment(template: BaseJobTemplate, wanted: TemplateValues['environment'], before: TemplateValues['environment']): void {
  const variables = template.variables.properties;
  const name = ThreeWayMerge.variableOf(template.job_configuration.env) ?? 'env';
  const env = { ...variables[name]?.default };
  const gone = Object.keys(before).filter(key => !(key in wanted) && env[key] === before[key]);
  if (gone.length === 0 && Object.keys(wanted).length === 0) return;
  for (const key of gone) delete env[key];
  setDefault(variables, name, { ...env, ...wanted });
  if (Object.values(wanted).includes(null)) admitNull(variables[name]);
}

/** prefect-aws takes null for a variable that the worker is not to pass on; the server's own template for ECS wants strings. */
function admitNull(env: Fields): void {
  const values = env.additionalProperties;
  if (typeof values !== 'object' || values.anyOf?.some(({ type }: Fields) => type === 'null')) return;
  env.additionalProperties = { anyOf: [...values.anyOf ?? [values], { type: 'null' }] };
}
