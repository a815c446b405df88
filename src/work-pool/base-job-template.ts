import { isDeepStrictEqual } from 'node:util';
import { TemplateValues } from './configuration';

/** A base job template: https://docs.prefect.io/v3/how-to-guides/deployment_infra/manage-work-pools#base-job-template */
export interface BaseJobTemplate {
  job_configuration: Record<string, any>;
  variables: { properties: Record<string, Record<string, any>>; [key: string]: unknown };
}

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
  before?: TemplateValues,
): BaseJobTemplate {
  const template = complete(structuredClone(present ?? offered), offered);
  if (before) withdraw(template, offered, before, values);

  for (const [name, value] of Object.entries(values.variables)) {
    variable(template, name).default = value;
  }
  if (Object.keys(values.environment).length > 0) {
    const env = variable(template, 'env');
    env.default = { ...env.default, ...values.environment };
  }
  if (values.taskDefinition) shapeTask(template, values);
  return template;
}

function complete(template: BaseJobTemplate, offered: BaseJobTemplate): BaseJobTemplate {
  template.variables = { ...offered.variables, ...template.variables };
  template.variables.properties = { ...offered.variables.properties, ...structuredClone(template.variables.properties) };
  template.job_configuration = { ...structuredClone(offered.job_configuration), ...template.job_configuration };
  return template;
}

function withdraw(template: BaseJobTemplate, offered: BaseJobTemplate, before: TemplateValues, now: TemplateValues): void {
  for (const [name, value] of Object.entries(before.variables)) {
    const current = template.variables.properties[name];
    if (name in now.variables || !current || !isDeepStrictEqual(current.default, value)) continue;
    const original = offered.variables.properties[name]?.default;
    if (original === undefined) delete current.default;
    else current.default = original;
  }
  const env = template.variables.properties.env?.default;
  for (const [name, value] of Object.entries(before.environment)) {
    if (!(name in now.environment) && env?.[name] === value) delete env[name];
  }
  withdrawFromTask(template.job_configuration.task_definition, before, now);
}

/** Takes fields and sidecars that are not wanted any more out of the task definition. */
function withdrawFromTask(task: Record<string, any> | undefined, before: TemplateValues, now: TemplateValues): void {
  const containers: Record<string, any>[] = task?.containerDefinitions ?? [];
  withdrawFields(task, before.taskDefinition, now.taskDefinition);
  withdrawFields(containers[0], before.container, now.container);
  const gone = (before.sidecars ?? []).filter(({ name }) => !now.sidecars?.some(sidecar => sidecar.name === name));
  if (gone.length > 0) task!.containerDefinitions = containers.filter(({ name }) => !gone.some(sidecar => sidecar.name === name));
}

function withdrawFields(from: Record<string, any> = {}, before: TemplateValues['container'] = {}, now: TemplateValues['container'] = {}): void {
  for (const [field, value] of Object.entries(before)) {
    const present = from[field];
    if (areShared(field, present, value)) {
      const wanted = now[field] as any[] | undefined ?? [];
      const gone = value.filter(own => !wanted.some(entry => same(field, entry, own)));
      from[field] = present.filter((entry: any) => !gone.some(own => isDeepStrictEqual(own, entry)));
      if (from[field].length === 0) delete from[field];
    } else if (!(field in now) && isDeepStrictEqual(present, value)) {
      delete from[field];
    }
  }
}

/** Lists of a task definition in which users' entries stand beside ours, and what names an entry. */
const SHARED_LISTS: { readonly [field: string]: string } = {
  volumes: 'name', mountPoints: 'containerPath', environment: 'name', secrets: 'name', dependsOn: 'containerName',
};

/** A user's list may be a placeholder, which can't be shared. */
function areShared(field: string, present: unknown, ours: unknown): ours is any[] {
  return field in SHARED_LISTS && Array.isArray(present) && Array.isArray(ours);
}

function same(field: string, one: any, other: any): boolean {
  return one?.[SHARED_LISTS[field]] === other?.[SHARED_LISTS[field]];
}

/** The fields of a task definition, or of a container in it, with ours among them. */
function withFields(present: Record<string, any> = {}, ours: TemplateValues['container'] = {}): Record<string, any> {
  const filled = { ...present };
  for (const [field, value] of Object.entries(ours)) {
    filled[field] = !areShared(field, present[field], value) ? value : [
      ...present[field].map((entry: any) => value.find(own => same(field, own, entry)) ?? entry),
      ...value.filter(own => !present[field].some((entry: any) => same(field, own, entry))),
    ];
  }
  return filled;
}

function variable(template: BaseJobTemplate, name: string): Record<string, any> {
  // The offered definitions are shared; this template's own copy is what changes.
  return template.variables.properties[name] = { ...template.variables.properties[name] };
}

/**
 * Puts the network into the RunTask request itself. Given as `network_configuration` of the job, the worker would ask
 * EC2 about the VPC and its subnets before each run: rights on every VPC, and an endpoint more. The variable of this
 * name keeps working; deployments override the subnets by it.
 */
function shapeTask(template: BaseJobTemplate, values: TemplateValues): void {
  const job = template.job_configuration;
  delete job.network_configuration;
  job.task_run_request = {
    ...job.task_run_request,
    networkConfiguration: { awsvpcConfiguration: '{{ network_configuration }}' },
  };

  const [flowRun, ...others] = job.task_definition?.containerDefinitions ?? [{ name: '{{ container_name }}', image: '{{ image }}' }];
  const sidecars = values.sidecars ?? [];
  job.task_definition = {
    ...withFields(job.task_definition, values.taskDefinition),
    containerDefinitions: [
      withFields(flowRun, values.container),
      ...others.filter((other: { name?: string }) => !sidecars.some(sidecar => sidecar.name === other.name)),
      ...sidecars,
    ],
  };
}
