/** How the message of the state begins that a flow run gets because its heartbeats have stopped. The supervisor looks for it too. */
export const NO_HEARTBEAT = 'No heartbeat';
