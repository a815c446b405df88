import { aws_ecs as ecs, aws_events as events, aws_iam as iam, aws_kms as kms, aws_lambda as lambda, aws_logs as logs, Duration, Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { LIMITS, ReconcilerConfiguration, WORKER_SECRETS_VARIABLE } from './configuration';
import { ReconcilerFunction } from './reconciler-function';
import { InterruptedRuns } from '../interrupted-runs';
import { Network } from '../network/network';
import { PrefectApi } from '../prefect-api';
import { apiEnvironment, apiFunction } from '../private/api-function';
import { everyMinute, NO_SECOND_TRY } from '../private/turn';
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
  /** How the families of the flow runs' task definitions begin. */
  readonly flowRunFamily: string;
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
      ...NO_SECOND_TRY,
      environment: {
        ...apiEnvironment(this, api),
        [WORKER_SECRETS_VARIABLE]: Stack.of(this).toJsonString(Object.values(api._secrets).map(({ arn }) => arn)),
        LIMITS: JSON.stringify(LIMITS),
      },
      ...options,
    });
    // When they were last written.
    Object.values(api._secrets).forEach(secret => secret.grantRead(options.role));
    this.letLookAtTasks(options.role);
    if (network.functionsInVpc) fn.node.addDependency(network.reachable);

    everyMinute(this, {
      description: `Looks for flow runs that lost their task, for the Prefect worker ${scope.node.path}`,
      fn,
      settings: this.configuration(),
      eventPattern: props.workerType === WorkerType.PROCESS ? undefined : this.stoppedByHand(),
    });
  }

  /** A flow run whose task a person stops is handed back by that task, and within the minute a worker would have it again. */
  private stoppedByHand(): events.EventPattern {
    const { cluster, flowRunFamily } = this.props;
    return {
      source: ['aws.ecs'],
      detailType: ['ECS Task State Change'],
      detail: {
        clusterArn: [cluster.clusterArn],
        taskDefinitionArn: events.Match.prefix(Stack.of(this).formatArn({ service: 'ecs', resource: 'task-definition', resourceName: flowRunFamily })),
        desiredStatus: ['STOPPED'],
        stopCode: ['UserInitiated'],
        lastStatus: ['RUNNING', 'DEACTIVATING', 'STOPPING'],
      },
    };
  }

  private configuration(): ReconcilerConfiguration {
    const { cluster, service, workPool, workQueues, workerType } = this.props;
    const outOfMemory = workPool._managed?.flowRunDefaults?.outOfMemory;
    return {
      workPool: workPool.name,
      workQueues,
      type: workerType,
      interruptedRuns: workPool._managed?.interruptedRuns ?? InterruptedRuns.RESTART,
      outOfMemory: outOfMemory && outOfMemory.retry !== false ? { maxMemoryMiB: outOfMemory.maxMemoryMiB, remember: outOfMemory.remember ?? false } : undefined,
      cluster: cluster.clusterArn,
      service: service.serviceName,
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
