import { PrefectClient } from '../private/prefect-client';

/** What a pool's description says from then on. */
const PAUSED = 'Paused because the stack of its worker was deleted; the next deployment resumes it.';

interface PausablePool {
  readonly is_paused: boolean;
  readonly description: string | null;
  readonly base_job_template: { readonly variables?: { readonly properties?: { readonly cluster?: { readonly default?: unknown } } } };
}

/**
 * Pauses a pool whose flow runs would start in a cluster that is about to go: whatever worker took them, they would crash there. Not
 * where its template names another cluster by now, because another stack has taken it over.
 */
export async function pause(client: PrefectClient, path: string, cluster: string): Promise<void> {
  const pool = await client.find<PausablePool>(path);
  if (!pool || pool.is_paused || pool.base_job_template.variables?.properties?.cluster?.default !== cluster) return;
  await client.request('PATCH', path, { is_paused: true, description: [pool.description, PAUSED].filter(Boolean).join(' ') });
}

/** What takes that back, when a stack takes the pool over; nothing where somebody else has paused it. */
export function resumption({ description }: Partial<PausablePool>): Partial<PausablePool> {
  return description?.endsWith(PAUSED) ? { is_paused: false, description: description.slice(0, -PAUSED.length).trim() } : {};
}
