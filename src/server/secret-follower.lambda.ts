import { followSecrets } from '../rescue/rotation';

interface Followed {
  readonly cluster: string;
  /** Names of services in it. */
  readonly services: readonly string[];
}

/** Replaces the server's tasks where a secret of theirs is newer than they are. */
export async function handler(): Promise<void> {
  const { cluster, services }: Followed = JSON.parse(process.env.CONFIGURATION!);
  for (const service of services) await followSecrets({ cluster, service });
}
