from typing import Any

from aws_cdk import Duration, Stack, aws_ecs as ecs, aws_secretsmanager as secretsmanager
from cdk_prefect_fargate_worker import (
    CapacityOptions,
    FlowRunDefaults,
    PrefectApi,
    PrefectFargateWorker,
    Results,
    WorkPool,
)
from constructs import Construct


class Resume(Stack):
    """Flow runs that go on where they were interrupted: tasks that had finished are not repeated."""

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
            work_pool=WorkPool.managed(
                "batch", flow_run_defaults=FlowRunDefaults(capacity=CapacityOptions(spot_weight=1, on_demand_weight=0))
            ),
            results=Results.managed(expiration=Duration.days(14)),
        )
