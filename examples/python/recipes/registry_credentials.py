from typing import Any

from aws_cdk import Stack, aws_ecs as ecs, aws_secretsmanager as secretsmanager
from cdk_prefect_fargate_worker import PrefectApi, PrefectFargateWorker, WorkerType, WorkPool
from constructs import Construct


class RegistryCredentials(Stack):
    """The worker's image is in a registry outside AWS that asks for a user name and a password."""

    def __init__(self, scope: Construct, construct_id: str, **kwargs: Any) -> None:
        super().__init__(scope, construct_id, **kwargs)

        # {"username": "...", "password": "..."}
        credentials = secretsmanager.Secret.from_secret_name_v2(self, "Registry", "registry")

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
            image=ecs.ContainerImage.from_registry("registry.example.com/data/flows:1.0.0", credentials=credentials),
        )
