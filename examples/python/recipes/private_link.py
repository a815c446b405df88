from typing import Any

from aws_cdk import Stack, aws_ec2 as ec2, aws_ecs as ecs, aws_secretsmanager as secretsmanager
from cdk_prefect_fargate_worker import PrefectApi, PrefectFargateWorker, WorkPool
from constructs import Construct


class PrivateLink(Stack):
    """Prefect Cloud over AWS PrivateLink: nothing that calls it leaves the VPC.

    :param vpc: A VPC with an endpoint for Prefect Cloud's API that Prefect has accepted, and with private DNS.
    :param endpoint_security_group_id: Id of that endpoint's security group.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, vpc: ec2.IVpc, endpoint_security_group_id: str, **kwargs: Any
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)

        worker = PrefectFargateWorker(
            self,
            "Worker",
            api=PrefectApi.cloud(
                account_id="11111111-2222-3333-4444-555555555555",
                workspace_id="66666666-7777-8888-9999-000000000000",
                api_key=ecs.Secret.from_secrets_manager(
                    secretsmanager.Secret.from_secret_name_v2(self, "ApiKey", "prefect-api-key")
                ),
                api_url="https://api.private.prefect.cloud/api",
            ),
            work_pool=WorkPool.managed("etl"),
            vpc=vpc,
        )
        # By its id, so that the rule belongs to this stack: the other direction would be a cycle between the two.
        endpoint = ec2.SecurityGroup.from_security_group_id(self, "Endpoint", endpoint_security_group_id)
        endpoint.connections.allow_from(worker.api_clients, ec2.Port.HTTPS)
