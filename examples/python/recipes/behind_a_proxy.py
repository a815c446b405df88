from typing import Any

from aws_cdk import Stack, aws_ec2 as ec2, aws_ecs as ecs, aws_secretsmanager as secretsmanager
from cdk_prefect_fargate_worker import FlowRunDefaults, NetworkOptions, PrefectApi, PrefectFargateWorker, WorkPool
from constructs import Construct


class BehindAProxy(Stack):
    """Prefect Cloud is reached over the company's proxy; AWS over endpoints of the VPC, past it.

    :param vpc: A VPC whose one route to the internet is the proxy.
    :param proxy_url: Such as ``http://proxy.example.com:3128``.
    """

    def __init__(self, scope: Construct, construct_id: str, *, vpc: ec2.IVpc, proxy_url: str, **kwargs: Any) -> None:
        super().__init__(scope, construct_id, **kwargs)

        proxy = {"HTTP_PROXY": proxy_url, "HTTPS_PROXY": proxy_url, "NO_PROXY": ".amazonaws.com"}

        PrefectFargateWorker(
            self,
            "Worker",
            api=PrefectApi.cloud(
                account_id="11111111-2222-3333-4444-555555555555",
                workspace_id="66666666-7777-8888-9999-000000000000",
                api_key=ecs.Secret.from_secrets_manager(
                    secretsmanager.Secret.from_secret_name_v2(self, "ApiKey", "prefect-api-key")
                ),
                proxy_url=proxy_url,  # for the functions
            ),
            environment=proxy,
            work_pool=WorkPool.managed("etl", flow_run_defaults=FlowRunDefaults(environment=proxy)),
            copy_images=True,
            vpc=vpc,
            network=NetworkOptions(vpc_endpoints=True),
        )
