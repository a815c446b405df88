import { Duration, Stack, StackProps, TimeZone, aws_applicationautoscaling as appscaling, aws_ec2 as ec2, aws_ecs as ecs, aws_secretsmanager as secretsmanager } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { PrefectApi, PrefectFargateWorker, WorkerType, WorkPool } from 'cdk-prefect-fargate-worker';

/** PROCESS workers that are there before a run is due, and gone when nothing is. A known peak has two at least. */
export class ScaledToZero extends Stack {
  constructor(scope: Construct, id: string, props: StackProps) {
    super(scope, id, props);

    new PrefectFargateWorker(this, 'Worker', {
      api: PrefectApi.cloud({
        accountId: '11111111-2222-3333-4444-555555555555',
        workspaceId: '66666666-7777-8888-9999-000000000000',
        apiKey: ecs.Secret.fromSecretsManager(secretsmanager.Secret.fromSecretNameV2(this, 'ApiKey', 'prefect-api-key')),
      }),
      workPool: WorkPool.managed('nightly'),
      workerType: WorkerType.PROCESS,
      vpc: ec2.Vpc.fromLookup(this, 'Vpc', { tags: { Name: 'data-platform' } }),
      flowRunLimit: 5, // of 2 GiB
      scaling: {
        maxWorkers: 20,
        leadTime: Duration.minutes(5),
        schedules: [{
          start: appscaling.Schedule.cron({ hour: '8', minute: '0', weekDay: 'MON-FRI' }),
          end: appscaling.Schedule.cron({ hour: '18', minute: '0', weekDay: 'MON-FRI' }),
          timeZone: TimeZone.EUROPE_BERLIN,
          minWorkers: 2,
        }],
      },
    });
  }
}
