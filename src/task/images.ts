import { Annotations, aws_ecs as ecs } from 'aws-cdk-lib';
import { IConstruct } from 'constructs';
import { WorkerType } from '../worker-type';

/**
 * The versions that the tests run. The official images carry both in their tags:
 * prefecthq/prefect:<prefect>-python<python> and prefecthq/prefect-aws:<prefect-aws>-python<python>-prefect<prefect>.
 */
const PREFECT = '3.9.1';
const PREFECT_AWS = '0.7.12';
const PYTHON = '3.12';

/** Image for flow runs, and for workers that run them as processes. */
export const FLOW_RUN_IMAGE = `prefecthq/prefect:${PREFECT}-python${PYTHON}`;

/** The official image for a worker type, at an exact version. */
export function officialImage(workerType: WorkerType): ecs.ContainerImage {
  return ecs.ContainerImage.fromRegistry(workerType === WorkerType.ECS
    ? `prefecthq/prefect-aws:${PREFECT_AWS}-python${PYTHON}-prefect${PREFECT}`
    : FLOW_RUN_IMAGE);
}

/** Warns of a default image, which is in a public registry, where there is no way to the internet. */
export function warnOfPublicImage(worker: IConstruct, prop: string, image: ecs.ContainerImage | undefined, closed: boolean): void {
  if (image || !closed) return;
  Annotations.of(worker).addWarningV2(`cdk-prefect-fargate-worker:publicImage.${prop}`,
    `Tasks in subnets without a route to the internet can't pull the default image from its public registry. Copy it to Amazon ECR and give it with ${prop}.`);
}
