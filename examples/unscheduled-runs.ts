import { Duration, Stack, StackProps, aws_applicationautoscaling as appscaling, aws_ecs as ecs, aws_secretsmanager as secretsmanager } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { PrefectApi, PrefectFargateWorker, WorkerType, WorkPool } from 'cdk-prefect-fargate-worker';

/** Flow runs that a webhook starts: one at any time, and many within an hour when there is news. */
export class UnscheduledRuns extends Stack {
  constructor(scope: Construct, id: string, props?: StackProps) {
    super(scope, id, props);

    const worker = new PrefectFargateWorker(this, 'Worker', {
      api: PrefectApi.cloud({
        accountId: '11111111-2222-3333-4444-555555555555',
        workspaceId: '66666666-7777-8888-9999-000000000000',
        apiKey: ecs.Secret.fromSecretsManager(secretsmanager.Secret.fromSecretNameV2(this, 'ApiKey', 'prefect-api-key')),
      }),
      workPool: WorkPool.managed('webhooks'),
      workerType: WorkerType.PROCESS,
      scaling: {
        spareFlowRuns: 1, // one more than runs can start at once, at any time
        scaleInAfter: Duration.minutes(10), // and the next of a burst finds the workers of the last
      },
    });

    // Your own schedules of AWS Application Auto Scaling move the bounds within which the library sets the number.
    worker.scalableTaskCount.scaleOnSchedule('MarketOpens', { schedule: appscaling.Schedule.cron({ hour: '13', minute: '15', weekDay: 'MON-FRI' }), minCapacity: 4 });
    worker.scalableTaskCount.scaleOnSchedule('MarketIsOpen', { schedule: appscaling.Schedule.cron({ hour: '14', minute: '30', weekDay: 'MON-FRI' }), minCapacity: 0 });
  }
}
