import {
  aws_ecs as ecs, aws_events as events, aws_events_targets as targets, aws_iam as iam, aws_kms as kms, aws_lambda as lambda, aws_logs as logs,
  Duration, Stack,
} from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { LIMITS, ReconcilerConfiguration } from './configuration';
import { ReconcilerFunction } from './reconciler-function';
import { InterruptedRuns } from '../interrupted-runs';
import { Network } from '../network/network';
import { PrefectApi } from '../prefect-api';
import { apiFunction, apiLocation } from '../private/api-function';
import { WorkPool } from '../work-pool';
import { WorkerType } from '../worker-type';

export interface ReconcilerProps {
  readonly api: PrefectApi;
  readonly network: Network;
  readonly cluster: ecs.ICluster;
  readonly service: ecs.FargateService;
  readonly workPool: WorkPool;
  readonly workQueues?: string[];
  readonly workerType: WorkerType;
  readonly encryptionKey: kms.IKey;
  readonly logRetention: logs.RetentionDays;
}

/**
 * Sees to it that no flow run stays Pending, Running or Cancelling with nothing behind it: once a minute a function asks
 * Amazon ECS for the tasks of those runs, and what has lost its task is started again, or ends as crashed with the reason.
 *
 * Prefect's observer learns of a task's end from a message, which can come late, twice or never, and only while a worker
 * runs. This function looks at what there is, so it needs no history and no worker. It also brings a new value of the
 * API's secrets to the workers.
 *
 * @see https://docs.prefect.io/v3/concepts/states
 */
export class Reconciler extends Construct {
  public readonly function: lambda.Function;

  constructor(scope: Construct, id: string, private readonly props: ReconcilerProps) {
    super(scope, id);
    const { api, network } = props;

    const options = apiFunction(this, {
      ...props,
      purpose: 'Looks for Prefect flow runs that lost their task',
    });
    const fn = this.function = new ReconcilerFunction(this, 'Function', {
      description: `Looks for flow runs that lost their task, for the Prefect worker ${scope.node.path}`,
      timeout: Duration.seconds(55),
      memorySize: 256,
      architecture: lambda.Architecture.ARM_64,
      // The next minute's look is as good as a second try.
      retryAttempts: 0,
      maxEventAge: Duration.minutes(1),
      environment: {
        CONFIGURATION: Stack.of(this).toJsonString(this.configuration()),
        LIMITS: JSON.stringify(LIMITS),
      },
      ...options,
    });
    // When they were last written.
    Object.values(api._secrets).forEach(secret => secret.grantRead(options.role));
    this.letLookAtTasks(options.role);
    if (network.functionsInVpc) fn.node.addDependency(network.reachable);

    const target = () => new targets.LambdaFunction(fn, { retryAttempts: 0, maxEventAge: Duration.minutes(1) });
    new events.Rule(this, 'Schedule', {
      description: `Looks for flow runs that lost their task, for the Prefect worker ${scope.node.path}`,
      schedule: events.Schedule.rate(Duration.minutes(1)),
      targets: [target()],
    });
    if (props.workerType === WorkerType.PROCESS) return;
    // A flow run whose task a person stops is handed back by that task, and within the minute a worker would have it again.
    new events.Rule(this, 'StoppedByHand', {
      description: `Tasks of flow runs that are stopped by hand, for the Prefect worker ${scope.node.path}`,
      eventPattern: {
        source: ['aws.ecs'],
        detailType: ['ECS Task State Change'],
        detail: { clusterArn: [props.cluster.clusterArn], desiredStatus: ['STOPPED'], stopCode: ['UserInitiated'], lastStatus: ['RUNNING', 'DEACTIVATING', 'STOPPING'] },
      },
      targets: [target()],
    });
  }

  private configuration(): ReconcilerConfiguration {
    const { api, cluster, service, workPool, workQueues, workerType } = this.props;
    return {
      api: apiLocation(api),
      workPool: workPool.name,
      workQueues,
      type: workerType,
      interruptedRuns: workPool._managed?.interruptedRuns ?? InterruptedRuns.RESTART,
      cluster: cluster.clusterArn,
      service: service.serviceName,
      workerSecrets: Object.values(api._secrets).map(({ arn }) => arn),
    };
  }

  private letLookAtTasks(role: iam.Role): void {
    const { cluster, service, workerType } = this.props;
    const tasks = Stack.of(this).formatArn({ service: 'ecs', resource: 'task', resourceName: `${cluster.clusterName}/*` });
    const inThisCluster = { ArnEquals: { 'ecs:cluster': cluster.clusterArn } };
    const allow = (sid: string, actions: string[], resources: string[]) =>
      role.addToPolicy(new iam.PolicyStatement({ sid, actions, resources, conditions: inThisCluster }));

    allow('RestartWorkers', ['ecs:DescribeServices', 'ecs:UpdateService'], [service.serviceArn]);
    if (workerType === WorkerType.PROCESS) {
      allow('LookAtTasks', ['ecs:DescribeTasks'], [tasks]);
      return;
    }
    allow('LookAtAndStopTasks', ['ecs:DescribeTasks', 'ecs:StopTask'], [tasks]);
    // Its resources are container instances, which Fargate has none of; the cluster is what can be fixed.
    allow('FindTasks', ['ecs:ListTasks'], ['*']);
  }
}
