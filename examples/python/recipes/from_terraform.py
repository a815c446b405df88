from typing import Any

from aws_cdk import Stack, aws_ec2 as ec2, aws_ecs as ecs, aws_secretsmanager as secretsmanager, aws_ssm as ssm
from cdk_prefect_fargate_worker import PrefectApi, PrefectFargateWorker, WorkerType, WorkPool
from constructs import Construct


class FromTerraform(Stack):
    """Terraform keeps the VPC and writes its ids to SSM; the worker moves here."""

    def __init__(self, scope: Construct, construct_id: str, **kwargs: Any) -> None:
        super().__init__(scope, construct_id, **kwargs)

        def parameter(name: str) -> str:
            return ssm.StringParameter.value_for_string_parameter(self, f"/data-platform/{name}")

        PrefectFargateWorker(
            self,
            "Worker",
            api=PrefectApi.cloud(
                account_id="11111111-2222-3333-4444-555555555555",  # prefect_account_id
                workspace_id="66666666-7777-8888-9999-000000000000",  # prefect_workspace_id
                # prefect_api_key
                api_key=ecs.Secret.from_secrets_manager(
                    secretsmanager.Secret.from_secret_name_v2(self, "ApiKey", "prefect-api-key")
                ),
            ),
            work_pool=WorkPool.managed("my-pool"),  # worker_work_pool_name
            worker_type=WorkerType.PROCESS,  # worker_type = "process"
            cpu=1024,  # worker_cpu
            memory_limit_mib=2048,  # worker_memory
            vpc=ec2.Vpc.from_vpc_attributes(
                self,
                "Vpc",
                vpc_id=parameter("vpc-id"),  # vpc_id
                availability_zones=["eu-central-1a", "eu-central-1b"],
                private_subnet_ids=[parameter("private-subnet-a"), parameter("private-subnet-b")],  # worker_subnets
            ),
        )
