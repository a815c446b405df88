import { DescribeServicesCommand, ECSClient, UpdateServiceCommand } from '@aws-sdk/client-ecs';
import { ReconcilerConfiguration, WORKER_SECRETS_VARIABLE } from './configuration';
import { readSecret } from '../private/stored-secret';

/**
 * Replaces the workers one after the other where a secret of the API is newer than their deployment: they read it when they
 * start. Flow runs are handed over as in any other deployment. An event of the change would need a trail in CloudTrail.
 */
export async function followSecrets({ cluster, service }: Pick<ReconcilerConfiguration, 'cluster' | 'service'>): Promise<void> {
  const workerSecrets: string[] = JSON.parse(process.env[WORKER_SECRETS_VARIABLE]!);
  const written = await Promise.all(workerSecrets.map(async secret => (await readSecret(secret)).written));
  if (written.length === 0) return;
  const ecs = new ECSClient({});
  const { services } = await ecs.send(new DescribeServicesCommand({ cluster, services: [service] }));
  const deployed = services?.[0]?.deployments?.find(({ status }) => status === 'PRIMARY')?.createdAt;
  if (!deployed || !written.some(date => date > deployed)) return;
  console.log(JSON.stringify({ service, deployed, written, then: 'forceNewDeployment' }));
  await ecs.send(new UpdateServiceCommand({ cluster, service, forceNewDeployment: true }));
}
