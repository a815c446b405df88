/**
 * The lowest versions of Prefect that are supported, each beside the newest of the others: docs/versions.md, test/live/versions.test.ts.
 * A server before 3.6.14 can't take the events of today's workers and flow runs, which crash. Nothing is imported here, so that
 * functions may have it too.
 */
export const LOWEST_PREFECT = { server: '3.6.14', workerImage: '3.4.25', flowRunImage: '3.4.25' };
