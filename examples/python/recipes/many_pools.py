from typing import Any

from aws_cdk import Stack, aws_ecs as ecs, aws_secretsmanager as secretsmanager
from cdk_prefect_fargate_worker import FlowRunDefaults, PrefectApi, PrefectFargateWorker, WorkerType, WorkPool
from constructs import Construct


class ManyPools(Stack):
    """A pool for each kind of flow run, all in one VPC and one cluster."""

    def __init__(self, scope: Construct, construct_id: str, **kwargs: Any) -> None:
        super().__init__(scope, construct_id, **kwargs)

        api = PrefectApi.cloud(
            account_id="11111111-2222-3333-4444-555555555555",
            workspace_id="66666666-7777-8888-9999-000000000000",
            api_key=ecs.Secret.from_secrets_manager(
                secretsmanager.Secret.from_secret_name_v2(self, "ApiKey", "prefect-api-key")
            ),
        )

        # Short flows: processes that start within seconds.
        quick = PrefectFargateWorker(
            self, "Quick", api=api, work_pool=WorkPool.managed("quick"), worker_type=WorkerType.PROCESS
        )
        vpc, cluster = quick.vpc, quick.cluster

        # Flow runs with a task each, in two sizes and with two sets of permissions.
        PrefectFargateWorker(
            self, "Standard", api=api, vpc=vpc, cluster=cluster, work_pool=WorkPool.managed("standard")
        )
        PrefectFargateWorker(
            self,
            "Training",
            api=api,
            vpc=vpc,
            cluster=cluster,
            work_pool=WorkPool.managed(
                "training",
                flow_run_defaults=FlowRunDefaults(cpu=8192, memory_limit_mib=61440),
                concurrency_limit=4,
            ),
        )
