from aws_cdk import App, Stack, aws_ecs as ecs, aws_secretsmanager as secretsmanager
from cdk_prefect_fargate_worker import PrefectApi, PrefectFargateWorker, WorkPool

app = App()
stack = Stack(app, "PrefectWorker")

PrefectFargateWorker(
    stack,
    "Worker",
    api=PrefectApi.cloud(
        account_id=app.node.try_get_context("prefectAccountId"),
        workspace_id=app.node.try_get_context("prefectWorkspaceId"),
        api_key=ecs.Secret.from_secrets_manager(
            secretsmanager.Secret.from_secret_name_v2(stack, "ApiKey", "prefect-api-key")
        ),
    ),
    work_pool=WorkPool.managed("etl"),
)

app.synth()
