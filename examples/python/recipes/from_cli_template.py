from typing import Any

from aws_cdk import Environment, Stack, aws_ec2 as ec2, aws_ecs as ecs, aws_secretsmanager as secretsmanager
from cdk_prefect_fargate_worker import PrefectApi, PrefectFargateWorker, ScalingOptions, WorkPool
from constructs import Construct


class FromCliTemplate(Stack):
    """Takes over from a stack that `prefect-aws ecs-worker deploy-service` made: its pool, its VPC, its key."""

    def __init__(self, scope: Construct, construct_id: str, *, env: Environment, **kwargs: Any) -> None:
        super().__init__(scope, construct_id, env=env, **kwargs)

        PrefectFargateWorker(
            self,
            "Worker",
            api=PrefectApi.cloud(
                account_id="11111111-2222-3333-4444-555555555555",
                workspace_id="66666666-7777-8888-9999-000000000000",
                # PrefectApiKeySecretArn
                api_key=ecs.Secret.from_secrets_manager(
                    secretsmanager.Secret.from_secret_name_v2(self, "ApiKey", "prefect-api-key")
                ),
            ),
            work_pool=WorkPool.managed("my-ecs-pool"),  # WorkPoolName
            vpc=ec2.Vpc.from_lookup(self, "Vpc", vpc_id="vpc-0a1b2c3d"),  # ExistingVpcId
            # MinCapacity; what MaxCapacity was for is not needed: two start all flow runs
            scaling=ScalingOptions(min_workers=2),
        )
