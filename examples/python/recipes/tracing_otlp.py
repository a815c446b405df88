from pathlib import Path
from typing import Any

from aws_cdk import Stack, aws_ecs as ecs, aws_secretsmanager as secretsmanager
from cdk_prefect_fargate_worker import (
    FlowRunDefaults,
    ObservabilityOptions,
    PrefectApi,
    PrefectFargateWorker,
    Tracing,
    WorkPool,
)
from constructs import Construct

IMAGES = Path(__file__).parents[2] / "images"


class TracedElsewhere(Stack):
    """Every flow run in ten is traced to a vendor, whose API key is a secret of the collector."""

    def __init__(self, scope: Construct, construct_id: str, **kwargs: Any) -> None:
        super().__init__(scope, construct_id, **kwargs)

        def secret(name: str) -> ecs.Secret:
            return ecs.Secret.from_secrets_manager(secretsmanager.Secret.from_secret_name_v2(self, name, name))

        PrefectFargateWorker(
            self,
            "Worker",
            api=PrefectApi.cloud(
                account_id="11111111-2222-3333-4444-555555555555",
                workspace_id="66666666-7777-8888-9999-000000000000",
                api_key=secret("prefect-api-key"),
            ),
            work_pool=WorkPool.managed(
                "etl",
                flow_run_defaults=FlowRunDefaults(image=ecs.ContainerImage.from_asset(str(IMAGES / "traced-flows"))),
            ),
            observability=ObservabilityOptions(
                tracing=Tracing.otlp(
                    endpoint="https://api.honeycomb.io",
                    headers={"x-honeycomb-team": secret("honeycomb-api-key")},
                    sampling_ratio=0.1,
                )
            ),
        )
