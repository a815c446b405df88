const RUNBOOK = 'https://github.com/cdk-prefect/cdk-prefect-fargate-worker/blob/main/docs/operations.md';

/** The address of the operations handbook, or of what it says of an alarm: `NoWorkerOnline` is at `#noworkeronline`. */
export function runbook(alarm?: string): string {
  return alarm === undefined ? RUNBOOK : `${RUNBOOK}#${alarm.toLowerCase()}`;
}
