import { readFileSync } from 'node:fs';
import { invalid, ValidationError } from './private/validation';
import { holdsKey } from './task/environment';

/** The two parts of a template. */
const PARTS = ['job_configuration', 'variables'];

/**
 * A base job template of your own, or a part of one, for `WorkPool.managed()`. It is merged under what the stack sets, and over what
 * Prefect's server offers for the type:
 *
 * ```ts
 * const baseJobTemplate = BaseJobTemplate.fromObject({
 *   variables: { properties: { stream_output: { default: true } } },
 * });
 * ```
 *
 * The merge is a three-way merge of what the last deployment set, what this one sets, and what stands in the pool: what you remove
 * here goes back to what the server offers, and what users add in the Prefect UI stays.
 *
 * @see https://docs.prefect.io/v3/how-to-guides/deployment_infra/manage-work-pools#base-job-template
 */
export class BaseJobTemplate {
  /**
   * Throws when the object has neither `job_configuration` nor `variables` or something else beside them, when `variables` have no
   * `properties`, for a flow run's container whose image is not a placeholder, and for a value that looks like a key.
   *
   * @param template the template, with the names that Prefect has
   */
  public static fromObject(template: { [part: string]: any }): BaseJobTemplate {
    return new BaseJobTemplate(template, 'baseJobTemplate');
  }

  /**
   * A JSON file, as `prefect work-pool get-default-base-job-template --type ecs --file template.json` writes it. Throws where it can't
   * be read, and as `fromObject()` does.
   *
   * @param path path of the file, from the working directory of `cdk`
   */
  public static fromFile(path: string): BaseJobTemplate {
    return new BaseJobTemplate(parse(path), `baseJobTemplate ${JSON.stringify(path)}`);
  }

  /** @internal */
  public readonly _template: { readonly [part: string]: any };

  private constructor(template: { readonly [part: string]: any }, of: string) {
    requireTemplate(template, of);
    this._template = template;
  }
}

function parse(path: string): any {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw invalid('baseJobTemplate', path, `the file can't be read: ${(error as Error).message}`);
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw invalid('baseJobTemplate', path, 'the file is not JSON; write it with "prefect work-pool get-default-base-job-template --type ecs --file template.json".');
  }
}

function requireTemplate(template: any, of: string): void {
  const parts = isObject(template) ? Object.keys(template) : [];
  const other = parts.find(part => !PARTS.includes(part));
  if (parts.length === 0 || other !== undefined) {
    throw new ValidationError(`${of} ${other === undefined ? 'is empty' : `has ${JSON.stringify(other)}`}: a base job template has job_configuration and variables, and nothing else; `
      + 'give one of these, or both.');
  }
  const { job_configuration: job, variables } = template;
  if (variables !== undefined && !isObject(variables?.properties)) {
    throw new ValidationError(`${of} has no properties in its variables: write { "variables": { "properties": { "cpu": { "default": 1024 } } } }.`);
  }
  const { family, containerDefinitions = [] } = job?.task_definition ?? {};
  if (typeof family === 'string' && !/^\{\{ *family *\}\}$/.test(family)) {
    throw new ValidationError(`${of} has the family ${JSON.stringify(family)} in its task definition, where the stack puts the start by which the worker's permissions go: `
      + `leave it out, and give the family with flowRunDefaults.jobVariables: { family: ${JSON.stringify(family)} }.`);
  }
  const [flowRun] = containerDefinitions;
  const image = flowRun?.image;
  if (typeof image === 'string' && !/\{\{.*\}\}/.test(image)) {
    throw new ValidationError(`${of} has the image ${JSON.stringify(image)} in its first container, so no deployment could bring its own: write "{{ image }}" there, and give the image with flowRunDefaults.image.`);
  }
  if (holdsKey(template)) {
    throw new ValidationError(`${of} holds what looks like a key (its value is not shown here): whoever reads the template or the work pool could read it; `
      + 'put it into AWS Secrets Manager and give it with flowRunDefaults.secrets.');
  }
}

function isObject(value: unknown): value is Record<string, any> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
