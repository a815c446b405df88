const DOCUMENTS = 'https://github.com/cdk-prefect/cdk-prefect-fargate-worker/blob/main/docs';

/** The address of the operations handbook, or of what it says of an alarm: `NoWorkerOnline` is at `#noworkeronline`. */
export function runbook(alarm?: string, document = 'operations.md'): string {
  return alarm === undefined ? `${DOCUMENTS}/${document}` : `${DOCUMENTS}/${document}#${alarm.toLowerCase()}`;
}
