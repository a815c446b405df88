"""A worker with a sidecar, and with one property that no prop has."""

from aws_cdk import Stack, aws_ecs as ecs, aws_secretsmanager as secretsmanager
from cdk_prefect_fargate_worker import PrefectApi, PrefectFargateWorker, WorkPool
from constructs import Construct


class WorkerStack(Stack):
    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        api_key = secretsmanager.Secret.from_secret_name_v2(self, "ApiKey", "prefect-api-key")
        self.worker = PrefectFargateWorker(
            self,
            "Worker",
            api=PrefectApi.cloud(
                account_id="11111111-2222-3333-4444-555555555555",
                workspace_id="66666666-7777-8888-9999-000000000000",
                api_key=ecs.Secret.from_secrets_manager(api_key),
            ),
            work_pool=WorkPool.managed("etl"),
        )
        self.worker.flow_run_task_definition.add_container(
            "agent",
            image=ecs.ContainerImage.from_registry("public.ecr.aws/datadog/agent:7.70.0"),
            essential=False,
            memory_reservation_mib=256,
        )

        # An escape hatch: what no prop has is set on the L1 construct.
        # https://docs.aws.amazon.com/cdk/v2/guide/cfn-layer.html
        service = self.worker.service.node.default_child
        service.add_property_override("DeploymentConfiguration.BakeTimeInMinutes", 5)
