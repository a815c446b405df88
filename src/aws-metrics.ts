import { aws_cloudwatch as cloudwatch, aws_ecs as ecs, aws_lambda as lambda, Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { Costs } from './costs/costs';
import { Demand } from './demand/demand';
import { containerInsights, natMetric } from './observability/metrics';
import { Observability } from './observability/observability';
import { ValidationError } from './private/validation';
import { EventQueue } from './work-pool/event-queue';

/** What the metrics are of. */
export interface MetricSources {
  readonly demand: Demand;
  readonly reconciler: lambda.IFunction;
  readonly events?: EventQueue;
  /** Whether the stack manages the work pool. */
  readonly managed: boolean;
  readonly natGatewayIds: readonly string[];
  readonly costs: Costs;
  readonly observability: Observability;
}

const MINUTE = Duration.minutes(1);
const { AVERAGE, MAXIMUM, SUM } = cloudwatch.Stats;

/**
 * The metrics of AWS about a worker's parts.
 *
 * @internal
 */
export abstract class AwsMetrics extends Construct {
  /** The ECS service that keeps the workers running. */
  public abstract readonly service: ecs.FargateService;

  /** @internal */
  protected abstract readonly _metricSources: MetricSources;

  /**
   * CPU utilization of the workers, in percent, of Amazon ECS (namespace `AWS/ECS`, dimensions `ClusterName` and `ServiceName`).
   *
   * @param options statistic, period, label and so on; the default is the average over a minute
   * @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service_utilization.html
   */
  public metricCpuUtilization(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.service.metricCpuUtilization({ statistic: AVERAGE, period: MINUTE, ...options });
  }

  /**
   * Memory utilization of the workers, in percent, of Amazon ECS (namespace `AWS/ECS`, dimensions `ClusterName` and `ServiceName`).
   *
   * @param options statistic, period, label and so on; the default is the maximum over a minute, which is the fullest worker
   * @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service_utilization.html
   */
  public metricMemoryUtilization(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.service.metricMemoryUtilization({ statistic: MAXIMUM, period: MINUTE, ...options });
  }

  /**
   * Running tasks of the service, from Container Insights (namespace `ECS/ContainerInsights`, dimensions `ClusterName` and `ServiceName`).
   * A cluster of your own needs Container Insights for it.
   *
   * @param options statistic, period, label and so on; the default is the maximum over a minute
   * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Container-Insights-metrics-ECS.html
   */
  public metricRunningTasks(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return containerInsights(this.service, 'RunningTaskCount', options);
  }

  /**
   * Tasks that the service wants, of Container Insights (namespace `ECS/ContainerInsights`, dimensions `ClusterName` and `ServiceName`).
   * A cluster of your own needs Container Insights for it.
   *
   * @param options statistic, period, label and so on; the default is the maximum over a minute
   * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Container-Insights-metrics-ECS.html
   */
  public metricDesiredTasks(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return containerInsights(this.service, 'DesiredTaskCount', options);
  }

  /**
   * Invocations of the demand publisher that ended in an error, of AWS Lambda (namespace `AWS/Lambda`, dimension `FunctionName`): for
   * this worker, and for others of the stack that share the function.
   *
   * @param options statistic, period, label and so on; the default is the sum over a minute
   */
  public metricPublisherFunctionErrors(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this._metricSources.demand.publisher.metricErrors({ statistic: SUM, period: MINUTE, ...options });
  }

  /**
   * Invocations of the demand publisher that AWS Lambda throttled (namespace `AWS/Lambda`, dimension `FunctionName`): for this worker,
   * and for others of the stack that share the function.
   *
   * @param options statistic, period, label and so on; the default is the sum over a minute
   */
  public metricPublisherThrottles(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this._metricSources.demand.publisher.metricThrottles({ statistic: SUM, period: MINUTE, ...options });
  }

  /**
   * Invocations of the reconciler that ended in an error, of AWS Lambda (namespace `AWS/Lambda`, dimension `FunctionName`): for this
   * worker, and for others of the stack that share the function.
   *
   * @param options statistic, period, label and so on; the default is the sum over a minute
   */
  public metricReconcilerFunctionErrors(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this._metricSources.reconciler.metricErrors({ statistic: SUM, period: MINUTE, ...options });
  }

  /**
   * Invocations of the reconciler that AWS Lambda throttled (namespace `AWS/Lambda`, dimension `FunctionName`): for this worker,
   * and for others of the stack that share the function.
   *
   * @param options statistic, period, label and so on; the default is the sum over a minute
   */
  public metricReconcilerThrottles(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this._metricSources.reconciler.metricThrottles({ statistic: SUM, period: MINUTE, ...options });
  }

  /**
   * Age in seconds of the oldest event of a flow run's task that no worker has read yet, of Amazon SQS (namespace `AWS/SQS`, dimension
   * `QueueName`). Throws for a PROCESS worker.
   *
   * @param options statistic, period, label and so on; the default is the maximum over a minute
   */
  public metricTaskEventAge(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.taskEvents('metricTaskEventAge').queue.metricApproximateAgeOfOldestMessage({ statistic: MAXIMUM, period: MINUTE, ...options });
  }

  /**
   * Events of flow runs' tasks that could not be handled three times, of Amazon SQS (namespace `AWS/SQS`, dimension `QueueName`).
   * Throws for a PROCESS worker.
   *
   * @param options statistic, period, label and so on; the default is the maximum over a minute
   */
  public metricDeadLetters(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.taskEvents('metricDeadLetters').deadLetterQueue.metricApproximateNumberOfMessagesVisible({ statistic: MAXIMUM, period: MINUTE, ...options });
  }

  /**
   * Connections for which the NAT gateways had no port left, of Amazon VPC (namespace `AWS/NATGateway`, dimension `NatGatewayId`), the sum of all
   * gateways over a minute. Throws where the VPC is not created for the worker, or has no NAT gateway.
   *
   * @param options label and so on
   * @see https://docs.aws.amazon.com/vpc/latest/userguide/metrics-dimensions-nat-gateway.html
   */
  public metricNatPortErrors(options?: cloudwatch.MathExpressionOptions): cloudwatch.MathExpression {
    const { natGatewayIds } = this._metricSources;
    if (natGatewayIds.length === 0) {
      throw new ValidationError('metricNatPortErrors() is of NAT gateways in a VPC that is created for the worker, and this one has none.', this.node.path);
    }
    return new cloudwatch.MathExpression({
      expression: 'SUM(METRICS())',
      usingMetrics: Object.fromEntries(natGatewayIds.map((id, index) => [`nat${index}`, natMetric(id, 'ErrorPortAllocation')])),
      period: MINUTE,
      ...options,
    });
  }

  private taskEvents(method: string): EventQueue {
    const { events } = this._metricSources;
    if (!events) throw new ValidationError(`${method}() is of an ECS worker: a PROCESS worker has no queue of task events.`, this.node.path);
    return events;
  }
}
