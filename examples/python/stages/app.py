"""One worker for a development stage, small and cheap, and one for production: the same stack with other settings."""

from dataclasses import dataclass

from aws_cdk import App, Duration, Environment, RemovalPolicy, Stack, Stage, aws_ecs as ecs, aws_secretsmanager as secretsmanager
from cdk_prefect_fargate_worker import (
    AlarmOptions,
    FlowRunDefaults,
    NetworkOptions,
    ObservabilityOptions,
    PrefectApi,
    PrefectFargateWorker,
    ScalingOptions,
    WorkerType,
    WorkPool,
)
from constructs import Construct

ACCOUNT_ID = "11111111-2222-3333-4444-555555555555"


@dataclass(frozen=True)
class Settings:
    workspace_id: str
    nat_gateways: int
    vpc_endpoints: bool
    alarms: bool
    removal_policy: RemovalPolicy
    max_run_time: Duration


DEV = Settings(
    workspace_id="66666666-7777-8888-9999-000000000000",
    nat_gateways=1,
    vpc_endpoints=False,
    alarms=False,
    removal_policy=RemovalPolicy.DESTROY,
    max_run_time=Duration.hours(1),
)
PROD = Settings(
    workspace_id="66666666-7777-8888-9999-000000000001",
    nat_gateways=2,
    vpc_endpoints=True,
    alarms=True,
    removal_policy=RemovalPolicy.RETAIN,
    max_run_time=Duration.hours(6),
)


class Workers(Stack):
    def __init__(self, scope: Construct, construct_id: str, settings: Settings) -> None:
        super().__init__(scope, construct_id)
        api_key = secretsmanager.Secret.from_secret_name_v2(self, "ApiKey", "prefect-api-key")
        api = PrefectApi.cloud(
            account_id=ACCOUNT_ID,
            workspace_id=settings.workspace_id,
            api_key=ecs.Secret.from_secrets_manager(api_key),
        )

        # Short flows, many of them: processes in a worker that is there only while there is work.
        quick = PrefectFargateWorker(
            self,
            "Quick",
            api=api,
            work_pool=WorkPool.managed("quick"),
            worker_type=WorkerType.PROCESS,
            network=NetworkOptions(nat_gateways=settings.nat_gateways, vpc_endpoints=settings.vpc_endpoints),
            scaling=ScalingOptions(max_workers=4),
            observability=ObservabilityOptions(alarms=None if settings.alarms else AlarmOptions(enabled=False)),
            removal_policy=settings.removal_policy,
        )
        # Large ones: a Fargate task each, in the same network and cluster.
        PrefectFargateWorker(
            self,
            "Large",
            api=api,
            work_pool=WorkPool.managed(
                "large",
                flow_run_defaults=FlowRunDefaults(cpu=2048, memory_limit_mib=8192, max_run_time=settings.max_run_time),
            ),
            vpc=quick.vpc,
            cluster=quick.cluster,
            observability=ObservabilityOptions(alarms=None if settings.alarms else AlarmOptions(enabled=False)),
            removal_policy=settings.removal_policy,
        )


app = App()
for name, settings in {"Dev": DEV, "Prod": PROD}.items():
    stage = Stage(app, name, env=Environment(account="111111111111", region="eu-central-1"))
    Workers(stage, "Workers", settings)
app.synth()
