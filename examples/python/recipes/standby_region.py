from typing import Any

from aws_cdk import App, Duration, Environment, Stack, aws_ecs as ecs, aws_secretsmanager as secretsmanager
from cdk_prefect_fargate_worker import (
    PrefectApi,
    PrefectFargateWorker,
    ScalingOptions,
    StandbyOptions,
    WorkerType,
    WorkPool,
)
from constructs import Construct


class Region(Stack):
    """The same stack in two regions, for one pool: the second has no workers until the first one fails.

    :param standby: Whether this region stands by while the other serves the pool.
    """

    def __init__(self, scope: Construct, construct_id: str, *, standby: bool, **kwargs: Any) -> None:
        super().__init__(scope, construct_id, **kwargs)
        PrefectFargateWorker(
            self,
            "Worker",
            api=PrefectApi.cloud(
                account_id="11111111-2222-3333-4444-555555555555",
                workspace_id="66666666-7777-8888-9999-000000000000",
                # A secret of each region: replicate it, or make it twice.
                api_key=ecs.Secret.from_secrets_manager(
                    secretsmanager.Secret.from_secret_name_v2(self, "ApiKey", "prefect-api-key")
                ),
            ),
            # One region manages the pool.
            work_pool=WorkPool.existing("etl") if standby else WorkPool.managed("etl"),
            worker_type=WorkerType.PROCESS,
            scaling=ScalingOptions(standby=StandbyOptions(after=Duration.minutes(5)) if standby else None),
        )


def both_regions(app: App, account: str) -> list[Region]:
    return [
        Region(app, "Primary", env=Environment(account=account, region="us-east-1"), standby=False),
        Region(app, "Secondary", env=Environment(account=account, region="us-west-2"), standby=True),
    ]
