from typing import Any

from aws_cdk import Annotations, Stack, aws_ecs as ecs, aws_iam as iam, aws_secretsmanager as secretsmanager
from cdk_prefect_fargate_worker import PrefectApi, PrefectFargateWorker, WorkPool
from constructs import Construct


class OwnRoles(Stack):
    """A worker with roles that others keep, and deployments with roles of their own."""

    def __init__(self, scope: Construct, construct_id: str, **kwargs: Any) -> None:
        super().__init__(scope, construct_id, **kwargs)

        # Nothing is added to roles that are imported so. A warning at synthesis lists what they need.
        def kept(name: str) -> iam.IRole:
            return iam.Role.from_role_arn(self, name, f"arn:aws:iam::123456789012:role/data/{name}", mutable=False)

        api_key = secretsmanager.Secret.from_secret_complete_arn(
            self, "ApiKey", "arn:aws:secretsmanager:us-east-1:123456789012:secret:prefect-api-key-a1b2c3"
        )

        worker = PrefectFargateWorker(
            self,
            "Worker",
            api=PrefectApi.cloud(
                account_id="11111111-2222-3333-4444-555555555555",
                workspace_id="66666666-7777-8888-9999-000000000000",
                api_key=ecs.Secret.from_secrets_manager(api_key),
            ),
            work_pool=WorkPool.managed("etl"),
            worker_role=kept("prefect-worker"),
            execution_role=kept("prefect-execution"),
            flow_run_role=kept("prefect-flow-run"),
            flow_run_execution_role=kept("prefect-flow-run-execution"),
        )

        # A deployment may name this one, with the job variable `task_role_arn`.
        worker.allow_flow_run_role(kept("payroll"))

        # Once the roles have what the warning lists.
        Annotations.of(worker).acknowledge_warning("cdk-prefect-fargate-worker:roleLacksPermissions", "They have it.")
