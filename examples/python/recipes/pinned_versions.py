from typing import Any

from aws_cdk import Stack, aws_ecs as ecs, aws_secretsmanager as secretsmanager
from cdk_prefect_fargate_worker import FlowRunDefaults, PrefectApi, PrefectFargateWorker, WorkPool
from constructs import Construct


class PinnedVersions(Stack):
    """Prefect's version is yours to choose, and doesn't move when the library does."""

    def __init__(self, scope: Construct, construct_id: str, **kwargs: Any) -> None:
        super().__init__(scope, construct_id, **kwargs)

        # Docker Hub limits pulls without an account. {"username": "...", "password": "an access token"}
        credentials = secretsmanager.Secret.from_secret_name_v2(self, "DockerHub", "docker-hub")

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
            image=ecs.ContainerImage.from_registry(
                "prefecthq/prefect-aws:0.7.12-python3.12-prefect3.9.1", credentials=credentials
            ),
            work_pool=WorkPool.managed(
                "etl",
                flow_run_defaults=FlowRunDefaults(
                    image=ecs.ContainerImage.from_registry(
                        "prefecthq/prefect:3.9.1-python3.12", credentials=credentials
                    ),
                ),
            ),
        )
