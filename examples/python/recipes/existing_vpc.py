from typing import Any

from aws_cdk import Environment, Stack, aws_ec2 as ec2, aws_ecs as ecs, aws_secretsmanager as secretsmanager
from cdk_prefect_fargate_worker import NetworkOptions, PrefectApi, PrefectFargateWorker, WorkPool
from constructs import Construct


class ExistingVpc(Stack):
    """A worker in a VPC and a cluster that are there already."""

    def __init__(self, scope: Construct, construct_id: str, *, env: Environment, **kwargs: Any) -> None:
        super().__init__(scope, construct_id, env=env, **kwargs)

        vpc = ec2.Vpc.from_lookup(self, "Vpc", tags={"Name": "data-platform"})

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
            vpc=vpc,
            vpc_subnets=ec2.SubnetSelection(subnet_group_name="Private"),
            cluster=ecs.Cluster.from_cluster_attributes(self, "Cluster", cluster_name="shared", vpc=vpc),
            network=NetworkOptions(vpc_endpoints=True),  # only where the VPC has none of its own
        )
