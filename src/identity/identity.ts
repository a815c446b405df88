import { aws_ecs as ecs, aws_iam as iam, Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { WorkerType } from '../worker-type';

export interface IdentityProps {
  readonly workerType: WorkerType;
  readonly cluster: ecs.ICluster;
  /** Whether the base job template is not ours, and may leave the network to the worker. */
  readonly foreignTemplate: boolean;
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
  public readonly workerRole: iam.Role;
  public readonly executionRole: iam.Role;
  public readonly flowRunRole: iam.Role;
  public readonly flowRunExecutionRole: iam.Role;

  constructor(scope: Construct, id: string, private readonly props: IdentityProps) {
    super(scope, id);

    this.workerRole = this.taskRole('WorkerRole', 'What the Prefect worker may do');
    this.executionRole = this.taskRole('ExecutionRole', 'What ECS needs to start the Prefect worker');
    if (props.workerType === WorkerType.PROCESS) {
      this.letWorkerProtectItself();
      this.flowRunRole = this.workerRole;
      this.flowRunExecutionRole = this.executionRole;
      return;
    }
    this.flowRunRole = this.taskRole('FlowRunRole', 'What Prefect flow runs may do');
    this.flowRunExecutionRole = this.taskRole('FlowRunExecutionRole', 'What ECS needs to start Prefect flow runs');
    this.letWorkerRunFlows();
  }

  private taskRole(id: string, description: string): iam.Role {
    const { partition, region, account } = Stack.of(this);
    return new iam.Role(this, id, {
      description,
      // ECS may use the role for tasks of this account and region only.
      // https://docs.aws.amazon.com/AmazonECS/latest/developerguide/cross-service-confused-deputy-prevention.html
      assumedBy: new iam.ServicePrincipal('ecs-tasks.amazonaws.com', {
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
    this.workerRole.addToPolicy(new iam.PolicyStatement({
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
      this.workerRole.addToPolicy(new iam.PolicyStatement({ sid, actions, resources, conditions }));

    // One that is to be registered has no revision yet, and AWS's own policies name it by its family alone.
    allow('RegisterFlowRunTaskDefinitions', ['ecs:RegisterTaskDefinition'], [families]);
    // ECS has no resource-level permissions for reading and retiring task definitions.
    allow('ReadTaskDefinitions', ['ecs:DescribeTaskDefinition', 'ecs:DeregisterTaskDefinition'], ['*']);
    // The worker looks for the subnets of a VPC that the template names, or of the default one. EC2 has no resource-level permissions for it.
    if (this.props.foreignTemplate) allow('FindSubnetsOfTheTemplate', ['ec2:DescribeVpcs', 'ec2:DescribeSubnets'], ['*']);
    allow('StartFlowRuns', ['ecs:RunTask'], [`${families}:*`], inThisCluster);
    // With Prefect's labels, and with the tags of the stack.
    allow('TagFlowRuns', ['ecs:TagResource'], [tasks, families], { StringEquals: { 'ecs:CreateAction': ['RunTask', 'RegisterTaskDefinition'] } });
    allow('WatchAndStopFlowRuns', ['ecs:DescribeTasks', 'ecs:StopTask'], [tasks], inThisCluster);
    allow('PassFlowRunRoles', ['iam:PassRole'], [this.flowRunRole.roleArn, this.flowRunExecutionRole.roleArn],
      { StringEquals: { 'iam:PassedToService': 'ecs-tasks.amazonaws.com' } });
  }
}
