from typing import Any

from aws_cdk import Stack, aws_ecs as ecs, aws_secretsmanager as secretsmanager
from cdk_prefect_fargate_worker import PrefectApi, PrefectFargateWorker, WorkPool, WorkQueue
from constructs import Construct


class PrefectCloud(Stack):
    """A worker of a Prefect Cloud workspace."""

    def __init__(self, scope: Construct, construct_id: str, **kwargs: Any) -> None:
        super().__init__(scope, construct_id, **kwargs)

        # The secret is {"worker": "pnu_...", "management": "pnu_..."}.
        keys = secretsmanager.Secret.from_secret_name_v2(self, "PrefectSecret", "prefect")
        PrefectFargateWorker(
            self,
            "Worker",
            api=PrefectApi.cloud(
                account_id="11111111-2222-3333-4444-555555555555",
                workspace_id="66666666-7777-8888-9999-000000000000",
                api_key=ecs.Secret.from_secrets_manager(keys, "worker"),
                management_api_key=ecs.Secret.from_secrets_manager(keys, "management"),
            ),
            work_pool=WorkPool.managed(
                "etl",
                concurrency_limit=50,
                work_queues=[
                    WorkQueue(name="urgent", priority=1),
                    WorkQueue(name="backfill", priority=9, concurrency_limit=5),
                ],
            ),
        )
