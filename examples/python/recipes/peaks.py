from typing import Any

from aws_cdk import (
    Duration,
    Stack,
    TimeZone,
    aws_applicationautoscaling as appscaling,
    aws_ecs as ecs,
    aws_secretsmanager as secretsmanager,
)
from cdk_prefect_fargate_worker import (
    PrefectApi,
    PrefectFargateWorker,
    ScalingOptions,
    ScalingSchedule,
    WorkerType,
    WorkPool,
)
from constructs import Construct


class Peaks(Stack):
    """Workers that are there on weekday mornings, when people start flow runs by hand, and that follow the schedule at
    all times.
    """

    def __init__(self, scope: Construct, construct_id: str, **kwargs: Any) -> None:
        super().__init__(scope, construct_id, **kwargs)

        PrefectFargateWorker(
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
            worker_type=WorkerType.PROCESS,
            scaling=ScalingOptions(
                max_workers=20,
                poll_interval=Duration.seconds(20),
                schedules=[
                    ScalingSchedule(
                        start=appscaling.Schedule.cron(week_day="MON-FRI", hour="7", minute="45"),
                        end=appscaling.Schedule.cron(week_day="MON-FRI", hour="11", minute="0"),
                        time_zone=TimeZone.EUROPE_BERLIN,
                        min_workers=3,
                    )
                ],
            ),
        )
