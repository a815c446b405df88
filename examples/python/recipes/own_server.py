from typing import Any

from aws_cdk import Stack, aws_ec2 as ec2
from cdk_prefect_fargate_worker import PrefectApi, PrefectFargateWorker, PrefectServer, WorkPool
from constructs import Construct


class OwnServer(Stack):
    """A small Prefect server of your own, and a worker that finds it by its private name."""

    def __init__(self, scope: Construct, construct_id: str, **kwargs: Any) -> None:
        super().__init__(scope, construct_id, **kwargs)

        vpc = ec2.Vpc(self, "Vpc", max_azs=2, nat_gateways=1)
        server = PrefectServer(self, "Server", vpc=vpc)
        PrefectFargateWorker(
            self,
            "Worker",
            api=PrefectApi.from_server(server),
            work_pool=WorkPool.managed("etl"),
            cluster=server.cluster,
        )
