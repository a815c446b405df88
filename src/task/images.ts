import { WorkerType } from '../worker-type';

/**
 * The versions that the tests run. The official images carry both in their tags:
 * prefecthq/prefect:<prefect>-python<python> and prefecthq/prefect-aws:<prefect-aws>-python<python>-prefect<prefect>.
 */
const PREFECT = '3.9.1';
const PREFECT_AWS = '0.7.12';
const PYTHON = '3.12';

/** Image for flow runs, for workers that run them as processes, and for servers. */
export const FLOW_RUN_IMAGE = `prefecthq/prefect:${PREFECT}-python${PYTHON}`;

/** Image with prefect-aws, which is made of the one before. */
export const PREFECT_AWS_IMAGE = `prefecthq/prefect-aws:${PREFECT_AWS}-python${PYTHON}-prefect${PREFECT}`;

/** The official image for a worker type, at an exact version. */
export function officialImage(workerType: WorkerType): string {
  return workerType === WorkerType.ECS ? PREFECT_AWS_IMAGE : FLOW_RUN_IMAGE;
}
