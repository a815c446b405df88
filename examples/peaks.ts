import { Duration, Stack, StackProps, TimeZone, aws_applicationautoscaling as appscaling, aws_ecs as ecs, aws_secretsmanager as secretsmanager } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { PrefectApi, PrefectFargateWorker, WorkerType, WorkPool } from 'cdk-prefect-fargate-worker';

/** Workers that are there on weekday mornings, when people start flow runs by hand, and that follow the schedule at all times. */
export class Peaks extends Stack {
  constructor(scope: Construct, id: string, props?: StackProps) {
    super(scope, id, props);

    new PrefectFargateWorker(this, 'Worker', {
      api: PrefectApi.cloud({
        accountId: '11111111-2222-3333-4444-555555555555',
        workspaceId: '66666666-7777-8888-9999-000000000000',
        apiKey: ecs.Secret.fromSecretsManager(secretsmanager.Secret.fromSecretNameV2(this, 'ApiKey', 'prefect-api-key')),
      }),
      workPool: WorkPool.managed('etl'),
      workerType: WorkerType.PROCESS,
      scaling: {
        maxWorkers: 20,
        pollInterval: Duration.seconds(20),
        schedules: [{
          start: appscaling.Schedule.cron({ weekDay: 'MON-FRI', hour: '7', minute: '45' }),
          end: appscaling.Schedule.cron({ weekDay: 'MON-FRI', hour: '11', minute: '0' }),
          timeZone: TimeZone.EUROPE_BERLIN,
          minWorkers: 3,
        }],
      },
    });
  }
}
