/** How the message of the state begins that a flow run gets because its heartbeats have stopped. The supervisor looks for it too. */
export const NO_HEARTBEAT = 'No heartbeat';

/** The event by which the pool's automation hears that a flow run waits and sends no heartbeats. */
export const STILL_WAITING = 'cdk-prefect-fargate-worker.flow-run.still-waiting';
