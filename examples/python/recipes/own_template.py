from typing import Any

from aws_cdk import Duration, Stack, aws_ecs as ecs, aws_secretsmanager as secretsmanager
from cdk_prefect_fargate_worker import BaseJobTemplate, FlowRunDefaults, PrefectApi, PrefectFargateWorker, WorkPool
from constructs import Construct

TEMPLATE = {
    "variables": {
        "properties": {
            "data_region": {"title": "Data region", "type": "string", "enum": ["eu", "us"], "default": "eu"},
        },
    },
    "job_configuration": {
        "task_definition": {
            "containerDefinitions": [
                {
                    "name": "{{ container_name }}",
                    "image": "{{ image }}",
                    "dockerLabels": {"data-region": "{{ data_region }}"},
                },
            ],
        },
    },
}


class OwnTemplate(Stack):
    """A job variable of the team's own, offered with its choices in the Prefect UI, beside defaults and a limit of time
    for all flow runs.
    """

    def __init__(self, scope: Construct, construct_id: str, **kwargs: Any) -> None:
        super().__init__(scope, construct_id, **kwargs)

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
            work_pool=WorkPool.managed(
                "etl",
                flow_run_defaults=FlowRunDefaults(
                    cpu=1024, max_run_time=Duration.hours(6), job_variables={"stream_output": True}
                ),
                base_job_template=BaseJobTemplate.from_object(TEMPLATE),
            ),
        )
