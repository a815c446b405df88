from typing import Any

from aws_cdk import Stack, aws_ec2 as ec2, aws_ecs as ecs, aws_secretsmanager as secretsmanager
from cdk_prefect_fargate_worker import PrefectApi, PrefectFargateWorker, WorkPool
from constructs import Construct


class SelfHosted(Stack):
    """A worker of a Prefect server of your own, over plain http inside the VPC.

    :param vpc: The VPC in which the server is, or one that reaches it.
    """

    def __init__(self, scope: Construct, construct_id: str, *, vpc: ec2.IVpc, **kwargs: Any) -> None:
        super().__init__(scope, construct_id, **kwargs)

        PrefectFargateWorker(
            self,
            "Worker",
            vpc=vpc,
            api=PrefectApi.self_hosted(
                url="http://prefect.internal:4200/api",
                private_network=True,
                # The server's PREFECT_SERVER_API_AUTH_STRING, "user:password".
                auth_string=ecs.Secret.from_secrets_manager(
                    secretsmanager.Secret.from_secret_name_v2(self, "AuthString", "prefect-auth")
                ),
            ),
            work_pool=WorkPool.managed("etl"),
        )
