from typing import Any

from aws_cdk import Stack, aws_ecs as ecs, aws_secretsmanager as secretsmanager
from cdk_prefect_fargate_worker import FlowRunDefaults, OutOfMemoryOptions, PrefectApi, PrefectFargateWorker, WorkPool
from constructs import Construct


class OutOfMemory(Stack):
    """Flow runs that start again with more memory where they run out of it, and deployments that learn how much they need."""

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
                "etl",
                flow_run_defaults=FlowRunDefaults(
                    memory_limit_mib=2048,
                    out_of_memory=OutOfMemoryOptions(max_memory_mib=16384, remember=True),
                ),
            ),
        )
