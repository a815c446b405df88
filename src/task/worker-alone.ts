import { Annotations } from 'aws-cdk-lib';
import { IConstruct } from 'constructs';
import type { PrefectFargateWorkerProps } from '../prefect-fargate-worker-props';
import { WorkerType } from '../worker-type';

/** What a worker's own process may want to know: Prefect's settings, proxies, locales, time zones and Python itself. */
const OF_WORKERS = /^(PREFECT_|AWS_|PYTHON|EXTRA_PIP_PACKAGES$|(HTTPS?|NO|ALL)_PROXY$|SSL_|REQUESTS_CA|LANG$|LC_|TZ$)/i;

/** Warns of props of an ECS worker that look as if they were meant for its flow runs, whose tasks have their own. */
export function warnOfWorkerAlone(worker: IConstruct, props: PrefectFargateWorkerProps): void {
  if ((props.workerType ?? WorkerType.ECS) !== WorkerType.ECS) return;
  const warn = (prop: string, what: string, instead: string) => Annotations.of(worker).addWarningV2(`cdk-prefect-fargate-worker:workerAlone.${prop}`,
    `${prop} gives ${what} to the worker, which only starts tasks, and not to its flow runs. Where flow runs need it, give ${instead}; otherwise acknowledge this warning.`);
  const foreign = (names: object | undefined) => Object.keys(names ?? {}).filter(name => !OF_WORKERS.test(name));
  const [variables, secrets] = [foreign(props.environment), foreign(props.secrets)];
  if (variables.length > 0) warn('environment', variables.join(', '), 'flowRunDefaults.environment');
  if (secrets.length > 0) warn('secrets', secrets.join(', '), 'flowRunDefaults.secrets');
  if (props.ephemeralStorageGiB !== undefined) warn('ephemeralStorageGiB', 'the disk', 'flowRunDefaults.ephemeralStorageGiB');
}
