import { aws_ecs as ecs, aws_iam as iam, aws_lambda as lambda, aws_logs as logs, Duration, Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { LIMITS, WORKER_SECRETS_VARIABLE } from './configuration';
import { ReconcilerFunction } from './reconciler-function';
import { ApiFunctions } from '../functions/api-functions';
import { apiEnvironment } from '../private/api-function';
import { fingerprint } from '../private/fingerprint';
import { NO_SECOND_TRY } from '../private/turn';
import { WorkerType } from '../worker-type';

/** The function that looks after the flow runs of one API, with what it may do for the workers that it serves. */
export class SharedReconciler extends Construct {
  public readonly function: lambda.Function;
  public readonly logGroup: logs.ILogGroup;
  private readonly role: iam.Role;
  private readonly statements = new Map<string, iam.PolicyStatement>();

  constructor(scope: ApiFunctions, id: string) {
    super(scope, id);
    const { role, ...options } = scope.options(this, 'Looks for Prefect flow runs that lost their task');
    const secrets = Object.values(scope.api._secrets);
    this.role = role;
    this.logGroup = options.logGroup;
    this.function = new ReconcilerFunction(this, 'Function', {
      description: 'Looks for flow runs that lost their task, for Prefect workers',
      timeout: Duration.seconds(55),
      memorySize: 256,
      architecture: lambda.Architecture.ARM_64,
      ...NO_SECOND_TRY,
      environment: {
        ...apiEnvironment(this, scope.api),
        [WORKER_SECRETS_VARIABLE]: Stack.of(this).toJsonString(secrets.map(({ arn }) => arn)),
        LIMITS: JSON.stringify(LIMITS),
      },
      role,
      ...options,
    });
    // When they were last written.
    secrets.forEach(secret => secret.grantRead(role));
  }

  /** Lets it do for a worker what it does, in the worker's cluster only. */
  public serve(cluster: ecs.ICluster, service: ecs.FargateService, workerType: WorkerType): lambda.Function {
    const tasks = Stack.of(this).formatArn({ service: 'ecs', resource: 'task', resourceName: `${cluster.clusterName}/*` });
    this.allow(cluster, 'RestartWorkers', ['ecs:DescribeServices', 'ecs:UpdateService'], service.serviceArn);
    this.allow(cluster, 'LookAtTasks', ['ecs:DescribeTasks'], tasks);
    if (workerType === WorkerType.PROCESS) return this.function;
    this.allow(cluster, 'StopTasks', ['ecs:StopTask'], tasks);
    // Its resources are container instances, which Fargate has none of; the cluster is what can be fixed.
    this.allow(cluster, 'FindTasks', ['ecs:ListTasks'], '*');
    return this.function;
  }

  private allow(cluster: ecs.ICluster, what: string, actions: string[], resource: string): void {
    const sid = `${what}In${fingerprint(this, cluster.clusterArn)}`;
    const statement = this.statements.get(sid);
    if (statement) {
      statement.addResources(resource);
      return;
    }
    const added = new iam.PolicyStatement({ sid, actions, resources: [resource], conditions: { ArnEquals: { 'ecs:cluster': cluster.clusterArn } } });
    this.statements.set(sid, added);
    this.role.addToPolicy(added);
  }
}
