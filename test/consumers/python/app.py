"""Synthesizes the scenarios of test/scenarios.ts, and reports how mistakes read: `python app.py <outdir>`."""

import json
import sys
import traceback
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import (
    aws_applicationautoscaling as appscaling,
    aws_ec2 as ec2,
    aws_ecr as ecr,
    aws_ecs as ecs,
    aws_logs as logs,
    aws_route53 as route53,
    aws_secretsmanager as secretsmanager,
)
from cdk_prefect_fargate_worker import (
    AlarmOptions,
    CapacityOptions,
    ComplianceOptions,
    FlowRunDefaults,
    LogArchiveOptions,
    NetworkOptions,
    ObservabilityOptions,
    PrefectApi,
    PrefectFargateWorker,
    PrefectServer,
    Results,
    ScalingOptions,
    ScalingSchedule,
    ServerAccess,
    ServerDatabase,
    ServerDomain,
    ServerFirewallOptions,
    ServerObservabilityOptions,
    ServerSignIn,
    ServerSize,
    ServerTaskSize,
    StandbyOptions,
    ThresholdAlarmSettings,
    Tracing,
    WorkerType,
    WorkPool,
    WorkQueue,
)

ACCOUNT_ID = "11111111-2222-3333-4444-555555555555"
WORKSPACE_ID = "66666666-7777-8888-9999-000000000000"


def cloud(stack: cdk.Stack) -> PrefectApi:
    api_key = ecs.Secret.from_secrets_manager(secretsmanager.Secret(stack, "ApiKey"))
    return PrefectApi.cloud(account_id=ACCOUNT_ID, workspace_id=WORKSPACE_ID, api_key=api_key)


def ecs_worker(app: cdk.App) -> None:
    stack = cdk.Stack(app, "Ecs")
    PrefectFargateWorker(stack, "Worker", api=cloud(stack), work_pool=WorkPool.managed("etl"))


def process_worker(app: cdk.App) -> None:
    stack = cdk.Stack(app, "Process")
    PrefectFargateWorker(
        stack,
        "Worker",
        api=cloud(stack),
        work_pool=WorkPool.managed(
            "etl-processes",
            concurrency_limit=20,
            work_queues=[WorkQueue(name="urgent", priority=1), WorkQueue(name="rest", concurrency_limit=5)],
        ),
        worker_type=WorkerType.PROCESS,
        work_queues=["urgent", "rest"],
        observability=ObservabilityOptions(tracing=Tracing.xray()),
        compliance=ComplianceOptions(config_rules=True),
    )


def existing_network(app: cdk.App) -> None:
    stack = cdk.Stack(app, "ExistingNetwork")
    vpc = ec2.Vpc.from_vpc_attributes(
        stack,
        "Vpc",
        vpc_id="vpc-0a1b2c3d",
        availability_zones=["us-east-1a", "us-east-1b"],
        private_subnet_ids=["subnet-0a1b2c3d", "subnet-4e5f6a7b"],
        vpc_cidr_block="10.20.0.0/16",
    )
    cluster = ecs.Cluster.from_cluster_attributes(stack, "Cluster", cluster_name="shared", vpc=vpc, security_groups=[])
    PrefectFargateWorker(
        stack,
        "Worker",
        api=cloud(stack),
        work_pool=WorkPool.existing("etl"),
        scaling=ScalingOptions(standby=StandbyOptions()),
        vpc=vpc,
        cluster=cluster,
        security_groups=[ec2.SecurityGroup.from_security_group_id(stack, "Group", "sg-0a1b2c3d")],
    )


def self_hosted(app: cdk.App) -> None:
    stack = cdk.Stack(app, "SelfHosted")
    images = ecr.Repository.from_repository_name(stack, "Images", "prefect")
    vpc = ec2.Vpc.from_vpc_attributes(
        stack,
        "Vpc",
        vpc_id="vpc-4e5f6a7b",
        availability_zones=["us-east-1a", "us-east-1b", "us-east-1c"],
        isolated_subnet_ids=["subnet-11111111", "subnet-22222222", "subnet-33333333"],
        isolated_subnet_route_table_ids=["rtb-11111111", "rtb-22222222", "rtb-33333333"],
        isolated_subnet_ipv4_cidr_blocks=["100.64.0.0/18", "100.64.64.0/18", "100.64.128.0/18"],
        vpc_cidr_block="10.30.0.0/16",
    )
    api = PrefectApi.self_hosted(
        url="https://prefect.internal.example.com:4200/api",
        auth_string=ecs.Secret.from_secrets_manager(secretsmanager.Secret(stack, "AuthString"), "auth"),
        custom_headers=ecs.Secret.from_secrets_manager(secretsmanager.Secret(stack, "Headers")),
        tls_ca_certificate="-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
        private_network=True,
    )
    PrefectFargateWorker(
        stack,
        "Worker",
        api=api,
        work_pool=WorkPool.managed(
            'on premises "etl"',
            delete_on_removal=True,
            flow_run_defaults=FlowRunDefaults(
                image=ecs.ContainerImage.from_ecr_repository(images, "flows-1.4.2"),
                cpu=1024,
                memory_limit_mib=4096,
                capacity=CapacityOptions(spot_weight=1, on_demand_weight=0),
                environment={"LOG_LEVEL": "debug", "AWS_RETRY_MODE": "adaptive"},
                command=["nice", "prefect", "flow-run", "execute"],
            ),
        ),
        image=ecs.ContainerImage.from_ecr_repository(images, "worker-3.9.1"),
        environment={"TZ": "Europe/Berlin", "PREFECT_LOGGING_LEVEL": "DEBUG"},
        vpc=vpc,
        network=NetworkOptions(vpc_endpoints=True),
        cpu_architecture=ecs.CpuArchitecture.ARM64,
        observability=ObservabilityOptions(
            tracing=Tracing.xray(
                sampling_ratio=0.25,
                collector_image=ecs.ContainerImage.from_ecr_repository(images, "collector-0.49.0"),
            ),
            monthly_budget=500,
            alarms=AlarmOptions(over_budget=ThresholdAlarmSettings(threshold=90)),
        ),
        compliance=ComplianceOptions(config_rules=True),
    )


def everything_on(app: cdk.App) -> None:
    stack = cdk.Stack(app, "EverythingOn")
    PrefectFargateWorker(
        stack,
        "Worker",
        api=cloud(stack),
        work_pool=WorkPool.managed("nightly"),
        worker_type=WorkerType.PROCESS,
        network=NetworkOptions(max_azs=3, cidr="10.30.0.0/16", functions_in_vpc=True),
        enable_execute_command=True,
        verify=True,
        results=Results.managed(expiration=cdk.Duration.days(7)),
        scaling=ScalingOptions(
            min_workers=1,
            max_workers=20,
            lead_time=cdk.Duration.minutes(5),
            poll_interval=cdk.Duration.seconds(30),
            spare_flow_runs=2,
            scale_in_after=cdk.Duration.minutes(10),
            schedules=[
                ScalingSchedule(
                    start=appscaling.Schedule.cron(hour="6", minute="0"),
                    end=appscaling.Schedule.cron(hour="9", minute="0"),
                    min_workers=4,
                    time_zone=cdk.TimeZone.EUROPE_BERLIN,
                )
            ],
        ),
        observability=ObservabilityOptions(
            log_retention=logs.RetentionDays.ONE_YEAR,
            tracing=Tracing.xray(),
            log_archive=LogArchiveOptions(),
            log_destination_arn=cdk.CfnParameter(stack, "LogDestination").value_as_string,
        ),
        compliance=ComplianceOptions(config_rules=True),
    )


def two_workers(app: cdk.App) -> None:
    stack = cdk.Stack(app, "TwoWorkers")
    api = cloud(stack)
    processes = PrefectFargateWorker(
        stack, "Processes", api=api, work_pool=WorkPool.managed("quick"), worker_type=WorkerType.PROCESS
    )
    PrefectFargateWorker(
        stack,
        "Tasks",
        api=api,
        work_pool=WorkPool.managed("heavy"),
        results=Results.managed(),
        vpc=processes.vpc,
        cluster=processes.cluster,
    )


def server(app: cdk.App) -> None:
    stack = cdk.Stack(app, "Server")
    vpc = ec2.Vpc.from_vpc_attributes(
        stack,
        "Vpc",
        vpc_id="vpc-4e5f6a7b",
        availability_zones=["us-east-1a", "us-east-1b"],
        private_subnet_ids=["subnet-0a1b2c3d", "subnet-4e5f6a7b"],
        vpc_cidr_block="10.20.0.0/16",
    )
    own = PrefectServer(stack, "Server", vpc=vpc)
    PrefectFargateWorker(
        stack, "Worker", api=PrefectApi.from_server(own), work_pool=WorkPool.managed("etl"), cluster=own.cluster
    )


def public_server(app: cdk.App) -> None:
    stack = cdk.Stack(app, "PublicServer")
    vpc = ec2.Vpc.from_vpc_attributes(
        stack,
        "Vpc",
        vpc_id="vpc-0a1b2c3d",
        availability_zones=["us-east-1a", "us-east-1b"],
        public_subnet_ids=["subnet-1a1b2c3d", "subnet-1e5f6a7b"],
        private_subnet_ids=["subnet-0a1b2c3d", "subnet-4e5f6a7b"],
        vpc_cidr_block="10.20.0.0/16",
    )
    PrefectServer(
        stack,
        "Server",
        vpc=vpc,
        size=ServerSize.highly_available(
            max_api_tasks=8, services_tasks=3, api_task_size=ServerTaskSize(cpu=1024, memory_limit_mib=2048)
        ),
        database=ServerDatabase.aurora_serverless(
            min_capacity=1, max_capacity=8, backup_retention=cdk.Duration.days(14)
        ),
        access=ServerAccess.PUBLIC_LOAD_BALANCER,
        domain=ServerDomain(
            zone=route53.PublicHostedZone.from_hosted_zone_attributes(
                stack, "Zone", hosted_zone_id="Z0123456789ABCDEFGHIJ", zone_name="example.com"
            ),
            name="prefect.example.com",
        ),
        sign_in=ServerSignIn.oidc(
            issuer="https://login.example.com",
            authorization_endpoint="https://login.example.com/authorize",
            token_endpoint="https://login.example.com/token",
            user_info_endpoint="https://login.example.com/userinfo",
            client_id="prefect",
            client_secret=cdk.SecretValue.secrets_manager("prefect-client"),
        ),
        firewall=ServerFirewallOptions(requests_per_five_minutes=5000, sql_injection_rules=True),
        flow_run_retention=cdk.Duration.days(30),
        environment={"PREFECT_LOGGING_LEVEL": "WARNING"},
        enable_execute_command=True,
        observability=ServerObservabilityOptions(log_retention=logs.RetentionDays.ONE_YEAR),
    )


SCENARIOS = {
    "ecs": ecs_worker,
    "process": process_worker,
    "existing-network": existing_network,
    "self-hosted": self_hosted,
    "everything-on": everything_on,
    "two-workers": two_workers,
    "server": server,
    "public-server": public_server,
}


def bad_pool_name() -> None:
    WorkPool.managed("etl/nightly")


def bad_size() -> None:
    stack = cdk.Stack()
    PrefectFargateWorker(stack, "Worker", api=cloud(stack), work_pool=WorkPool.managed("etl"), cpu=1000)


MISTAKES = {"a work pool's name": bad_pool_name, "a worker's size": bad_size}


def report(mistake) -> dict:
    try:
        mistake()
    except Exception as error:
        return {"message": str(error), "shown": traceback.format_exc()}
    return {}


def main(out: Path) -> None:
    for name, build in SCENARIOS.items():
        app = cdk.App(outdir=str(out / name), analytics_reporting=False, tree_metadata=False)
        build(app)
        app.synth()
    (out / "mistakes.json").write_text(json.dumps({name: report(mistake) for name, mistake in MISTAKES.items()}))


main(Path(sys.argv[1]))
