import { Annotations, aws_ecs as ecs, aws_iam as iam, Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { GivenRoles, TASK_SERVICE } from './given-roles';
import { RecordedRole } from '../private/recorded-role';
import { invalid } from '../private/validation';
import { WorkerType } from '../worker-type';

/** The roles that a worker takes instead of creating them. */
export interface Roles {
  readonly workerRole?: iam.IRole;
  readonly executionRole?: iam.IRole;
  readonly flowRunRole?: iam.IRole;
  readonly flowRunExecutionRole?: iam.IRole;
}

export interface IdentityProps {
  readonly given: Roles;
  readonly workerType: WorkerType;
  readonly cluster: ecs.ICluster;
  /** Whether the base job template is not ours, and may leave the network to the worker. */
  readonly existingPool: boolean;
  /** Start of the family names of the task definitions that the worker registers for flow runs. */
  readonly flowRunFamily: string;
}

/**
 * The roles of the worker's tasks and of the flow runs' tasks: one that ECS uses to start a task (execution role),
 * one that the code in it uses (task role). Flow runs of a PROCESS worker are processes in its task, with its roles.
 *
 * @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/security-ecs-iam-role-overview.html
 */
export class Identity extends Construct {
  public readonly workerRole: iam.IRole;
  public readonly executionRole: iam.IRole;
  public readonly flowRunRole: iam.IRole;
  public readonly flowRunExecutionRole: iam.IRole;
  /** The last of these, as the flow runs' task definition asks it for permissions: other execution roles may follow it. */
  public readonly flowRunExecution: RecordedRole;
  private readonly given: GivenRoles;
  private readonly passed = new Set<iam.IRole>();

  constructor(scope: Construct, id: string, private readonly props: IdentityProps) {
    super(scope, id);
    this.given = new GivenRoles(this, scope);

    this.workerRole = this.role('workerRole', 'WorkerRole', 'What the Prefect worker may do');
    this.executionRole = this.role('executionRole', 'ExecutionRole', 'What ECS needs to start the Prefect worker');
    if (props.workerType === WorkerType.PROCESS) {
      this.letWorkerProtectItself();
      this.flowRunRole = this.workerRole;
      this.flowRunExecutionRole = this.executionRole;
    } else {
      this.flowRunRole = this.role('flowRunRole', 'FlowRunRole', 'What Prefect flow runs may do');
      this.flowRunExecutionRole = this.role('flowRunExecutionRole', 'FlowRunExecutionRole', 'What ECS needs to start Prefect flow runs');
      this.letWorkerRunFlows();
      this.warnOfPowerfulFlowRuns(scope);
    }
    this.flowRunExecution = this.flowRunExecutionRole instanceof RecordedRole
      ? this.flowRunExecutionRole
      : new RecordedRole(this, 'FlowRunExecution', this.flowRunExecutionRole);
  }

  /** Lets the worker start flow runs with another role, which may get what ECS needs to start them; gives the role as the library uses it. */
  public allowFlowRunRole(role: iam.IRole, asExecutionRole: boolean): iam.IRole {
    if (this.props.workerType === WorkerType.PROCESS) {
      throw invalid('allowFlowRunRole()', role.node.path,
        'flow runs of a PROCESS worker are processes in its container and have its role; grant permissions to the worker instead, or use WorkerType.ECS.');
    }
    const taken = this.given.take(role, 'allowFlowRunRole()');
    if (!this.passed.has(taken)) this.letWorkerPass([taken]);
    if (asExecutionRole && taken !== this.flowRunExecutionRole) this.flowRunExecution.follow(taken);
    return taken;
  }

  private role(prop: keyof Roles, id: string, description: string): iam.IRole {
    const given = this.props.given[prop];
    return given ? this.given.take(given, prop) : this.taskRole(id, description);
  }

  /** Some companies give an app one role for everything. */
  private warnOfPowerfulFlowRuns(worker: Construct): void {
    const others = (['workerRole', 'executionRole', 'flowRunExecutionRole'] as const).filter(prop => this[prop] === this.flowRunRole);
    if (others.length === 0) return;
    Annotations.of(worker).addWarningV2('cdk-prefect-fargate-worker:flowRunRoleShared',
      `flowRunRole is ${others.join(' and ')} too, so each flow may do what ${others.includes('workerRole') ? 'the worker may: start tasks with any of its roles' : 'ECS needs to start tasks: read their secrets'}. `
      + 'Give flow runs a role of their own, or leave flowRunRole out.');
  }

  private taskRole(id: string, description: string): iam.Role {
    const { partition, region, account } = Stack.of(this);
    return new iam.Role(this, id, {
      description,
      // ECS may use the role for tasks of this account and region only.
      // https://docs.aws.amazon.com/AmazonECS/latest/developerguide/cross-service-confused-deputy-prevention.html
      assumedBy: new iam.ServicePrincipal(TASK_SERVICE, {
        conditions: {
          StringEquals: { 'aws:SourceAccount': account },
          ArnLike: { 'aws:SourceArn': `arn:${partition}:ecs:${region}:${account}:*` },
        },
      }),
    });
  }

  /** Tasks of the worker's cluster: what belongs to its service can't be told by their ARNs. */
  private get tasks(): string {
    return Stack.of(this).formatArn({ service: 'ecs', resource: 'task', resourceName: `${this.props.cluster.clusterName}/*` });
  }

  private get inThisCluster() {
    return { ArnEquals: { 'ecs:cluster': this.props.cluster.clusterArn } };
  }

  /** The ECS agent asks in the name of the task, when the supervisor tells it to. */
  private letWorkerProtectItself(): void {
    this.workerRole.addToPrincipalPolicy(new iam.PolicyStatement({
      sid: 'ProtectBusyWorkers',
      actions: ['ecs:GetTaskProtection', 'ecs:UpdateTaskProtection'],
      resources: [this.tasks],
      conditions: this.inThisCluster,
    }));
  }

  /** The calls of prefect-aws' ECS worker; test/live records them from the real one. */
  private letWorkerRunFlows(): void {
    const { tasks, inThisCluster } = this;
    const families = Stack.of(this).formatArn({ service: 'ecs', resource: 'task-definition', resourceName: `${this.props.flowRunFamily}*` });

    const allow = (sid: string, actions: string[], resources: string[], conditions?: iam.PolicyStatementProps['conditions']) =>
      this.workerRole.addToPrincipalPolicy(new iam.PolicyStatement({ sid, actions, resources, conditions }));

    // One that is to be registered has no revision yet, and AWS's own policies name it by its family alone.
    allow('RegisterFlowRunTaskDefinitions', ['ecs:RegisterTaskDefinition'], [families]);
    // ECS has no resource-level permissions for reading and retiring task definitions.
    allow('ReadTaskDefinitions', ['ecs:DescribeTaskDefinition', 'ecs:DeregisterTaskDefinition'], ['*']);
    // The worker looks for the subnets of a VPC that the template names, or of the default one. EC2 has no resource-level permissions for it.
    if (this.props.existingPool) allow('FindSubnetsOfTheTemplate', ['ec2:DescribeVpcs', 'ec2:DescribeSubnets'], ['*']);
    allow('StartFlowRuns', ['ecs:RunTask'], [`${families}:*`], inThisCluster);
    // With Prefect's labels, and with the tags of the stack.
    allow('TagFlowRuns', ['ecs:TagResource'], [tasks, families], { StringEquals: { 'ecs:CreateAction': ['RunTask', 'RegisterTaskDefinition'] } });
    allow('WatchAndStopFlowRuns', ['ecs:DescribeTasks', 'ecs:StopTask'], [tasks], inThisCluster);
    this.letWorkerPass([this.flowRunRole, this.flowRunExecutionRole], 'PassFlowRunRoles');
  }

  /** A statement each time: what reports on roles looks at each once. */
  private letWorkerPass(roles: readonly iam.IRole[], sid?: string): void {
    roles.forEach(role => this.passed.add(role));
    this.workerRole.addToPrincipalPolicy(new iam.PolicyStatement({
      sid,
      actions: ['iam:PassRole'],
      resources: [...new Set(roles.map(({ roleArn }) => roleArn))],
      conditions: { StringEquals: { 'iam:PassedToService': TASK_SERVICE } },
    }));
  }
}
