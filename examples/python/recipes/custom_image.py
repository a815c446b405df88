from pathlib import Path
from typing import Any

from aws_cdk import Stack, aws_ecr_assets as assets, aws_ecs as ecs, aws_secretsmanager as secretsmanager
from cdk_prefect_fargate_worker import PrefectApi, PrefectFargateWorker, WorkerType, WorkPool
from constructs import Construct

IMAGES = Path(__file__).parents[2] / "images"


class CustomImage(Stack):
    """A PROCESS worker whose image holds your flows and what they import; `cdk deploy` builds it."""

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
            work_pool=WorkPool.managed("quick"),
            worker_type=WorkerType.PROCESS,
            image=ecs.ContainerImage.from_asset(str(IMAGES / "worker"), platform=assets.Platform.LINUX_ARM64),
            cpu_architecture=ecs.CpuArchitecture.ARM64,  # a fifth cheaper than X86_64
            cpu=2048,
            memory_limit_mib=8192,
        )
