import { aws_ecs as ecs, aws_events as events, aws_events_targets as targets, aws_lambda as lambda, Lazy, Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { ApiFunctions } from '../functions/api-functions';
import { PricedPool } from '../rescue/configuration';

/** Has a function told of all tasks that end in the clusters of its pools, and which tasks are of which pool: a rule for all of them. */
export class TaskEnds extends Construct {
  private readonly pools: PricedPool[] = [];
  private readonly clusters = new Set<string>();
  private readonly rule: events.Rule;

  constructor(scope: ApiFunctions, id: string, fn: lambda.IFunction) {
    super(scope, id);
    const pools = Stack.of(this).toJsonString(Lazy.any({ produce: () => this.pools }));
    const event: events.RuleTargetInput = {
      bind: () => ({ inputPathsMap: { task: '$.detail' }, inputTemplate: `{"pools":${pools},"task":<task>}` }),
    };
    this.rule = new events.Rule(this, 'Rule', {
      description: 'Ends of tasks, of which those of Prefect flow runs have a price',
      targets: [new targets.LambdaFunction(fn, { event })],
      eventPattern: {
        source: ['aws.ecs'],
        detailType: ['ECS Task State Change'],
        // Before that, nothing is billed.
        detail: { lastStatus: ['STOPPED'], pullStartedAt: events.Match.exists() },
      },
    });
  }

  public tellOf(cluster: ecs.ICluster, pool: PricedPool): void {
    if (!this.clusters.has(cluster.clusterArn)) this.rule.addEventPattern({ detail: { clusterArn: [cluster.clusterArn] } });
    this.clusters.add(cluster.clusterArn);
    this.pools.push(pool);
  }
}
