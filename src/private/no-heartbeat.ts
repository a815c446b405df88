/** How the message of the state begins that a flow run gets because its heartbeats have stopped. */
export const NO_HEARTBEAT = 'No heartbeat';

/**
 * Whether a flow run has crashed for its heartbeats, by whatever automation: the pool's, that of Prefect's guide ("Flow run marked as
 * crashed due to missing heartbeats."), or Prefect Cloud's own after 9 minutes, whose words are not documented. A flow's exception may
 * speak of heartbeats, too; Prefect puts its own words before that. The supervisor looks for the same.
 *
 * @see https://docs.prefect.io/v3/advanced/detect-zombie-flows
 */
export function isSilence(message: string): boolean {
  return /heartbeat/i.test(message) && !message.startsWith('Execution was ');
}

/** The event by which the pool's automation hears that a flow run waits and sends no heartbeats. */
export const STILL_WAITING = 'cdk-prefect-fargate-worker.flow-run.still-waiting';
