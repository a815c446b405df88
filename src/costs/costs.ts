import { Annotations, aws_cloudwatch as cloudwatch, aws_ecs as ecs, aws_logs as logs, Stack, Token } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { CostQuery } from './cost-query';
import { TaskEnds } from './task-ends';
import { Demand } from '../demand/demand';
import { ApiFunctions } from '../functions/api-functions';
import { FARGATE_PRICES, REFERENCE_REGION } from '../private/fargate-prices';
import { shared } from '../private/shared';
import { ValidationError } from '../private/validation';
import { Reconciler } from '../rescue/reconciler';
import { WorkerType } from '../worker-type';

export interface CostsProps {
  readonly functions: ApiFunctions;
  readonly cluster: ecs.ICluster;
  readonly taskDefinition: ecs.FargateTaskDefinition;
  /** How the families of the flow runs' task definitions begin. */
  readonly flowRunFamily: string;
  readonly workerType: WorkerType;
  readonly demand: Demand;
  readonly reconciler: Reconciler;
}

/**
 * What the pool's tasks cost on AWS Fargate: each flow run's at its end, the workers' while they run. Counting begins where something asks for
 * it: a metric costs too.
 */
export class Costs extends Construct {
  /** Where the prices of flow runs are written, with what they are of. */
  public readonly logGroup: logs.ILogGroup;
  private counted = false;

  constructor(scope: Construct, id: string, private readonly props: CostsProps) {
    super(scope, id);
    this.logGroup = props.reconciler.logGroup;
  }

  /** Whether flow runs have tasks of their own, and so prices. */
  public get ofFlowRuns(): boolean {
    return this.props.workerType === WorkerType.ECS;
  }

  /** Whose prices count, where the region's own aren't known. */
  public get foreignPrices(): string | undefined {
    const { region } = Stack.of(this);
    return Token.isUnresolved(region) || region in FARGATE_PRICES ? undefined : REFERENCE_REGION;
  }

  public flowRuns(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    if (!this.ofFlowRuns) {
      throw new ValidationError('metricCost() is of an ECS worker: flow runs of a PROCESS worker have no task of their own, and metricWorkerCost() is what they cost together.',
        this.node.scope!.node.path);
    }
    if (!this.counted) this.countFlowRuns();
    this.counted = true;
    return this.props.demand.metric('Cost', options);
  }

  public workers(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    this.props.demand.priceWorkers(this.props.taskDefinition);
    return this.props.demand.metric('WorkerCost', options);
  }

  /** Where somebody wants to rely on it. */
  public warnOfForeignPrices(): void {
    if (this.foreignPrices === undefined) return;
    Annotations.of(this.node.scope!).addWarningV2('cdk-prefect-fargate-worker:pricesOfAnotherRegion',
      `The library has no prices of AWS Fargate in ${Stack.of(this).region}: metrics of costs and monthlyBudget count with those of ${REFERENCE_REGION}.`);
  }

  private countFlowRuns(): void {
    const { functions, cluster, flowRunFamily: family, demand, reconciler } = this.props;
    functions.one('TaskEnds', (scope, id) => new TaskEnds(scope, id, reconciler.function))
      .tellOf(cluster, { ...demand.turn, family, cluster: cluster.clusterArn });
    shared(this, 'CostQuery', (scope, id) => new CostQuery(scope, id)).ask(this.logGroup);
  }
}
