import { aws_cloudwatch as cloudwatch, aws_ecs as ecs, aws_lambda as lambda, Duration, Lazy, Names, Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { PricedTask, PublisherConfiguration, Standby } from './configuration';
import { LOGGED, MetricName, NAMESPACE } from './metrics';
import { Publisher } from './publisher';
import { ApiFunctions } from '../functions/api-functions';
import { Turn } from '../private/pool-log';
import { everyMinute } from '../private/turn';

const SUMS: readonly string[] = ['CrashedRuns', 'PublisherErrors', 'ReconcilerErrors', 'Cost', 'WorkerCost'];
const HOURLY: readonly string[] = ['WorkPoolChanges', 'Cost', 'WorkerCost'];

export interface DemandProps {
  readonly functions: ApiFunctions;
  readonly service: ecs.FargateService;
  readonly workPoolName: string;
  readonly workQueues?: readonly string[];
  readonly flowRunLimit?: number;
  readonly spareFlowRuns?: number;
  readonly warmTaskHours?: number;
  readonly workers?: number;
  readonly leadTime: Duration;
  readonly pollInterval: Duration;
  readonly scaleInMinutes: number;
  readonly standby?: Standby;
}

/** Publishes to CloudWatch what there is to do for the worker, and what becomes of it. */
export class Demand extends Construct {
  /** The function, which all workers of the API share. */
  public readonly publisher: lambda.IFunction;
  /** Whether it publishes how many workers are needed: not where their number is fixed. */
  public readonly countsWorkers: boolean;
  /** Whether workers may wait for unscheduled runs. */
  public readonly keepsWarm: boolean;
  private readonly dimensionsMap: { WorkPool: string; Worker: string };
  private pricedTask?: ecs.FargateTaskDefinition;

  constructor(scope: Construct, id: string, private readonly props: DemandProps) {
    super(scope, id);
    this.countsWorkers = props.flowRunLimit !== undefined || props.workers !== undefined;
    this.keepsWarm = props.warmTaskHours !== undefined;
    this.dimensionsMap = { WorkPool: props.workPoolName, Worker: Names.uniqueResourceName(scope, { maxLength: 128 }) };

    const publisher = props.functions.one('Demand', (shared, one) => new Publisher(shared, one));
    publisher.serve(props.service);
    if (this.countsWorkers) publisher.scale(props.service, props.flowRunLimit !== undefined);
    this.publisher = publisher.function;
    everyMinute(this, {
      description: `Polls the demand for the Prefect worker ${scope.node.path}`,
      fn: this.publisher,
      settings: this.configuration(),
    });
  }

  /** Whom it is for, as the functions are told. */
  public get turn(): Turn {
    return { workPool: this.dimensionsMap.WorkPool, worker: this.dimensionsMap.Worker };
  }

  /** Has it publish what the workers cost: by this task definition, as it is at the end of synthesis. */
  public priceWorkers(taskDefinition: ecs.FargateTaskDefinition): void {
    this.pricedTask = taskDefinition;
  }

  /** A metric of the worker: what the publisher sends, a minute at a time, or what another function says in its log. */
  public metric(metricName: MetricName | typeof LOGGED[number], options: cloudwatch.MetricOptions = {}): cloudwatch.Metric {
    return new cloudwatch.Metric({
      namespace: NAMESPACE,
      metricName,
      dimensionsMap: this.dimensionsMap,
      statistic: SUMS.includes(metricName) ? cloudwatch.Stats.SUM : cloudwatch.Stats.MAXIMUM,
      // The work pool is looked at once an hour, and prices are of an hour.
      period: HOURLY.includes(metricName) ? Duration.hours(1) : Duration.minutes(1),
      ...options,
    });
  }

  private configuration(): PublisherConfiguration {
    const { service, workQueues, flowRunLimit, spareFlowRuns, warmTaskHours, workers, leadTime, pollInterval, scaleInMinutes, standby } = this.props;
    return {
      ...this.turn,
      workQueues,
      flowRunLimit,
      spareFlowRuns,
      warmTaskHours,
      workers,
      leadTimeSeconds: leadTime.toSeconds(),
      pollSeconds: pollInterval.toSeconds(),
      scaleInMinutes,
      standby,
      cluster: service.cluster.clusterArn,
      service: service.serviceName,
      pricedTask: Lazy.any({ produce: () => this.pricedTask && sizeOf(this.pricedTask) }) as any,
    };
  }
}

/** What it is billed by, with all that users have changed. */
function sizeOf(taskDefinition: ecs.FargateTaskDefinition): PricedTask {
  const { cpu, memory, ephemeralStorage, runtimePlatform } = taskDefinition.node.defaultChild as ecs.CfnTaskDefinition;
  const [storage, platform] = Stack.of(taskDefinition).resolve([ephemeralStorage ?? {}, runtimePlatform ?? {}]);
  return { cpu, memoryMiB: memory, ephemeralStorageGiB: storage.sizeInGiB, cpuArchitecture: platform.cpuArchitecture };
}
