import { Duration, Stack, StackProps, aws_ecs as ecs, aws_secretsmanager as secretsmanager, aws_sns as sns, aws_sns_subscriptions as subscriptions } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { PrefectApi, PrefectFargateWorker, WorkPool } from 'cdk-prefect-fargate-worker';

/** What stops flow runs pages whoever is on call; the rest goes to the team's mailbox. */
export class Alarms extends Stack {
  constructor(scope: Construct, id: string, props?: StackProps) {
    super(scope, id, props);

    const page = new sns.Topic(this, 'Page', { enforceSSL: true });
    page.addSubscription(new subscriptions.UrlSubscription('https://events.pagerduty.com/integration/0123456789abcdef/enqueue'));
    const inform = new sns.Topic(this, 'Inform', { enforceSSL: true });
    inform.addSubscription(new subscriptions.EmailSubscription('data-team@example.com'));

    const worker = new PrefectFargateWorker(this, 'Worker', {
      api: PrefectApi.cloud({
        accountId: '11111111-2222-3333-4444-555555555555',
        workspaceId: '66666666-7777-8888-9999-000000000000',
        apiKey: ecs.Secret.fromSecretsManager(secretsmanager.Secret.fromSecretNameV2(this, 'ApiKey', 'prefect-api-key')),
      }),
      workPool: WorkPool.managed('etl'),
      observability: {
        pageTopic: page,
        informTopic: inform,
        alarms: {
          oldestLateRun: { threshold: Duration.minutes(5), topic: page }, // a promise to customers
          crashedRuns: { threshold: 5 },
          highCpu: { enabled: false },
        },
      },
    });

    // And an alarm of your own, on a metric that has none: runs that a limit has held back for half an hour.
    worker.metricBlockedRuns({ period: Duration.minutes(5) }).createAlarm(this, 'Blocked', { threshold: 1, evaluationPeriods: 6 });
  }
}
