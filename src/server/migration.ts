import { aws_ecs as ecs, aws_iam as iam, aws_kms as kms, aws_logs as logs, custom_resources as cr, CustomResource, Duration, Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { MigrationFunction } from './migration-function';
import { ServerNetwork } from './server-network';
import { CONTAINER, ServerTask } from './server-task';
import { functionLogs } from '../private/api-function';

export interface MigrationProps {
  readonly task: ServerTask;
  readonly cluster: ecs.ICluster;
  readonly network: ServerNetwork;
  readonly logGroup: logs.ILogGroup;
  readonly encryptionKey: kms.IKey;
  readonly logRetention: logs.RetentionDays;
}

/**
 * Brings the database to the schema of the server's version, before the services change: one task, whose failure fails the deployment
 * with its last words. Where every task did it at its start, two at once would get in each other's way, and an older version couldn't
 * come back.
 */
export class Migration extends Construct {
  public readonly resource: CustomResource;

  constructor(scope: Construct, id: string, private readonly props: MigrationProps) {
    super(scope, id);
    const { cluster, network, task: { taskDefinition }, logGroup } = props;
    const provider = new cr.Provider(this, 'Provider', {
      onEventHandler: this.function(),
      logGroup: functionLogs(this, 'ProviderLogs', props),
    });
    this.resource = new CustomResource(this, 'Resource', {
      resourceType: 'Custom::PrefectMigration',
      serviceToken: provider.serviceToken,
      properties: {
        Cluster: cluster.clusterArn,
        TaskDefinition: taskDefinition.taskDefinitionArn,
        Family: taskDefinition.family,
        Container: CONTAINER,
        LogGroup: logGroup.logGroupName,
        Subnets: network.vpc.selectSubnets(network.subnetSelection).subnetIds,
        SecurityGroups: [network.securityGroup.securityGroupId],
      },
    });
    // The task pulls its image, reads its secrets and reaches the database.
    this.resource.node.addDependency(network, network.connectivity, taskDefinition.executionRole!, cluster);
  }

  private function(): MigrationFunction {
    const { cluster, task: { taskDefinition }, logGroup } = this.props;
    const ownLogs = functionLogs(this, 'Logs', this.props);
    const role = new iam.Role(this, 'Role', {
      description: 'Runs the migration of the Prefect server\'s database',
      assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com'),
    });
    ownLogs.grantWrite(role);
    logGroup.grant(role, 'logs:GetLogEvents');
    taskDefinition.grantRun(role);
    const inThisCluster = { ArnEquals: { 'ecs:cluster': cluster.clusterArn } };
    const tasks = Stack.of(this).formatArn({ service: 'ecs', resource: 'task', resourceName: `${cluster.clusterName}/*` });
    role.addToPolicy(new iam.PolicyStatement({ sid: 'LookAtTasks', actions: ['ecs:DescribeTasks'], resources: [tasks], conditions: inThisCluster }));
    // Its resources are container instances, which Fargate has none of; the cluster is what can be fixed.
    role.addToPolicy(new iam.PolicyStatement({ sid: 'FindTasks', actions: ['ecs:ListTasks'], resources: ['*'], conditions: inThisCluster }));
    return new MigrationFunction(this, 'Function', {
      description: `Runs the migration of the database of the Prefect server ${this.node.scope!.node.path}`,
      timeout: Duration.minutes(15),
      memorySize: 256,
      role,
      logGroup: ownLogs,
    });
  }
}
