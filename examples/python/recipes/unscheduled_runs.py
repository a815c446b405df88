from typing import Any

from aws_cdk import (
    Duration,
    Stack,
    aws_applicationautoscaling as appscaling,
    aws_ecs as ecs,
    aws_secretsmanager as secretsmanager,
)
from cdk_prefect_fargate_worker import PrefectApi, PrefectFargateWorker, ScalingOptions, WorkerType, WorkPool
from constructs import Construct


class UnscheduledRuns(Stack):
    """Flow runs that a webhook starts: one at any time, and many within an hour when there is news."""

    def __init__(self, scope: Construct, construct_id: str, **kwargs: Any) -> None:
        super().__init__(scope, construct_id, **kwargs)

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
            work_pool=WorkPool.managed("webhooks"),
            worker_type=WorkerType.PROCESS,
            scaling=ScalingOptions(
                spare_flow_runs=1,  # one more than runs can start at once, at any time
                scale_in_after=Duration.minutes(10),  # and the next of a burst finds the workers of the last
            ),
        )

        # Your own schedules and policies of AWS Application Auto Scaling act beside the library's.
        worker.scalable_task_count.scale_on_schedule(
            "MarketOpens",
            schedule=appscaling.Schedule.cron(hour="13", minute="15", week_day="MON-FRI"),
            min_capacity=4,
        )
        worker.scalable_task_count.scale_on_schedule(
            "MarketIsOpen",
            schedule=appscaling.Schedule.cron(hour="14", minute="30", week_day="MON-FRI"),
            min_capacity=0,
        )
