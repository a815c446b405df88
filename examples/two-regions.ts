import { Duration, Stack, StackProps, aws_secretsmanager as secretsmanager } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { PrefectApi, PrefectFargateWorker, WorkerRole, WorkerType, WorkPool } from 'cdk-prefect-fargate-worker';

export interface TwoRegionsProps extends StackProps {
  /** Whether this region only takes over. */
  readonly standby: boolean;
}

/** A worker in one of two regions that serve the same pool: make the stack once in each. */
export class TwoRegions extends Stack {
  constructor(scope: Construct, id: string, props: TwoRegionsProps) {
    super(scope, id, props);

    new PrefectFargateWorker(this, 'Worker', {
      api: PrefectApi.cloud({
        accountId: '11111111-2222-3333-4444-555555555555',
        workspaceId: '66666666-7777-8888-9999-000000000000',
        apiKey: secretsmanager.Secret.fromSecretNameV2(this, 'ApiKey', 'prefect-api-key'), // in each region, or replicated
      }),
      workPool: props.standby ? WorkPool.existing('etl') : WorkPool.managed('etl'),
      workerType: WorkerType.PROCESS,
      scaling: props.standby ? { role: WorkerRole.STANDBY, standbyAfter: Duration.minutes(3) } : undefined,
    });
  }
}
