import { ResultsBlock } from './configuration';
import { PrefectApiError, PrefectClient } from '../private/prefect-client';

interface StoredBlock {
  readonly id: string;
  readonly data: Record<string, unknown>;
}

/** Of prefect-aws. A server knows it from Prefect's collections, whatever is installed there. */
const TYPE = '/block_types/slug/s3-bucket';

const dataOf = ({ bucket, folder }: ResultsBlock) => ({ bucket_name: bucket, bucket_folder: folder });

/**
 * Creates or updates the block by which flow runs find the bucket of their results. What users add to it, as credentials, stays.
 *
 * @see https://docs.prefect.io/integrations/prefect-aws
 */
export async function putResults(client: PrefectClient, results: ResultsBlock): Promise<void> {
  const data = dataOf(results);
  const present = await find(client, results);
  if (present) return client.request('PATCH', `/block_documents/${present.id}`, { data, merge_existing_data: true });

  const type = await client.find<{ id: string }>(TYPE);
  const [schema] = type ? await client.request<{ id: string }[]>('POST', '/block_schemas/filter', { block_schemas: { block_type_id: { any_: [type.id] } } }) : [];
  if (!type || !schema) {
    throw new Error('The Prefect API knows no blocks of the type s3-bucket, which say where results are: register them with '
      + '"prefect block register -m prefect_aws", or remove the prop results.');
  }
  try {
    await client.request('POST', '/block_documents/', { name: results.block, block_type_id: type.id, block_schema_id: schema.id, data });
  } catch (error) {
    // The answer to an earlier attempt got lost.
    if (!(error instanceof PrefectApiError && error.status === 409)) throw error;
  }
}

/** What of the block is not as it was put. */
export async function resultsDrift(client: PrefectClient, results: ResultsBlock): Promise<string[]> {
  const present = await find(client, results);
  if (!present) return [`the block s3-bucket/${results.block} is missing, without which flow runs crash`];
  return Object.entries(dataOf(results)).filter(([field, value]) => present.data[field] !== value)
    .map(([field, value]) => `${field} of the block s3-bucket/${results.block} is ${JSON.stringify(present.data[field])}, and should be ${JSON.stringify(value)}`);
}

export async function removeResults(client: PrefectClient, results: ResultsBlock): Promise<void> {
  const present = await find(client, results);
  if (present) await client.request('DELETE', `/block_documents/${present.id}`);
}

function find(client: PrefectClient, { block }: ResultsBlock): Promise<StoredBlock | undefined> {
  return client.find(`${TYPE}/block_documents/name/${block}`);
}
