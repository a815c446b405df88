import { createHash } from 'node:crypto';
import type { CdkCustomResourceEvent, CdkCustomResourceResponse } from 'aws-lambda';
import { putAutomation, removeAutomation } from './automation';
import { fillTemplate } from './base-job-template';
import { CheckEvent, FLOW_RUN_TASKS, WORK_POOL_CHANGED, WorkPoolConfiguration } from './configuration';
import { drift } from './drift';
import { endFlowRuns } from './end-flow-runs';
import { resumption } from './pause';
import { putResults, removeResults } from './results-block';
import { outdatedServer } from './server-version';
import { Limited, offeredTemplate, poolPath, queuePath, StoredWorkPool } from './stored-work-pool';
import { logMetric } from '../private/pool-log';
import { PrefectApiError, PrefectClient } from '../private/prefect-client';
import { connect } from '../private/prefect-connection';
import { within } from '../private/within';

interface PutResult {
  readonly id: string;
  /** What the user should know, although the deployment succeeds. */
  readonly notices: readonly string[];
}

/** The most characters of an output of CloudFormation. */
const LONGEST_OUTPUT = 1024;

/** Where Prefect refuses to show something. */
const FORBIDDEN = [401, 403];

/**
 * Creates, updates and (where asked to) deletes a work pool over the Prefect API, with the automation that watches its flow runs.
 * Once an hour it looks whether all of it is still there.
 */
export async function handler(event: CdkCustomResourceEvent | CheckEvent): Promise<CdkCustomResourceResponse> {
  if ('check' in event) return { Data: { Differences: await check(event) } };
  if (event.ResourceType === FLOW_RUN_TASKS) return endFlowRuns(event);
  // The deployment fails within a minute when the API can't be reached.
  return within(Number(process.env.WORK_POOL_SECONDS ?? 50), 'The Prefect API had not answered all requests', keepWorkPool(event));
}

async function keepWorkPool(event: CdkCustomResourceEvent): Promise<CdkCustomResourceResponse> {
  const wanted: WorkPoolConfiguration = JSON.parse(event.ResourceProperties.Configuration);
  const owner = `${event.LogicalResourceId} of ${event.StackId}`;
  if (event.RequestType === 'Delete') {
    await remove(wanted, owner);
    return { PhysicalResourceId: event.PhysicalResourceId };
  }
  const last: WorkPoolConfiguration | undefined =
    event.RequestType === 'Update' ? JSON.parse(event.OldResourceProperties.Configuration) : undefined;
  // What the last deployment said of another pool says nothing of this one.
  const { id, notices } = await put(wanted, owner, last?.name === wanted.name ? last : undefined);
  return {
    PhysicalResourceId: wanted.name,
    Data: { Id: id, Notices: notices.join(' ').slice(0, LONGEST_OUTPUT) || 'none', Fingerprint: createHash('sha256').update(event.ResourceProperties.Configuration).digest('hex') },
  };
}

async function put(wanted: WorkPoolConfiguration, owner: string, before?: WorkPoolConfiguration): Promise<PutResult> {
  const client = await connect(wanted.api);
  const notices: string[] = [];
  const tell = (notice?: string) => {
    if (notice === undefined) return;
    console.warn(notice);
    notices.push(notice);
  };
  const path = poolPath(wanted.name);
  const offered = await offeredTemplate(client, wanted);
  tell(await outdatedServer(client, wanted.api));
  const present = await client.find<StoredWorkPool>(path);
  if (present && present.type !== wanted.type) {
    throw new Error(`The work pool "${wanted.name}" exists with the type "${present.type}", and this worker's type is "${wanted.type}". `
      + 'Choose another name, or the workerType of that pool.');
  }

  // Before flow runs ask for it.
  if (wanted.results) await putResults(client, wanted.results);
  const template = fillTemplate(offered, present?.base_job_template, wanted.template, before?.template);
  if (present) {
    await client.request('PATCH', path, { base_job_template: template, ...concurrencyLimit(present, wanted, before), ...resumption(present) });
  } else {
    const created = await create(client, '/work_pools/', {
      name: wanted.name,
      type: wanted.type,
      base_job_template: template,
      concurrency_limit: wanted.concurrencyLimit,
    });
    if (!created) return put(wanted, owner, before);
  }
  await putQueues(client, wanted, before);
  const { id } = await client.request<StoredWorkPool>('GET', path);
  tell(await putAutomation(client, { id, name: wanted.name }, wanted.lostAfterSeconds, owner));
  return { id, notices };
}

/** Says what is not as the last deployment left it, in one line of the log, which raises the alarm; repairs it only where asked to. */
async function check({ check: wanted, owner, worker, repair }: CheckEvent): Promise<string[]> {
  let found: string[];
  try {
    found = await drift(await connect(wanted.api), wanted);
  } catch (error) {
    if (!(error instanceof PrefectApiError && FORBIDDEN.includes(error.status))) throw error;
    found = [`unknown, because Prefect refuses to show it: ${error.message}`];
  }
  if (found.length > 0) {
    console.warn(`${WORK_POOL_CHANGED}: The work pool "${wanted.name}" is not as its stack wants it: ${found.join('; ')}`);
    logMetric({ workPool: wanted.name, worker }, 'WorkPoolChanges', 1);
  }
  if (repair) await put(wanted, owner);
  return found;
}

/** A limit that this deployment gives, or no limit where the last one gave it; what was set in the UI stays. */
function concurrencyLimit(present: Limited, wanted: { readonly concurrencyLimit?: number }, before?: { readonly concurrencyLimit?: number }) {
  if (wanted.concurrencyLimit !== undefined) return { concurrency_limit: wanted.concurrencyLimit };
  const ours = before?.concurrencyLimit !== undefined && before.concurrencyLimit === present.concurrency_limit;
  return ours ? { concurrency_limit: null } : {};
}

async function putQueues(client: PrefectClient, wanted: WorkPoolConfiguration, before?: WorkPoolConfiguration): Promise<void> {
  const queues = `${poolPath(wanted.name)}/queues`;
  for (const queue of wanted.queues) {
    const path = queuePath(wanted.name, queue.name);
    const priority = queue.priority !== undefined && { priority: queue.priority };
    let present = await client.find<Limited>(path);
    if (!present) {
      if (await create(client, queues, { name: queue.name, ...priority, concurrency_limit: queue.concurrencyLimit })) continue;
      present = await client.request<Limited>('GET', path);
    }
    const settings = { ...priority, ...concurrencyLimit(present, queue, before?.queues.find(({ name }) => name === queue.name)) };
    if (Object.keys(settings).length > 0) await client.request('PATCH', path, settings);
  }
}

/** Whether it was created. It was not where another region's deployment was first, or this one, and the answer got lost. */
async function create(client: PrefectClient, path: string, body: unknown): Promise<boolean> {
  return unless(409, () => client.request('POST', path, body));
}

/** Whether the API did as asked, and didn't answer with this status. */
async function unless(status: number, act: () => Promise<unknown>): Promise<boolean> {
  try {
    await act();
    return true;
  } catch (error) {
    if (error instanceof PrefectApiError && error.status === status) return false;
    throw error;
  }
}

async function remove(wanted: WorkPoolConfiguration, owner: string): Promise<void> {
  try {
    const client = await connect(wanted.api, wanted.deleteOnRemoval ? undefined : 0);
    if (!await removeAutomation(client, wanted.name, owner)) {
      console.warn(`The work pool "${wanted.name}" has been taken over by another resource, and stays.`);
      return;
    }
    if (wanted.results) await removeResults(client, wanted.results);
    if (wanted.deleteOnRemoval) await unless(404, () => client.request('DELETE', poolPath(wanted.name)));
  } catch (error) {
    if (wanted.deleteOnRemoval) throw error;
    // The server may be gone before the stack; and what is left behind watches runs of this pool only.
    console.warn(`The automation of the work pool "${wanted.name}" is left behind: ${error}`);
  }
}
