import { App, Duration, Stack, StackProps, aws_ecs as ecs, aws_secretsmanager as secretsmanager } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { PrefectApi, PrefectFargateWorker, WorkerType, WorkPool } from 'cdk-prefect-fargate-worker';

export interface RegionProps extends StackProps {
  /** Whether this region stands by while the other serves the pool. */
  readonly standby: boolean;
}

/** The same stack in two regions, for one pool: the second has no workers until the first one fails. */
export class Region extends Stack {
  constructor(scope: Construct, id: string, props: RegionProps) {
    super(scope, id, props);
    new PrefectFargateWorker(this, 'Worker', {
      api: PrefectApi.cloud({
        accountId: '11111111-2222-3333-4444-555555555555',
        workspaceId: '66666666-7777-8888-9999-000000000000',
        // A secret of each region: replicate it, or make it twice.
        apiKey: ecs.Secret.fromSecretsManager(secretsmanager.Secret.fromSecretNameV2(this, 'ApiKey', 'prefect-api-key')),
      }),
      // One region manages the pool.
      workPool: props.standby ? WorkPool.existing('etl') : WorkPool.managed('etl'),
      workerType: WorkerType.PROCESS,
      scaling: { standby: props.standby ? { after: Duration.minutes(5) } : undefined },
    });
  }
}

export function bothRegions(app: App, account: string): Region[] {
  return [
    new Region(app, 'Primary', { env: { account, region: 'us-east-1' }, standby: false }),
    new Region(app, 'Secondary', { env: { account, region: 'us-west-2' }, standby: true }),
  ];
}
