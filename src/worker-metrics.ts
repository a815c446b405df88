import { aws_cloudwatch as cloudwatch } from 'aws-cdk-lib';
import { AwsMetrics } from './aws-metrics';
import { LOGGED, MetricName, UNITS } from './demand/metrics';
import { invalid, isResolved, validatedAt, ValidationError } from './private/validation';

/**
 * The metrics of a worker. In all languages they are methods of `PrefectFargateWorker` itself: jsii blends hidden base classes into the one that extends them.
 *
 * @internal
 */
export abstract class WorkerMetrics extends AwsMetrics {
  /**
   * A metric that the worker publishes to the CloudWatch namespace `PrefectFargateWorker`, with the dimensions `WorkPool` and `Worker`,
   * once a minute: `DueRuns`, `LateRuns`, `OldestLateSeconds`, `BlockedRuns`, `PendingRuns`, `RunningRuns`, `CrashedRuns`, `OnlineWorkers`, `Demand`,
   * `RequiredWorkers`, `MissingWorkers`, `SurplusWorkers`, `UnscheduledWorkers`, `WarmWorkers`, `PublisherErrors`, `ReconcilerErrors`, `WorkerCost`; once an hour `WorkPoolChanges`; and of
   * each flow run's task `Cost`. Each has a method of its own, such as `metricLateRuns()`, which says what it counts. Units are `Count`, `Seconds` of
   * `OldestLateSeconds`, and none of costs, which are US dollars.
   *
   * Throws for another name.
   *
   * @param metricName its name in CloudWatch
   * @param options statistic, period, label and so on; the default is the maximum over a minute, the sum of `CrashedRuns`, `PublisherErrors` and `ReconcilerErrors`, and the sum over an hour of costs
   */
  public metric(metricName: string, options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    validatedAt(this, () => {
      const names: string[] = [...Object.keys(UNITS), ...LOGGED];
      if (isResolved(metricName) && !names.includes(metricName)) throw invalid('metricName', metricName, `give one of ${names.join(', ')}.`);
    });
    const { costs, demand } = this._metricSources;
    if (metricName === 'Cost' || metricName === 'WorkerCost') costs.warnOfForeignPrices();
    if (metricName === 'Cost') return costs.flowRuns(options);
    if (metricName === 'WorkerCost') return costs.workers(options);
    return demand.metric(metricName as MetricName, options);
  }

  /**
   * Flow runs that are due within the lead time, with the late and the blocked ones. Paused pools and queues have none.
   *
   * @param options statistic, period, label and so on; the default is the maximum over a minute
   */
  public metricDueRuns(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metric('DueRuns', options);
  }

  /**
   * Flow runs that should have started 15 seconds ago or earlier and haven't, although no limit holds them back: there are too few
   * workers. Paused pools and queues have none.
   *
   * @param options statistic, period, label and so on; the default is the maximum over a minute
   */
  public metricLateRuns(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metric('LateRuns', options);
  }

  /**
   * How late the oldest of the late flow runs is, in seconds; 0 where none is late.
   *
   * @param options statistic, period, label and so on; the default is the maximum over a minute
   */
  public metricOldestLateSeconds(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metric('OldestLateSeconds', options);
  }

  /**
   * Flow runs that are past their time because a concurrency limit of the pool, their queue or their deployment holds them back.
   * More workers don't help them; raise the limit, or wait. Paused pools and queues have none.
   *
   * @param options statistic, period, label and so on; the default is the maximum over a minute
   * @see https://docs.prefect.io/v3/concepts/deployments#concurrency-limiting
   */
  public metricBlockedRuns(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metric('BlockedRuns', options);
  }

  /**
   * Flow runs that a worker has taken and that don't run yet.
   *
   * @param options statistic, period, label and so on; the default is the maximum over a minute
   */
  public metricPendingRuns(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metric('PendingRuns', options);
  }

  /**
   * Flow runs in the state Running.
   *
   * @param options statistic, period, label and so on; the default is the maximum over a minute
   */
  public metricRunningRuns(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metric('RunningRuns', options);
  }

  /**
   * Flow runs that crashed: their infrastructure ended, and not their code.
   *
   * Counted are those that are still `Crashed` when a poll looks for them, ten seconds after their end at the soonest; one that
   * has been started again by then is not. A run counts once, and after an outage of the API too; only two polls at the same
   * moment, as when Amazon EventBridge delivers a schedule twice, count it twice.
   *
   * @param options statistic, period, label and so on; the default is the sum over a minute
   */
  public metricCrashedRuns(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metric('CrashedRuns', options);
  }

  /**
   * Workers of the work pool that are online, those of other services too.
   *
   * @param options statistic, period, label and so on; the default is the maximum over a minute
   */
  public metricOnlineWorkers(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metric('OnlineWorkers', options);
  }

  /**
   * Flow runs that need a worker: running, waiting, or due within the lead time.
   *
   * @param options statistic, period, label and so on; the default is the maximum over a minute
   */
  public metricDemand(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metric('Demand', options);
  }

  /**
   * Workers that the demand asks for. Published where the number of workers follows demand, and of a standby.
   *
   * @param options statistic, period, label and so on; the default is the maximum over a minute
   */
  public metricRequiredWorkers(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metric('RequiredWorkers', options);
  }

  /**
   * How many workers are missing; the publisher adds them. Published as `RequiredWorkers` is.
   *
   * @param options statistic, period, label and so on; the default is the maximum over a minute
   */
  public metricMissingWorkers(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metric('MissingWorkers', options);
  }

  /**
   * How many workers are too many, without those that wait for unscheduled flow runs; the publisher removes them. Published as `RequiredWorkers` is.
   *
   * @param options statistic, period, label and so on; the default is the maximum over a minute
   */
  public metricSurplusWorkers(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metric('SurplusWorkers', options);
  }

  /**
   * Of `RequiredWorkers` those that only unscheduled flow runs need: runs that are created later than the lead time before they are due. Published
   * with `scaling.warmTaskHours`.
   *
   * @param options statistic, period, label and so on; the default is the maximum over a minute
   */
  public metricUnscheduledWorkers(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metric('UnscheduledWorkers', options);
  }

  /**
   * Workers that wait for unscheduled flow runs, within `scaling.warmTaskHours`. Published with it.
   *
   * @param options statistic, period, label and so on; the default is the maximum over a minute
   */
  public metricWarmWorkers(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metric('WarmWorkers', options);
  }

  /**
   * Polls of the demand publisher that couldn't read the Prefect API, or what they wanted of AWS.
   *
   * @param options statistic, period, label and so on; the default is the sum over a minute
   */
  public metricPublisherErrors(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metric('PublisherErrors', options);
  }

  /**
   * Errors that the worker and its flow runs log, at the levels `ERROR` and `CRITICAL`. A metric filter counts them from the moment at
   * which the dashboard or this method first asks for them.
   *
   * @param options statistic, period, label and so on; the default is the sum over five minutes
   */
  public metricLoggedErrors(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this._metricSources.observability.loggedErrors(options);
  }

  /**
   * 1 in an hour in which a managed work pool was found to differ from what the stack has set. Throws where the pool is not managed.
   *
   * @param options statistic, period, label and so on; the default is the maximum over an hour
   */
  public metricWorkPoolChanges(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    if (!this._metricSources.managed) throw new ValidationError('metricWorkPoolChanges() is of a managed work pool: use WorkPool.managed(), or leave the metric out.', this.node.path);
    return this.metric('WorkPoolChanges', options);
  }

  /**
   * What flow runs have cost, in US dollars: the price of each one's task on AWS Fargate, published when it ends, by its size and architecture,
   * Spot or on demand, and storage over 20 GiB. Throws for a PROCESS worker, whose flow runs have no tasks of their own. The
   * saved query "costs by deployment" shows what each deployment has cost.
   *
   * Prices are AWS's list prices in the stack's region as of the date in docs/costs.md, without traffic, logs and discounts. Counting begins where
   * the dashboard, `observability.monthlyBudget` or this method first asks for it. With `WorkPool.existing()`, all tasks of the pool in the worker's cluster are counted.
   *
   * @param options statistic, period, label and so on; the default is the sum over an hour
   * @see https://aws.amazon.com/fargate/pricing/
   */
  public metricCost(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metric('Cost', options);
  }

  /**
   * What the workers have cost, in US dollars: the price of the service's running tasks on AWS Fargate. An ECS worker costs this whether flow runs
   * run or not; for a PROCESS worker it includes the flow runs, which are executed in its tasks. The minute or two in which a task starts and
   * stops is not included. Where `capacity` has Spot, its share of the tasks is counted as Spot.
   *
   * Prices are AWS's list prices in the stack's region as of the date in docs/costs.md. Published at each poll, where the
   * dashboard, `observability.monthlyBudget` or this method asks for it.
   *
   * @param options statistic, period, label and so on; the default is the sum over an hour
   * @see https://aws.amazon.com/fargate/pricing/
   */
  public metricWorkerCost(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metric('WorkerCost', options);
  }

  /**
   * Runs of the reconciler, the function that looks after flow runs, that failed for this worker or took too long.
   *
   * @param options statistic, period, label and so on; the default is the sum over a minute
   */
  public metricReconcilerErrors(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metric('ReconcilerErrors', options);
  }
}
