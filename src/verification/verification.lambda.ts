import { createHash } from 'node:crypto';
import type { CdkCustomResourceEvent, CdkCustomResourceResponse } from 'aws-lambda';
import { VerificationConfiguration } from './configuration';
import { VerificationRun } from './verification-run';
import { connect, ownApi } from '../private/prefect-connection';

/**
 * Sends a flow run through all of a worker, and fails where it doesn't complete, and the deployment with it.
 *
 * A deployment that fails asks again for what the last one had, which has completed: its id is among those in the physical id, and
 * nothing is verified while the stack rolls back.
 */
export async function handler(event: CdkCustomResourceEvent): Promise<CdkCustomResourceResponse> {
  // A server may be gone before the stack, and the flow run of a deployment that failed stays for whoever wonders.
  if (event.RequestType === 'Delete') return { PhysicalResourceId: event.PhysicalResourceId };
  const before = event.RequestType === 'Update' ? event.PhysicalResourceId : '';
  const verified = before.split(' ');
  const wanted = createHash('sha256').update(JSON.stringify(Object.entries(event.ResourceProperties).sort())).digest('hex').slice(0, 16);
  if (verified.includes(wanted)) return { PhysicalResourceId: before, Data: { Result: 'as verified before' } };
  const configuration: VerificationConfiguration = JSON.parse(event.ResourceProperties.Configuration);
  const result = await new VerificationRun(await connect(ownApi()), configuration).complete(Number(process.env.VERIFICATION_SECONDS ?? 600));
  return { PhysicalResourceId: `${wanted} ${verified[0]}`.trim(), Data: { Result: result } };
}
