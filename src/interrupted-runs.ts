/**
 * What becomes of a flow run that is interrupted while it executes: its task, or the worker that it is in, is stopped or dies.
 *
 * A flow run that has not begun is started again either way. The tags `when-interrupted:restart` and `when-interrupted:crash`, on a
 * deployment or on a flow run, override this for single ones; with both tags, it crashes.
 */
export enum InterruptedRuns {
  /**
   * A worker executes it again, from its beginning: for flows that can be repeated. It is executed at least once. A run that dies with its
   * PROCESS worker is executed up to three times, as it may be what breaks the worker.
   */
  RESTART = 'restart',

  /**
   * It ends as `Crashed`, with the reason, and is executed at most once, whatever retries its flow has: for flows that must not
   * do their work twice. Retries within its process, after an error of the flow itself, are not affected.
   */
  CRASH = 'crash',
}
