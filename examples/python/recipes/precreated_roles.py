from typing import Any

from aws_cdk import Stack, aws_ecs as ecs, aws_iam as iam, aws_secretsmanager as secretsmanager
from cdk_prefect_fargate_worker import PrefectApi, PrefectFargateWorker, WorkPool
from constructs import Construct


class PrecreatedRoles(Stack):
    """A stack whose roles are created by others, those of functions and custom resources too: it has neither roles nor
    policies.
    """

    def __init__(self, scope: Construct, construct_id: str, **kwargs: Any) -> None:
        super().__init__(scope, construct_id, **kwargs)

        # Before anything else. Paths are as the report has them, without the stack's name.
        iam.Role.customize_roles(
            self,
            use_precreated_roles={
                "Worker/Identity/WorkerRole": "prefect-worker",
                "Worker/Identity/ExecutionRole": "prefect-execution",
                "Worker/Identity/FlowRunRole": "prefect-flow-run",
                "Worker/Identity/FlowRunExecutionRole": "prefect-flow-run-execution",
                "Worker/Network/FlowLogRole": "prefect-flow-logs",
                "PrefectWorkersShared/WorkPoolProvider/Role": "prefect-work-pool-relay",
                "PrefectWorkersShared/WorkPoolProvider/Provider/framework-onEvent/ServiceRole": "prefect-work-pool-provider",
                "PrefectWorkersShared/Functions242F3074/WorkPool/Role": "prefect-work-pool",
                "PrefectWorkersShared/Functions242F3074/WorkPool/ScheduleRole": "prefect-drift-check",
                "PrefectWorkersShared/Functions242F3074/Demand/Role": "prefect-demand",
                "PrefectWorkersShared/Functions242F3074/Rescue/Role": "prefect-reconciler",
                "PrefectImages/Role": "prefect-images",
                "PrefectImages/Provider/framework-onEvent/ServiceRole": "prefect-images-provider",
                "Custom::VpcRestrictDefaultSGCustomResourceProvider/Role": "cdk-default-security-group",
            },
        )

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
        )
