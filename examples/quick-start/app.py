from aws_cdk import App, Stack, aws_ecs as ecs, aws_secretsmanager as secretsmanager
from cdk_prefect_fargate_worker import PrefectApi, PrefectFargateWorker, WorkPool

app = App()
stack = Stack(app, "DataPlatform")

PrefectFargateWorker(stack, "Worker",
    api=PrefectApi.cloud(
        account_id="11111111-2222-3333-4444-555555555555",
        workspace_id="66666666-7777-8888-9999-000000000000",
        api_key=ecs.Secret.from_secrets_manager(secretsmanager.Secret.from_secret_name_v2(stack, "ApiKey", "prefect-api-key"))
    ),
    work_pool=WorkPool.managed("etl")
)

app.synth()
