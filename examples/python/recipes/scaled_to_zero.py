from typing import Any

from aws_cdk import (
    Duration,
    Environment,
    Stack,
    TimeZone,
    aws_applicationautoscaling as appscaling,
    aws_ec2 as ec2,
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


class ScaledToZero(Stack):
    """PROCESS workers that are there before a run is due, and gone when nothing is. A known peak has two at least."""

    def __init__(self, scope: Construct, construct_id: str, *, env: Environment, **kwargs: Any) -> None:
        super().__init__(scope, construct_id, env=env, **kwargs)

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
            work_pool=WorkPool.managed("nightly"),
            worker_type=WorkerType.PROCESS,
            vpc=ec2.Vpc.from_lookup(self, "Vpc", tags={"Name": "data-platform"}),
            flow_run_limit=5,  # of 2 GiB
            scaling=ScalingOptions(
                max_workers=20,
                lead_time=Duration.minutes(5),
                schedules=[
                    ScalingSchedule(
                        start=appscaling.Schedule.cron(hour="8", minute="0", week_day="MON-FRI"),
                        end=appscaling.Schedule.cron(hour="18", minute="0", week_day="MON-FRI"),
                        time_zone=TimeZone.EUROPE_BERLIN,
                        min_workers=2,
                    )
                ],
            ),
        )
