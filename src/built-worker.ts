import { aws_cloudwatch as cloudwatch, aws_ec2 as ec2, aws_ecs as ecs, aws_iam as iam, aws_logs as logs, aws_sns as sns } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { MetricSources } from './aws-metrics';
import { AllowFlowRunRoleOptions } from './identity/allow-flow-run-role-options';
import { Identity } from './identity/identity';
import { Network } from './network/network';
import { Observability } from './observability/observability';
import { acknowledgeFindings } from './private/acknowledge';
import { validatedAt } from './private/validation';
import { ResultStorage } from './results/result-storage';
import { FlowRunTask } from './task/flow-run-task';
import { Task } from './task/task';
import { WorkerMetrics } from './worker-metrics';

/** What a worker is made of, as far as users go on with it. */
export interface WorkerParts {
  readonly network: Network;
  readonly cluster: ecs.ICluster;
  readonly identity: Identity;
  readonly results?: ResultStorage;
  readonly task: Task;
  readonly flowRunTask: Task | FlowRunTask;
  readonly service: ecs.FargateService;
  readonly scalableTaskCount: ecs.ScalableTaskCount;
  readonly observability: Observability;
  readonly metricSources: MetricSources;
  readonly workPoolName: string;
}

/**
 * A worker as users go on with it: its parts, and what they may do with them. They are members of `PrefectFargateWorker` itself, as the metrics are.
 *
 * @internal
 */
export abstract class BuiltWorker extends WorkerMetrics {
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

  constructor(scope: Construct, id: string, build: (worker: Construct) => WorkerParts) {
    super(scope, id);
    acknowledgeFindings(this);
    const parts = validatedAt(this, () => build(this));
    const { network, identity, task, flowRunTask, observability } = parts;

    this.vpc = network.vpc;
    this.cluster = parts.cluster;
    this.service = parts.service;
    this.scalableTaskCount = parts.scalableTaskCount;
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
    this.workPoolName = parts.workPoolName;
    this._metricSources = parts.metricSources;
    this.identity = identity;
    this.results = parts.results;
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
