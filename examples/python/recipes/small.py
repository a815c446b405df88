from typing import Any

from aws_cdk import Stack, aws_ecs as ecs, aws_secretsmanager as secretsmanager
from cdk_prefect_fargate_worker import NetworkOptions, PrefectApi, PrefectFargateWorker, ScalingOptions, WorkPool
from constructs import Construct


class Small(Stack):
    """For a small team: one worker, one NAT gateway, ARM, no endpoints. A zone that fails can take it along until ECS
    has a new one.
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
            cpu_architecture=ecs.CpuArchitecture.ARM64,
            network=NetworkOptions(nat_gateways=1, vpc_endpoints=False, flow_logs=False),
            scaling=ScalingOptions(min_workers=1),
        )
