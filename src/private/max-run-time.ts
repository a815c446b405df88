/** Tag of a flow run's task with the number of seconds after which it is stopped. The base job template writes it, the reconciler reads it. */
export const MAX_RUN_TIME_TAG = 'max-run-time';
