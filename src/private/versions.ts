/**
 * The lowest versions of Prefect that are supported, each beside the newest of the others. The live tests run them: docs/versions.md.
 * Nothing is imported here, so that functions may have it too.
 */
export const LOWEST_PREFECT = { server: '3.4.25', workerImage: '3.4.25', flowRunImage: '3.4.25' };
