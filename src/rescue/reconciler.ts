import { aws_ecs as ecs, aws_events as events, aws_lambda as lambda, aws_logs as logs, Names, Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { ReconcilerConfiguration } from './configuration';
import { SharedReconciler } from './shared-reconciler';
import { ApiFunctions } from '../functions/api-functions';
import { InterruptedRuns } from '../interrupted-runs';
import { OutOfMemoryOptions } from '../out-of-memory-options';
import { everyMinute } from '../private/turn';
import { WorkPool } from '../work-pool';
import { WorkerType } from '../worker-type';

export interface ReconcilerProps {
  readonly functions: ApiFunctions;
  readonly cluster: ecs.ICluster;
  readonly service: ecs.FargateService;
  readonly workPool: WorkPool;
  readonly workQueues?: string[];
  readonly workerType: WorkerType;
  /** How the families of the flow runs' task definitions begin. */
  readonly flowRunFamily: string;
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
  /** The function, which all workers of the API share. */
  public readonly function: lambda.IFunction;
  public readonly logGroup: logs.ILogGroup;

  constructor(scope: Construct, id: string, private readonly props: ReconcilerProps) {
    super(scope, id);
    const reconciler = props.functions.one('Rescue', (shared, one) => new SharedReconciler(shared, one));
    this.function = reconciler.serve(props.cluster, props.service, props.workerType);
    this.logGroup = reconciler.logGroup;
    everyMinute(this, {
      description: `Looks for flow runs that lost their task, for the Prefect worker ${scope.node.path}`,
      fn: this.function,
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
    const given: Partial<OutOfMemoryOptions> = workPool._managed?.flowRunDefaults?.outOfMemory ?? {};
    const { maxMemoryMiB: most, retry = true, remember = false } = given;
    return {
      workPool: workPool.name,
      worker: Names.uniqueResourceName(this.node.scope!, { maxLength: 128 }),
      workQueues,
      type: workerType,
      interruptedRuns: workPool._managed?.interruptedRuns ?? InterruptedRuns.RESTART,
      outOfMemory: retry && most ? { maxMemoryMiB: most, remember } : undefined,
      cluster: cluster.clusterArn,
      service: service.serviceName,
    };
  }
}
