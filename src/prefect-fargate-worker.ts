import { aws_ec2 as ec2, aws_ecs as ecs, aws_iam as iam, aws_logs as logs } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { BuiltWorker, WorkerParts } from './built-worker';
import { Cluster } from './cluster/cluster';
import { Compliance } from './compliance/compliance';
import { warnOfBoundaries } from './compliance/permissions-boundary';
import { Costs } from './costs/costs';
import { Demand } from './demand/demand';
import { ApiFunctions } from './functions/api-functions';
import { Identity } from './identity/identity';
import { DefaultImages } from './images/default-images';
import { warnOfFewAddresses } from './network/few-addresses';
import { Network } from './network/network';
import { Observability } from './observability/observability';
import { addOutputs } from './outputs';
import { PrefectFargateWorkerProps } from './prefect-fargate-worker-props';
import { encryptionKey } from './private/encryption';
import { applyRemovalPolicy } from './private/removal-policy';
import { requireReadableSecrets, warnOfDistantSecrets } from './private/secret-access';
import { hasParameters } from './private/secrets';
import { isShared } from './private/shared';
import { Reconciler } from './rescue/reconciler';
import { ResultStorage } from './results/result-storage';
import { mostWorkers, scalingPlan } from './scaling/plan';
import { Scaling } from './scaling/scaling';
import { enableExecuteCommand } from './service/execute-command';
import { Service } from './service/service';
import { warnOfEndpoint } from './task/collector';
import { FlowRunTask } from './task/flow-run-task';
import { workerSize } from './task/size';
import { Task } from './task/task';
import { warnOfWorkerAlone } from './task/worker-alone';
import { validateProps } from './validate-props';
import { Verification } from './verification/verification';
import { flowRunFamilyPrefix } from './work-pool/flow-run-template';
import { ServedWorkPool } from './work-pool/served-work-pool';
import { WorkerType } from './worker-type';

/**
 * A Prefect worker on Amazon ECS with Fargate, with everything it needs: network, cluster, roles, the work pool, logs.
 *
 * ```ts
 * declare const apiKey: secretsmanager.ISecret;
 *
 * new PrefectFargateWorker(this, 'Worker', {
 *   api: PrefectApi.cloud({
 *     accountId: '11111111-2222-3333-4444-555555555555',
 *     workspaceId: '66666666-7777-8888-9999-000000000000',
 *     apiKey: ecs.Secret.fromSecretsManager(apiKey),
 *   }),
 *   workPool: WorkPool.managed('etl'),
 * });
 * ```
 *
 * Grant flow runs permissions as you would a role (`bucket.grantRead(worker)`), and let them through to your
 * databases as you would a security group (`database.connections.allowDefaultPortFrom(worker)`).
 *
 * @see https://docs.prefect.io/v3/concepts/workers
 */
export class PrefectFargateWorker extends BuiltWorker implements ec2.IConnectable, iam.IGrantable {
  /**
   * Creates the worker, and everything it needs that you don't give it.
   *
   * Throws for a property, or a combination of properties, that can't work. The message names the property, its value and the fix.
   *
   * @param scope the stack, or a construct in it
   * @param id name of the worker within `scope`; changing it later replaces the worker
   * @param props the API, the work pool, and what differs from the defaults
   */
  constructor(scope: Construct, id: string, props: PrefectFargateWorkerProps) {
    super(scope, id, worker => build(worker, props));
  }
}

/** The worker's modules, in the order in which they need each other. */
function build(worker: Construct, props: PrefectFargateWorkerProps): WorkerParts {
  validateProps(props);
  warnOfWorkerAlone(worker, props);
  props.api._warnOfPlainHttp(worker);
  const { api, workPool, workerType = WorkerType.ECS, cpuArchitecture = ecs.CpuArchitecture.X86_64 } = props;
  const tracing = props.observability?.tracing;
  const logRetention = props.observability?.logRetention ?? logs.RetentionDays.ONE_MONTH;
  const size = workerSize(workerType, props.cpu, props.memoryLimitMiB, props.flowRunLimit);
  const plan = scalingPlan(workerType, props.scaling, size.flowRunLimit);
  const key = encryptionKey(worker, props.encryptionKey);

  const network = new Network(worker, 'Network', {
    api,
    workerType,
    encryptionKey: key,
    logRetention,
    options: props.network ?? {},
    tracing,
    parameters: hasParameters(api._secrets, api._functionSecrets, props.secrets, tracing?._secrets),
    enableExecuteCommand: props.enableExecuteCommand,
    followsDemand: plan.followsDemand,
    vpc: props.vpc ?? props.cluster?.vpc ?? api._server?.vpc,
    vpcSubnets: props.vpcSubnets,
    securityGroups: props.securityGroups,
  });

  const ecsCluster = new Cluster(worker, 'Cluster', {
    vpc: network.vpc,
    createsVpc: network.createsVpc,
    cluster: props.cluster,
    enableExecuteCommand: props.enableExecuteCommand,
    encryptionKey: key,
    logRetention,
  });
  const { cluster } = ecsCluster;

  const flowRunFamily = flowRunFamilyPrefix(worker, workPool);
  const identity = new Identity(worker, 'Identity', { workerType, cluster, given: props, existingPool: !workPool._managed, flowRunFamily });

  const results = props.results && new ResultStorage(worker, 'Results', {
    results: props.results,
    role: identity.flowRunRole,
    encryptionKey: key,
  });

  const images = new DefaultImages(worker, { copy: props.copyImages, network, cpuArchitecture, encryptionKey: key, logRetention });

  const task = new Task(worker, 'Task', {
    api,
    identity,
    workerType,
    workPoolName: workPool.name,
    interruptedRuns: workPool._managed?.interruptedRuns,
    workQueues: props.workQueues,
    size,
    image: props.image,
    images,
    ephemeralStorageGiB: props.ephemeralStorageGiB,
    tmpfs: props.tmpfs,
    cpuArchitecture,
    environment: props.environment,
    secrets: props.secrets,
    encryptionKey: key,
    logRetention,
    tracing,
    results,
  });

  const flowRunTask = workerType === WorkerType.PROCESS ? undefined : new FlowRunTask(worker, 'FlowRunTask', {
    api,
    identity,
    images,
    workPoolName: workPool.name,
    interruptedRuns: workPool._managed?.interruptedRuns,
    defaults: workPool._managed && (workPool._managed.flowRunDefaults ?? {}),
    cpuArchitecture,
    logGroup: task.logGroup,
    tracing,
    enableExecuteCommand: props.enableExecuteCommand,
    results,
  });

  const { service } = new Service(worker, 'Service', {
    cluster,
    network,
    taskDefinition: task.taskDefinition,
    roles: [identity.workerRole, identity.executionRole, identity.flowRunRole, identity.flowRunExecutionRole],
    capacity: props.capacity,
  });
  if (props.enableExecuteCommand) {
    const { workerRole, flowRunRole } = identity;
    enableExecuteCommand(worker, { cluster, service, container: task.container, taskRoles: [workerRole, flowRunRole], logGroup: task.logGroup });
  }

  const functions = ApiFunctions.of(worker, { api, network, encryptionKey: key, logRetention });

  const served = new ServedWorkPool(worker, 'WorkPool', {
    api,
    functions,
    network,
    cluster,
    identity,
    task,
    flowRunTask,
    service,
    enableExecuteCommand: props.enableExecuteCommand,
    results,
    workPool,
    workerType,
    encryptionKey: key,
    logRetention,
    workerSecrets: props.secrets,
  });

  const reconciler = new Reconciler(worker, 'Rescue', {
    functions,
    cluster,
    service,
    workPool,
    workQueues: props.workQueues,
    workerType,
    flowRunFamily,
  });

  const demand = new Demand(worker, 'Demand', {
    functions,
    service,
    workPoolName: workPool.name,
    workQueues: props.workQueues,
    flowRunLimit: size.flowRunLimit,
    spareFlowRuns: plan.spareFlowRuns,
    warmTaskHours: plan.warmTaskHours,
    workers: plan.workers,
    leadTime: plan.leadTime,
    pollInterval: plan.pollInterval,
    scaleInMinutes: plan.scaleInMinutes,
    standby: plan.standby,
  });

  const scaling = new Scaling(worker, 'Scaling', { service, plan });

  const verification = props.verify ? new Verification(worker, 'Verification', {
    functions,
    network,
    service,
    flowRunTask,
    served,
    workPoolName: workPool.name,
    workQueues: props.workQueues,
    after: [served, reconciler, demand, scaling],
    encryptionKey: key,
    logRetention,
  }) : undefined;

  const costs = new Costs(worker, 'Costs', {
    functions,
    cluster,
    taskDefinition: task.taskDefinition,
    flowRunFamily,
    workerType,
    demand,
    reconciler,
  });

  const observability = new Observability(worker, 'Observability', {
    api,
    workPoolName: workPool.name,
    network,
    cluster: ecsCluster,
    service,
    logGroup: task.logGroup,
    events: served.events,
    managed: workPool._managed !== undefined,
    demand,
    reconciler,
    plan,
    costs,
    encryptionKey: key,
    logRetention,
    options: props.observability ?? {},
  });

  const compliance = new Compliance(worker, 'Compliance', { network, workerType, options: props.compliance });
  const shared = [images.copies, functions, served.shared, isShared(key) ? key : undefined].filter(used => used !== undefined);
  applyRemovalPolicy(props.removalPolicy, worker, ...shared);
  requireReadableSecrets([worker, functions], [identity.executionRole, identity.flowRunExecutionRole], [identity.workerRole, identity.flowRunRole]);
  warnOfBoundaries(compliance, [identity.workerRole, identity.executionRole, identity.flowRunRole, identity.flowRunExecutionRole]);
  const secrets = [props.secrets, api._secrets, tracing?._secrets].flatMap(some => Object.values(some ?? {}));
  if (network.isolated) warnOfDistantSecrets(worker, secrets);
  if (tracing) warnOfEndpoint(worker, tracing, network.isolated);
  warnOfFewAddresses(worker, network.subnetSelection.subnets!, {
    'scaling.maxWorkers': mostWorkers(plan),
    ...workerType === WorkerType.ECS ? { 'concurrencyLimit of the work pool': workPool._managed?.concurrencyLimit } : {},
  });
  addOutputs(worker, api, workPool, {
    logGroup: task.logGroup, notices: served.notices, verification: verification?.result, dashboard: observability.dashboard,
  });

  return {
    network,
    cluster,
    identity,
    results,
    task,
    flowRunTask: flowRunTask ?? task,
    service,
    scalableTaskCount: scaling.target,
    observability,
    workPoolName: workPool.name,
    metricSources: {
      demand,
      reconciler: reconciler.function,
      events: served.events,
      managed: workPool._managed !== undefined,
      natGatewayIds: network.natGatewayIds,
      costs,
      observability,
    },
  };
}
