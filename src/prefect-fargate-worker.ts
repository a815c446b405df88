import { aws_cloudwatch as cloudwatch, aws_ec2 as ec2, aws_ecs as ecs, aws_iam as iam, aws_logs as logs, aws_sns as sns } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { Cluster } from './cluster/cluster';
import { Compliance } from './compliance/compliance';
import { warnOfBoundaries } from './compliance/permissions-boundary';
import { Costs } from './costs/costs';
import { Demand } from './demand/demand';
import { ApiFunctions } from './functions/api-functions';
import { AllowFlowRunRoleOptions } from './identity/allow-flow-run-role-options';
import { Identity } from './identity/identity';
import { DefaultImages } from './images/default-images';
import { warnOfFewAddresses } from './network/few-addresses';
import { Network } from './network/network';
import { Observability } from './observability/observability';
import { addOutputs } from './outputs';
import { PrefectFargateWorkerProps } from './prefect-fargate-worker-props';
import { acknowledgeFindings } from './private/acknowledge';
import { encryptionKey } from './private/encryption';
import { applyRemovalPolicy } from './private/removal-policy';
import { requireReadableSecrets, warnOfDistantSecrets } from './private/secret-access';
import { hasParameters } from './private/secrets';
import { isShared } from './private/shared';
import { validatedAt } from './private/validation';
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
import { MetricSources, WorkerMetrics } from './worker-metrics';
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
export class PrefectFargateWorker extends WorkerMetrics implements ec2.IConnectable, iam.IGrantable {
  /** The VPC in which workers and flow runs run. Give it to a second worker to share it. */
  public readonly vpc: ec2.IVpc;

  /** The ECS cluster in which workers and flow runs run. Give it to a second worker to share it. */
  public readonly cluster: ecs.ICluster;

  /** The ECS service that keeps the workers running. */
  public readonly service: ecs.FargateService;

  /**
   * The number of workers under AWS Application Auto Scaling, for ECS workers and PROCESS workers. Add scheduled actions and policies of
   * your own. Policies act between `scaling.minWorkers` and `scaling.maxWorkers`, which are both two for ECS workers unless you say
   * otherwise; one that could never act is an error at synth.
   *
   * - A scheduled action (`scaleOnSchedule()`) moves these bounds, until another moves them back.
   * - Of several policies that act at the same time, the one that asks for the most workers takes effect.
   * - Where workers follow demand, which is all but ECS workers of a fixed number, the demand publisher sets their number within these
   *   bounds. What your own policy has added it takes away when the demand hasn't needed it for `scaling.scaleInAfter`, and it adds
   *   again what that has taken away. Keep workers with a scheduled action, or with `scaling.spareFlowRuns`.
   * - The publisher, too, respects that you suspend scaling (`DynamicScalingInSuspended`, `DynamicScalingOutSuspended`).
   *
   * @see https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-scaling-policies.html
   */
  public readonly scalableTaskCount: ecs.ScalableTaskCount;

  /** The workers' task definition. */
  public readonly taskDefinition: ecs.FargateTaskDefinition;

  /** The worker's container in that task definition. */
  public readonly workerContainer: ecs.ContainerDefinition;

  /**
   * The task definition of flow runs, an ordinary one: add volumes, sidecars, a log router, tags to it. With `WorkerType.ECS` the work
   * pool's base job template is created from it, and a deployment's own job variables still override image, size, environment, command,
   * disk, network, role and family. With `WorkerType.PROCESS` it is `taskDefinition`.
   *
   * @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_definitions.html
   */
  public readonly flowRunTaskDefinition: ecs.FargateTaskDefinition;

  /**
   * The container in which a flow run is executed: add secrets, environment variables, mount points, ulimits to it. With
   * `WorkerType.PROCESS` it is `workerContainer`.
   */
  public readonly flowRunContainer: ecs.ContainerDefinition;

  /** Task role of the workers: what the worker itself may do. */
  public readonly workerRole: iam.IRole;

  /** Role with which ECS starts the workers: it pulls the image, reads the secrets and writes the logs. */
  public readonly executionRole: iam.IRole;

  /** Task role of flow runs: what your flows may do. With `WorkerType.PROCESS` it is `workerRole`. */
  public readonly flowRunRole: iam.IRole;

  /**
   * Role with which ECS starts the tasks of flow runs. Let it pull images that deployments name:
   * `repository.grantPull(worker.flowRunExecutionRole)`. With `WorkerType.PROCESS` it is `executionRole`.
   */
  public readonly flowRunExecutionRole: iam.IRole;

  /** Security group of flow runs. With `WorkerType.PROCESS` it is the workers'. */
  public readonly flowRunSecurityGroup: ec2.ISecurityGroup;

  /**
   * Security group of the functions that run in the VPC (`privateNetwork`, `network.functionsInVpc`): the first of `securityGroups`
   * where you give them. Undefined where no function does.
   */
  public readonly functionSecurityGroup?: ec2.ISecurityGroup;

  /** The network connections of flow runs. */
  public readonly connections: ec2.Connections;

  /**
   * The network connections of all that calls the Prefect API: workers, flow runs, and the functions that run in the VPC. Let them
   * through to a server of your own, or to a proxy: `loadBalancer.connections.allowFrom(worker.apiClients, ec2.Port.HTTPS)`.
   */
  public readonly apiClients: ec2.Connections;

  /** The principal of flow runs, which `grant` methods give permissions to. */
  public readonly grantPrincipal: iam.IPrincipal;

  /** Log group of the workers and their flow runs. */
  public readonly logGroup: logs.ILogGroup;

  /** The dashboard that shows the worker, and the other workers of the stack. Undefined where `observability.dashboard` is off. */
  public readonly dashboard?: cloudwatch.Dashboard;

  /**
   * The alarms by their names in docs/operations.md, such as `NoWorkerOnline`; `WorkerUnhealthy` stands for all that keep flow
   * runs from starting. Empty where `observability.alarms` are off.
   */
  public readonly alarms: { [name: string]: cloudwatch.AlarmBase };

  /**
   * The topic to which alarms, failed deployments and failed tasks are published, where neither `pageTopic` nor `informTopic` is given for them.
   * Subscribe to it, once for all workers of a stack: they share the one that is created. Undefined where nothing is published to it:
   * `observability.alarms` are off, or both of these were given.
   */
  public readonly alarmTopic?: sns.ITopic;

  /** The topic for what needs attention at once: `alarmTopic`, where `observability.pageTopic` is not given. Undefined where `observability.alarms` are off. */
  public readonly pageTopic?: sns.ITopic;

  /** The topic for what can wait: `alarmTopic`, where `observability.informTopic` is not given. Undefined where `observability.alarms` are off. */
  public readonly informTopic?: sns.ITopic;

  /** Name of the work pool. */
  public readonly workPoolName: string;

  /** @internal */
  protected readonly _metricSources: MetricSources;
  private readonly identity: Identity;
  private readonly results?: ResultStorage;

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
    super(scope, id);
    acknowledgeFindings(this);
    const built = validatedAt(this, () => this.build(props));
    const { network, cluster, identity, task, flowRunTask, service, target, observability, metricSources } = built;

    this.vpc = network.vpc;
    this.cluster = cluster;
    this.service = service;
    this.scalableTaskCount = target;
    this.taskDefinition = task.taskDefinition;
    this.workerContainer = task.container;
    this.flowRunTaskDefinition = flowRunTask.taskDefinition;
    this.flowRunContainer = flowRunTask.container;
    this.workerRole = identity.workerRole;
    this.executionRole = identity.executionRole;
    this.flowRunRole = identity.flowRunRole;
    this.flowRunExecutionRole = identity.flowRunExecutionRole;
    this.flowRunSecurityGroup = network.flowRunSecurityGroup;
    this.functionSecurityGroup = network.functionSecurityGroups[0];
    this.apiClients = new ec2.Connections({ securityGroups: network.apiClients });
    this.connections = new ec2.Connections({ securityGroups: [network.flowRunSecurityGroup] });
    this.grantPrincipal = identity.flowRunRole.grantPrincipal;
    this.logGroup = task.logGroup;
    this.dashboard = observability.dashboard;
    this.alarms = observability.alarms;
    this.alarmTopic = observability.topics?.all;
    this.pageTopic = observability.topics?.page;
    this.informTopic = observability.topics?.inform;
    this.workPoolName = props.workPool.name;
    this._metricSources = metricSources;
    this.identity = identity;
    this.results = built.results;
  }

  /** The rooms, from first to last. */
  private build(props: PrefectFargateWorkerProps) {
    validateProps(props);
    warnOfWorkerAlone(this, props);
    const { api, workPool, workerType = WorkerType.ECS, cpuArchitecture = ecs.CpuArchitecture.X86_64 } = props;
    const tracing = props.observability?.tracing;
    const logRetention = props.observability?.logRetention ?? logs.RetentionDays.ONE_MONTH;
    const size = workerSize(workerType, props.cpu, props.memoryLimitMiB, props.flowRunLimit);
    const plan = scalingPlan(workerType, props.scaling, size.flowRunLimit);
    const key = encryptionKey(this, props.encryptionKey);

    const network = new Network(this, 'Network', {
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

    const ecsCluster = new Cluster(this, 'Cluster', {
      vpc: network.vpc,
      createsVpc: network.createsVpc,
      cluster: props.cluster,
      enableExecuteCommand: props.enableExecuteCommand,
      encryptionKey: key,
      logRetention,
    });
    const { cluster } = ecsCluster;

    const flowRunFamily = flowRunFamilyPrefix(this, workPool);
    const identity = new Identity(this, 'Identity', {
      workerType,
      cluster,
      given: props,
      existingPool: !workPool._managed,
      flowRunFamily,
    });

    const results = props.results && new ResultStorage(this, 'Results', {
      results: props.results,
      role: identity.flowRunRole,
      encryptionKey: key,
    });

    const images = new DefaultImages(this, {
      copy: props.copyImages,
      network,
      cpuArchitecture,
      encryptionKey: key,
      logRetention,
    });

    const task = new Task(this, 'Task', {
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

    const flowRunTask = workerType === WorkerType.PROCESS ? undefined : new FlowRunTask(this, 'FlowRunTask', {
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

    const { service } = new Service(this, 'Service', {
      cluster,
      network,
      taskDefinition: task.taskDefinition,
      roles: [identity.workerRole, identity.executionRole, identity.flowRunRole, identity.flowRunExecutionRole],
      capacity: props.capacity,
    });
    if (props.enableExecuteCommand) {
      const { workerRole, flowRunRole } = identity;
      enableExecuteCommand(this, { cluster, service, container: task.container, taskRoles: [workerRole, flowRunRole], logGroup: task.logGroup });
    }

    const functions = ApiFunctions.of(this, { api, network, encryptionKey: key, logRetention });

    const served = new ServedWorkPool(this, 'WorkPool', {
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

    const reconciler = new Reconciler(this, 'Rescue', {
      functions,
      cluster,
      service,
      workPool,
      workQueues: props.workQueues,
      workerType,
      flowRunFamily,
    });

    const demand = new Demand(this, 'Demand', {
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

    const scaling = new Scaling(this, 'Scaling', { service, plan });

    const verification = props.verify ? new Verification(this, 'Verification', {
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

    const costs = new Costs(this, 'Costs', {
      functions,
      cluster,
      taskDefinition: task.taskDefinition,
      flowRunFamily,
      workerType,
      demand,
      reconciler,
    });

    const observability = new Observability(this, 'Observability', {
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

    const compliance = new Compliance(this, 'Compliance', { network, workerType, options: props.compliance });
    const shared = [images.copies, functions, served.shared, isShared(key) ? key : undefined].filter(used => used !== undefined);
    applyRemovalPolicy(props.removalPolicy, this, ...shared);
    requireReadableSecrets([this, functions], [identity.executionRole, identity.flowRunExecutionRole], [identity.workerRole, identity.flowRunRole]);
    warnOfBoundaries(compliance, [identity.workerRole, identity.executionRole, identity.flowRunRole, identity.flowRunExecutionRole]);
    const secrets = [props.secrets, api._secrets, tracing?._secrets].flatMap(some => Object.values(some ?? {}));
    if (network.isolated) warnOfDistantSecrets(this, secrets);
    if (tracing) warnOfEndpoint(this, tracing, network.isolated);
    warnOfFewAddresses(this, network.subnetSelection.subnets!, {
      'scaling.maxWorkers': mostWorkers(plan),
      ...workerType === WorkerType.ECS ? { 'concurrencyLimit of the work pool': workPool._managed?.concurrencyLimit } : {},
    });
    addOutputs(this, api, workPool, { notices: served.notices, verification: verification?.result, dashboard: observability.dashboard });

    const metricSources = {
      demand,
      reconciler: reconciler.function,
      events: served.events,
      managed: workPool._managed !== undefined,
      natGatewayIds: network.natGatewayIds,
      costs,
      observability,
    };
    return {
      network, cluster, identity, results, task, flowRunTask: flowRunTask ?? task, service, target: scaling.target, observability, metricSources,
    };
  }

  /**
   * Lets deployments of an ECS pool name another role in their job variables, as `task_role_arn` or `execution_role_arn`: the worker may
   * pass it to Amazon ECS from here on.
   *
   * The role has to trust `ecs-tasks.amazonaws.com`, in this account. As a task role it needs what its flows do, and nothing for Prefect;
   * it gets permission to use `results`. As an execution role it needs what ECS does before a flow starts: read the API's secret and those of the flow runs' task definition,
   * pull the image, write the logs. With `asExecutionRole` it gets just that, as `flowRunExecutionRole` does; a warning lists what an
   * imported role can't be given.
   *
   * Throws for PROCESS workers, whose flow runs are processes in the worker's container and have its role.
   *
   * ```ts
   * declare const worker: PrefectFargateWorker;
   * declare const payroll: iam.Role;
   *
   * worker.allowFlowRunRole(payroll);
   * ```
   *
   * @param role the role that deployments may name
   * @param options whether ECS uses it to start tasks
   * @see https://docs.prefect.io/integrations/prefect-aws/ecs-worker
   */
  public allowFlowRunRole(role: iam.IRole, options: AllowFlowRunRoleOptions = {}): void {
    const { asExecutionRole = false } = options;
    const allowed = validatedAt(this, () => this.identity.allowFlowRunRole(role, asExecutionRole));
    if (!asExecutionRole) this.results?.grant(allowed);
  }
}
