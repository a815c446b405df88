from typing import Any

from aws_cdk import (
    Duration,
    Stack,
    aws_ecs as ecs,
    aws_secretsmanager as secretsmanager,
    aws_sns as sns,
    aws_sns_subscriptions as subscriptions,
)
from cdk_prefect_fargate_worker import (
    AlarmOptions,
    DurationAlarmSettings,
    ObservabilityOptions,
    PrefectApi,
    PrefectFargateWorker,
    ThresholdAlarmSettings,
    WorkPool,
)
from constructs import Construct


class Alarms(Stack):
    """What stops flow runs pages whoever is on call; the rest goes to the team's mailbox."""

    def __init__(self, scope: Construct, construct_id: str, **kwargs: Any) -> None:
        super().__init__(scope, construct_id, **kwargs)

        page = sns.Topic(self, "Page", enforce_ssl=True)
        page.add_subscription(
            subscriptions.UrlSubscription("https://events.pagerduty.com/integration/0123456789abcdef/enqueue")
        )
        inform = sns.Topic(self, "Inform", enforce_ssl=True)
        inform.add_subscription(subscriptions.EmailSubscription("data-team@example.com"))

        worker = PrefectFargateWorker(
            self,
            "Worker",
            api=PrefectApi.cloud(
                account_id="11111111-2222-3333-4444-555555555555",
                workspace_id="66666666-7777-8888-9999-000000000000",
                api_key=ecs.Secret.from_secrets_manager(
                    secretsmanager.Secret.from_secret_name_v2(self, "ApiKey", "prefect-api-key")
                ),
            ),
            work_pool=WorkPool.managed("etl"),
            observability=ObservabilityOptions(
                page_topic=page,
                inform_topic=inform,
                alarms=AlarmOptions(
                    # A promise to customers.
                    oldest_late_run=DurationAlarmSettings(threshold=Duration.minutes(5), topic=page),
                    crashed_runs=ThresholdAlarmSettings(threshold=5),
                    high_cpu=ThresholdAlarmSettings(enabled=False),
                ),
            ),
        )

        # And an alarm of your own, on a metric that has none: runs that a limit has held back for half an hour.
        worker.metric_blocked_runs(period=Duration.minutes(5)).create_alarm(
            self, "Blocked", threshold=1, evaluation_periods=6
        )
