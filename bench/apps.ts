import { App, aws_ec2 as ec2, aws_ecs as ecs, aws_ecs_patterns as patterns, aws_secretsmanager as secretsmanager, Stack } from 'aws-cdk-lib';
import { Resources } from './model';
import { Plan, writePlain } from './plain';
import { PrefectApi, PrefectFargateWorker, WorkPool } from '../src';

/** What the stacks of the library's app are, for those who write them by hand. */
export interface Written {
  readonly plan: Plan;
  readonly resources: Resources;
}

/** Workers in stacks of five, as many as the templates hold; those of a stack share its VPC and cluster. */
const PER_STACK = 5;
const stacksOf = (app: App, count: number) => Array.from({ length: Math.ceil(count / PER_STACK) }, (_, index) =>
  ({ stack: new Stack(app, `Stack${index}`), workers: Math.min(PER_STACK, count - index * PER_STACK) }));

/** What each app makes of a number of workers. */
export const APPS = { worker, plain, bare, patterns: queueProcessing };

function worker(app: App, count: number): void {
  for (const { stack, workers } of stacksOf(app, count)) {
    const api = PrefectApi.cloud({
      accountId: '11111111-2222-3333-4444-555555555555',
      workspaceId: '66666666-7777-8888-9999-000000000000',
      apiKey: ecs.Secret.fromSecretsManager(new secretsmanager.Secret(stack, 'ApiKey')),
    });
    let first: PrefectFargateWorker | undefined;
    for (let index = 0; index < workers; index++) {
      const workPool = WorkPool.managed(`pool${index}`);
      const made: PrefectFargateWorker = new PrefectFargateWorker(stack, `Worker${index}`, { api, workPool, vpc: first?.vpc, cluster: first?.cluster });
      first ??= made;
    }
  }
}

/** A service of the CDK's own patterns for each worker: another thing, to compare the time for a resource. */
function queueProcessing(app: App, count: number): void {
  for (const { stack, workers } of stacksOf(app, count)) {
    const cluster = new ecs.Cluster(stack, 'Cluster', { vpc: new ec2.Vpc(stack, 'Vpc', { maxAzs: 2 }) });
    for (let index = 0; index < workers; index++) {
      const image = ecs.ContainerImage.fromRegistry('public.ecr.aws/docker/library/python:3.12');
      new patterns.QueueProcessingFargateService(stack, `Service${index}`, { cluster, image, memoryLimitMiB: 1024, cpu: 512 });
    }
  }
}

/** The resources of the library's app, written with L2 constructs directly: as many of each type, which say the same. */
function plain(app: App, count: number, written: readonly Written[]): void {
  stacksOf(app, count).forEach(({ stack }, index) => writePlain(stack, written[index].plan, written[index].resources));
}

/** As many resources of each type, which say as little as they can. */
function bare(app: App, count: number, written: readonly Written[]): void {
  stacksOf(app, count).forEach(({ stack }, index) => writePlain(stack, written[index].plan));
}
