import { aws_cloudwatch as cloudwatch, aws_ecs as ecs, aws_lambda as lambda, Duration, Names } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { PublisherConfiguration, Standby } from './configuration';
import { LOGGED, MetricName, NAMESPACE } from './metrics';
import { Publisher } from './publisher';
import { ApiFunctions } from '../functions/api-functions';
import { everyMinute } from '../private/turn';

export interface DemandProps {
  readonly functions: ApiFunctions;
  readonly service: ecs.FargateService;
  readonly workPoolName: string;
  readonly workQueues?: readonly string[];
  readonly flowRunLimit?: number;
  readonly spareFlowRuns?: number;
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
  private readonly dimensionsMap: { WorkPool: string; Worker: string };

  constructor(scope: Construct, id: string, private readonly props: DemandProps) {
    super(scope, id);
    this.countsWorkers = props.flowRunLimit !== undefined || props.workers !== undefined;
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

  /** A metric of the worker: what the publisher sends, a minute at a time, or what another function says in its log. */
  public metric(metricName: MetricName | typeof LOGGED[number], options: cloudwatch.MetricOptions = {}): cloudwatch.Metric {
    return new cloudwatch.Metric({
      namespace: NAMESPACE,
      metricName,
      dimensionsMap: this.dimensionsMap,
      statistic: metricName === 'CrashedRuns' || metricName === 'PublisherErrors' || metricName === 'ReconcilerErrors' ? cloudwatch.Stats.SUM : cloudwatch.Stats.MAXIMUM,
      // The work pool is looked at once an hour.
      period: metricName === 'WorkPoolChanges' ? Duration.hours(1) : Duration.minutes(1),
      ...options,
    });
  }

  private configuration(): PublisherConfiguration {
    const { service, workQueues, flowRunLimit, spareFlowRuns, workers, leadTime, pollInterval, scaleInMinutes, standby } = this.props;
    return {
      workPool: this.dimensionsMap.WorkPool,
      worker: this.dimensionsMap.Worker,
      workQueues,
      flowRunLimit,
      spareFlowRuns,
      workers,
      leadTimeSeconds: leadTime.toSeconds(),
      pollSeconds: pollInterval.toSeconds(),
      scaleInMinutes,
      standby,
      cluster: service.cluster.clusterArn,
      service: service.serviceName,
    };
  }
}
