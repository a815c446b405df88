import { PrefectFargateWorkerProps } from './prefect-fargate-worker-props';
import { requireDuration, requireList, requireMember, requireObject } from './private/type-validation';
import { invalid, isResolved, requireDistinct, requirePrefectName, ValidationError } from './private/validation';
import { requireFlowRunEnvironment, requireWorkerEnvironment } from './task/environment';
import { WorkerType } from './worker-type';

/** Throws for what can be seen to be wrong in the props alone; each module checks what it needs more than that for. */
export function validateProps(props: PrefectFargateWorkerProps): void {
  requireTypes(props);
  const { api, workPool, workerType, workQueues, ephemeralStorageGiB } = props;
  if (!api) throw invalid('api', api, 'give PrefectApi.cloud() or PrefectApi.selfHosted().');
  if (!workPool) throw invalid('workPool', workPool, 'give WorkPool.managed() or WorkPool.existing().');

  if (workQueues?.length === 0) {
    throw invalid('workQueues', workQueues, 'name at least one queue, or leave the prop out to serve all.');
  }
  if (workQueues && !isResolved(workQueues)) {
    throw invalid('workQueues', workQueues,
      'their number must be known at synthesis, while each name may be a token; list the queues one by one, as Fn.select(0, queues) does, or Fn.split() with its assumedLength.');
  }
  workQueues?.forEach(queue => requirePrefectName('workQueues', queue));
  requireDistinct('workQueues', workQueues ?? []);

  requireStorage('ephemeralStorageGiB', ephemeralStorageGiB);
  requireStorage('flowRunDefaults.ephemeralStorageGiB', workPool._managed?.flowRunDefaults?.ephemeralStorageGiB);

  if (props.tmpfs !== undefined && workerType === WorkerType.PROCESS) {
    throw invalid('tmpfs', props.tmpfs, 'a PROCESS worker has the file system of its image, and no tmpfs; remove it.');
  }

  const defaults = workPool._managed?.flowRunDefaults;
  if (defaults && workerType === WorkerType.PROCESS) {
    // Their names only: a value of the environment may be a secret.
    throw invalid('flowRunDefaults', Object.keys(defaults),
      'flow runs of a PROCESS worker are processes in its container; set image, cpu, memoryLimitMiB and environment of the worker instead.');
  }
  for (const [prop, instead] of [['flowRunRole', 'workerRole'], ['flowRunExecutionRole', 'executionRole']] as const) {
    const role = props[prop];
    if (role && workerType === WorkerType.PROCESS) {
      throw invalid(prop, role.node.path, `flow runs of a PROCESS worker are processes in its container and have its roles; give ${instead} instead.`);
    }
  }
  if (api._inNetwork && !api._server && workPool._managed && !props.vpc && !props.cluster) {
    throw invalid('vpc', undefined, 'with privateNetwork or proxyUrl the deployment reaches the Prefect API inside your network, to which a newly created VPC is '
      + 'not connected; give the VPC that reaches it with vpc (or cluster), or create the work pool first and give WorkPool.existing().');
  }
  if (props.copyImages && props.network?.functionsInVpc) {
    throw invalid('copyImages', true, 'the function that copies runs outside the VPC, where network.functionsInVpc wants none; copy the images to Amazon ECR yourself '
      + 'and give them with image and flowRunDefaults.image, or leave one of the two out.');
  }
  if (props.results && !props.results._bucket && !props.results._expiration) {
    throw new ValidationError('results is not a Results object: give Results.managed(), or Results.bucket() with your bucket.');
  }
  if (props.results && !workPool._managed) {
    throw invalid('results', workPool.name, 'it is the work pool that tells flow runs where their results are, and WorkPool.existing() is not changed here; '
      + 'give WorkPool.managed(), or remove results and set PREFECT_RESULTS_DEFAULT_STORAGE_BLOCK in the pool yourself.');
  }
  requireWorkerEnvironment(props);
  requireFlowRunEnvironment(defaults ?? {});
}

/** In the languages whose compilers don't. */
function requireTypes(props: PrefectFargateWorkerProps): void {
  if (!props) throw new ValidationError('props are missing: give at least api and workPool.');
  const { observability, scaling } = props;
  for (const prop of ['api', 'workPool', 'image', 'cpuArchitecture', 'vpc', 'cluster', 'encryptionKey', 'workerRole', 'executionRole', 'flowRunRole', 'flowRunExecutionRole', 'results'] as const) {
    requireObject(prop, props[prop]);
  }
  for (const topic of ['alarmTopic', 'pageTopic', 'informTopic'] as const) requireObject(`observability.${topic}`, observability?.[topic]);
  for (const duration of ['leadTime', 'pollInterval', 'scaleInAfter'] as const) requireDuration(`scaling.${duration}`, scaling?.[duration]);
  requireList('securityGroups', props.securityGroups, 'a list of them, such as [ec2.SecurityGroup.fromSecurityGroupId()]');
  requireMember('workerType', props.workerType, 'WorkerType', WorkerType);
}

/** @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-task-storage.html */
function requireStorage(prop: string, gib: number | undefined): void {
  if (isResolved(gib) && !Number.isInteger(gib)) throw invalid(prop, gib, 'give a whole number of GiB, from 21 to 200.');
  if (isResolved(gib) && (gib < 21 || gib > 200)) {
    throw invalid(prop, gib, 'Fargate offers 21 to 200 GiB; leave the prop out for the 20 GiB that every task has.');
  }
}
