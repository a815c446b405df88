import { Annotations, aws_ecs as ecs, aws_iam as iam, aws_logs as logs } from 'aws-cdk-lib';
import { IConstruct } from 'constructs';

/** Where the agent of ECS Exec writes, in volumes of the task's: https://github.com/aws/containers-roadmap/issues/1359 */
const WRITTEN_BY_AGENT = { 'execute-command-agent': '/managed-agents', 'execute-command-state': '/var/lib/amazon/ssm', 'execute-command-logs': '/var/log/amazon/ssm' };

export interface ExecuteCommandProps {
  readonly cluster: ecs.ICluster;
  readonly service: ecs.FargateService;
  /** The worker's container. */
  readonly container: ecs.ContainerDefinition;
  /** The roles of the tasks that people look into. */
  readonly taskRoles: readonly iam.IRole[];
  /** Where the tasks' own logs go. */
  readonly logGroup: logs.ILogGroup;
  /** Whose containers they are. @default - 'workers and flow runs' */
  readonly whose?: string;
}

/**
 * Lets people run commands in the worker's container, and gives what that takes to its tasks' roles and those of flow runs. What starts a
 * flow run says so too, in the pool's template.
 *
 * @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-exec.html
 */
export function enableExecuteCommand(worker: IConstruct, { cluster, service, container, taskRoles, logGroup, whose = 'workers and flow runs' }: ExecuteCommandProps): void {
  // The L2 prop gives the worker's role alone more than that: log groups of any name, and everything with the key.
  (service.node.defaultChild as ecs.CfnService).enableExecuteCommand = true;
  if (container.renderContainerDefinition().readonlyRootFilesystem) letAgentWrite(container);
  for (const role of new Set(taskRoles)) letAgentWork(role, cluster, logGroup);
  Annotations.of(worker).addWarningV2('cdk-prefect-fargate-worker:executeCommand',
    `enableExecuteCommand lets whoever may call ecs:ExecuteCommand be root in the containers of ${whose}, with the secrets and the permissions that these have. `
    + 'Leave it out in production, or allow the action to few people, for a while; then acknowledge this warning.');
}

function letAgentWrite(container: ecs.ContainerDefinition): void {
  for (const [name, containerPath] of Object.entries(WRITTEN_BY_AGENT)) {
    container.taskDefinition.addVolume({ name });
    container.addMountPoints({ sourceVolume: name, containerPath, readOnly: false });
  }
}

/** @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-exec.html#ecs-exec-required-iam-permissions */
function letAgentWork(role: iam.IRole, { executeCommandConfiguration: sessions = {} }: ecs.ICluster, taskLogs: logs.ILogGroup): void {
  const allow = (sid: string, actions: string[], resources: string[]) =>
    role.addToPrincipalPolicy(new iam.PolicyStatement({ sid, actions, resources }));
  // None of these has resource-level permissions.
  allow('OpenSessions', ['ssmmessages:CreateControlChannel', 'ssmmessages:CreateDataChannel', 'ssmmessages:OpenControlChannel', 'ssmmessages:OpenDataChannel'], ['*']);
  sessions.kmsKey?.grantDecrypt(role);
  if (sessions.logging === ecs.ExecuteCommandLogging.NONE) return;

  const { cloudWatchLogGroup, s3Bucket } = sessions.logConfiguration ?? {};
  const group = cloudWatchLogGroup as logs.ILogGroup | undefined ?? (sessions.logging === ecs.ExecuteCommandLogging.OVERRIDE ? undefined : taskLogs);
  if (group) {
    allow('FindSessionLogs', ['logs:DescribeLogGroups'], ['*']);
    group.grant(role, 'logs:CreateLogStream', 'logs:DescribeLogStreams', 'logs:PutLogEvents');
  }
  if (s3Bucket) {
    s3Bucket.grantPut(role);
    allow('LookAtSessionBucket', ['s3:GetBucketLocation', 's3:GetEncryptionConfiguration'], [s3Bucket.bucketArn]);
  }
}
