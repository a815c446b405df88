import { aws_cloudwatch as cloudwatch, aws_ecs as ecs, aws_iam as iam, aws_kms as kms, aws_lambda as lambda, aws_logs as logs, Duration, Names } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { Network } from '../network/network';
import { PrefectApi } from '../prefect-api';
import { PublisherConfiguration, Standby } from './configuration';
import { MetricName, NAMESPACE } from './metrics';
import { PublisherFunction } from './publisher-function';
import { apiEnvironment, apiFunction } from '../private/api-function';
import { everyMinute, NO_SECOND_TRY } from '../private/turn';

export interface DemandProps {
  readonly api: PrefectApi;
  readonly network: Network;
  readonly service: ecs.FargateService;
  readonly workPoolName: string;
  readonly workQueues?: readonly string[];
  readonly flowRunLimit?: number;
  readonly spareFlowRuns?: number;
  readonly workers?: number;
  readonly leadTime: Duration;
  readonly pollInterval: Duration;
  readonly standby?: Standby;
  readonly encryptionKey: kms.IKey;
  readonly logRetention: logs.RetentionDays;
}

/** Publishes to CloudWatch what there is to do for the worker, and what becomes of it. */
export class Demand extends Construct {
  public readonly publisher: lambda.Function;
  /** Whether it publishes how many workers are needed: not where their number is fixed. */
  public readonly countsWorkers: boolean;
  private readonly dimensionsMap: { WorkPool: string; Worker: string };

  constructor(scope: Construct, id: string, private readonly props: DemandProps) {
    super(scope, id);
    const { network } = props;
    this.countsWorkers = props.flowRunLimit !== undefined || props.workers !== undefined;
    this.dimensionsMap = { WorkPool: props.workPoolName, Worker: Names.uniqueResourceName(scope, { maxLength: 128 }) };

    const options = apiFunction(this, {
      ...props,
      purpose: 'Publishes the demand for the Prefect worker',
    });
    this.publisher = new PublisherFunction(this, 'Function', {
      description: `Publishes the demand for the Prefect worker ${scope.node.path}`,
      timeout: Duration.seconds(60),
      memorySize: 256,
      architecture: lambda.Architecture.ARM_64,
      ...NO_SECOND_TRY,
      environment: apiEnvironment(this, props.api),
      ...options,
    });
    this.grantPublish(options.role);
    options.logGroup.grant(options.role, 'logs:FilterLogEvents');
    if (network.functionsInVpc) this.publisher.node.addDependency(network.reachable);

    everyMinute(this, {
      description: `Polls the demand for the Prefect worker ${scope.node.path}`,
      fn: this.publisher,
      settings: this.configuration(),
    });
  }

  /** A metric that the publisher sends, a minute at a time. */
  public metric(metricName: MetricName, options: cloudwatch.MetricOptions = {}): cloudwatch.Metric {
    return new cloudwatch.Metric({
      namespace: NAMESPACE,
      metricName,
      dimensionsMap: this.dimensionsMap,
      statistic: metricName === 'CrashedRuns' || metricName === 'PublisherErrors' ? cloudwatch.Stats.SUM : cloudwatch.Stats.MAXIMUM,
      period: Duration.minutes(1),
      ...options,
    });
  }

  private configuration(): PublisherConfiguration {
    const { service, workQueues, flowRunLimit, spareFlowRuns, workers, leadTime, pollInterval, standby } = this.props;
    return {
      workPool: this.dimensionsMap.WorkPool,
      worker: this.dimensionsMap.Worker,
      workQueues,
      flowRunLimit,
      spareFlowRuns,
      workers,
      leadTimeSeconds: leadTime.toSeconds(),
      pollSeconds: pollInterval.toSeconds(),
      standby,
      cluster: service.cluster.clusterArn,
      service: service.serviceName,
    };
  }

  private grantPublish(role: iam.Role): void {
    const { service } = this.props;
    role.addToPolicy(new iam.PolicyStatement({
      sid: 'Metrics',
      actions: ['cloudwatch:PutMetricData'],
      // CloudWatch has no resources for metrics; the namespace is what can be fixed.
      resources: ['*'],
      conditions: { StringEquals: { 'cloudwatch:namespace': NAMESPACE } },
    }));
    role.addToPolicy(new iam.PolicyStatement({
      sid: 'Service',
      actions: ['ecs:DescribeServices'],
      resources: [service.serviceArn],
    }));
  }
}
