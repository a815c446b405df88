from typing import Any

from aws_cdk import Stack, aws_ec2 as ec2, aws_ecr as ecr, aws_ecs as ecs, aws_secretsmanager as secretsmanager
from cdk_prefect_fargate_worker import FlowRunDefaults, NetworkOptions, PrefectApi, PrefectFargateWorker, WorkPool
from constructs import Construct


class PrivateRegistry(Stack):
    """Nothing reaches the internet: images come from Amazon ECR, the server is inside the network.

    :param vpc: A VPC without a route to the internet that reaches the server, by peering or a transit gateway.
    """

    def __init__(self, scope: Construct, construct_id: str, *, vpc: ec2.IVpc, **kwargs: Any) -> None:
        super().__init__(scope, construct_id, **kwargs)

        images = ecr.Repository.from_repository_name(self, "Images", "prefect")

        PrefectFargateWorker(
            self,
            "Worker",
            api=PrefectApi.self_hosted(
                url="https://prefect.internal.example.com/api",
                private_network=True,
                auth_string=ecs.Secret.from_secrets_manager(
                    secretsmanager.Secret.from_secret_name_v2(self, "AuthString", "prefect-auth")
                ),
            ),
            image=ecs.ContainerImage.from_ecr_repository(images, "worker-0.7.12-prefect3.9.1"),
            work_pool=WorkPool.managed(
                "etl",
                flow_run_defaults=FlowRunDefaults(
                    image=ecs.ContainerImage.from_ecr_repository(images, "flows-1.0.0"),
                ),
            ),
            vpc=vpc,
            network=NetworkOptions(vpc_endpoints=True),  # unless the VPC has them
        )
