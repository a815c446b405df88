import { isDeepStrictEqual } from 'node:util';
import { automationDrift } from './automation';
import { BaseJobTemplate, fillTemplate } from './base-job-template';
import { TemplateValues, WorkPoolConfiguration } from './configuration';
import { Difference, differences, say } from './differences';
import { resultsDrift } from './results-block';
import { offeredTemplate, poolPath, queuePath, StoredQueue, StoredWorkPool } from './stored-work-pool';
import { Fields, ThreeWayMerge } from './three-way-merge';
import { PrefectClient } from '../private/prefect-client';

/**
 * What of the pool, its queues and its automation is not as the last deployment left it, each in words. Only what the stack
 * sets counts: users may change the rest, pause the pool and switch the automation off.
 */
export async function drift(client: PrefectClient, wanted: WorkPoolConfiguration): Promise<string[]> {
  const present = await client.find<StoredWorkPool>(poolPath(wanted.name));
  if (!present) return ['it is missing, and its workers can\'t start'];
  if (present.type !== wanted.type) return [`its type is ${present.type}, and should be ${wanted.type}`];
  return [
    ...templateDrift(await offeredTemplate(client, wanted), present.base_job_template, wanted.template),
    ...limitDrift('concurrency_limit', present.concurrency_limit, wanted.concurrencyLimit),
    ...await queueDrift(client, wanted),
    ...await automationDrift(client, { id: present.id, name: wanted.name }, wanted.lostAfterSeconds),
    ...(wanted.results ? await resultsDrift(client, wanted.results) : []),
  ];
}

async function queueDrift(client: PrefectClient, wanted: WorkPoolConfiguration): Promise<string[]> {
  const found: string[] = [];
  for (const { name, priority, concurrencyLimit } of wanted.queues) {
    const what = `the work queue ${JSON.stringify(name)}`;
    const present = await client.find<StoredQueue>(queuePath(wanted.name, name));
    if (!present) found.push(`${what} is missing`);
    else found.push(...limitDrift(`priority of ${what}`, present.priority, priority), ...limitDrift(`concurrency_limit of ${what}`, present.concurrency_limit, concurrencyLimit));
  }
  return found;
}

/** Where the stack gives no number, it is the users'. */
function limitDrift(path: string, present: number | null, wanted?: number): string[] {
  return wanted === undefined || present === wanted ? [] : [say({ path, present, wanted })];
}

/** What filling the template once more would change. */
export function templateDrift(offered: BaseJobTemplate, present: BaseJobTemplate, values: TemplateValues): string[] {
  let filled: BaseJobTemplate;
  try {
    filled = asSent(fillTemplate(offered, present, values));
  } catch (error) {
    return [(error as Error).message.replace(/\.$/, '')];
  }
  return differences('', withNewerOptions(offered, present, filled, values), filled).map(difference => say(difference, mayBeSecret(difference, present)));
}

/** As it would arrive at Prefect, to be compared with what comes from there. */
function asSent<T>(value: T): T {
  return JSON.parse(JSON.stringify(value));
}

/** The present template with what only a newer server would add to it, which is no news of this stack. */
function withNewerOptions(offered: BaseJobTemplate, present: BaseJobTemplate, filled: BaseJobTemplate, values: TemplateValues): BaseJobTemplate {
  const unfilled = asSent(fillTemplate(offered, present, { variables: {}, environment: {} }));
  const ours = [...Object.keys(values.variables), ...Object.keys(values.environment).length > 0 ? ['env'] : []];
  const addMissing = (into: Fields | undefined, from: Fields, to: Fields, needed: (value: unknown) => boolean) => ({
    ...Object.fromEntries(Object.entries(from).filter(([field, value]) => isDeepStrictEqual(value, to[field]) && !needed(value))),
    ...into,
  });
  const hasPlaceholder = (value: unknown) => ours.some(name => new RegExp(`{{\\s*${name}\\s*}}`).test(JSON.stringify(value)));
  return {
    job_configuration: addMissing(present.job_configuration, unfilled.job_configuration, filled.job_configuration, hasPlaceholder),
    variables: {
      ...addMissing(present.variables, unfilled.variables, filled.variables, () => false),
      // Of a pool that was created without a template, nothing is there.
      properties: addMissing(present.variables?.properties, unfilled.variables.properties, filled.variables.properties, () => false),
    },
  };
}

/** People put credentials into environments, where the stack never does. */
function mayBeSecret({ path }: Difference, { job_configuration: job }: BaseJobTemplate): boolean {
  const env = ThreeWayMerge.variableOf(job?.env) ?? 'env';
  return path.startsWith(`variables.properties.${env}.`) || /\benvironment\b/.test(path);
}
