import type { ApiLocation } from '../private/api-location';
import { PrefectApiError, PrefectClient } from '../private/prefect-client';
import { LOWEST_PREFECT } from '../private/versions';

/** What there is to tell of a server that is older than what is supported. Prefect Cloud is always the newest. */
export async function outdatedServer(client: PrefectClient, { isCloud }: ApiLocation): Promise<string | undefined> {
  if (isCloud) return undefined;
  const version = await serverVersion(client);
  if (version === undefined || !isBefore(version, LOWEST_PREFECT.server)) return undefined;
  return `The Prefect server has version ${version}, and the lowest that is supported is ${LOWEST_PREFECT.server}: upgrade it, because workers and flow runs may fail with it.`;
}

async function serverVersion(client: PrefectClient): Promise<string | undefined> {
  try {
    return await client.request<string>('GET', '/admin/version');
  } catch (error) {
    // A server behind a proxy may keep this to itself; what it can't do, it says where that is asked for.
    if (error instanceof PrefectApiError) return undefined;
    throw error;
  }
}

function isBefore(version: string, other: string): boolean {
  const [ours, theirs] = [version, other].map(each => each.split('.').map(part => parseInt(part, 10) || 0));
  const differing = theirs.findIndex((part, index) => part !== (ours[index] ?? 0));
  return differing >= 0 && (ours[differing] ?? 0) < theirs[differing];
}
