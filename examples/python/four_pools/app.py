"""Four work pools in one VPC and cluster, whose flow runs may do and have different things."""

from aws_cdk import App, Stack, aws_ec2 as ec2, aws_ecs as ecs, aws_efs as efs, aws_s3 as s3, aws_secretsmanager as secretsmanager
from cdk_prefect_fargate_worker import (
    CapacityOptions,
    FlowRunDefaults,
    PrefectApi,
    PrefectFargateWorker,
    ScalingOptions,
    WorkerType,
    WorkPool,
    WorkQueue,
)

app = App()
stack = Stack(app, "Pools")
api = PrefectApi.cloud(
    account_id="11111111-2222-3333-4444-555555555555",
    workspace_id="66666666-7777-8888-9999-000000000000",
    api_key=ecs.Secret.from_secrets_manager(
        secretsmanager.Secret.from_secret_name_v2(stack, "ApiKey", "prefect-api-key")
    ),
)
lake = s3.Bucket(stack, "Lake", enforce_ssl=True)
warehouse = secretsmanager.Secret(stack, "Warehouse")

# Reads the lake, and writes to the warehouse with its password.
etl = PrefectFargateWorker(
    stack,
    "Etl",
    api=api,
    work_pool=WorkPool.managed(
        "etl",
        # Each queue as a WorkQueue: of a dict in a list, jsii would not know the names.
        work_queues=[WorkQueue(name="urgent", priority=1), WorkQueue(name="backfill", concurrency_limit=5)],
        flow_run_defaults=FlowRunDefaults(
            secrets={"WAREHOUSE_PASSWORD": ecs.Secret.from_secrets_manager(warehouse, "password")},
        ),
    ),
)
lake.grant_read(etl)
shared = {"api": api, "vpc": etl.vpc, "cluster": etl.cluster}

# Trains on large disks, on Spot, beside a file system for its models.
ml = PrefectFargateWorker(
    stack,
    "Ml",
    work_pool=WorkPool.managed(
        "ml",
        flow_run_defaults=FlowRunDefaults(
            cpu=4096,
            memory_limit_mib=30720,
            ephemeral_storage_gib=200,
            capacity=CapacityOptions(spot_weight=1, on_demand_weight=0),
        ),
    ),
    **shared,
)
models = efs.FileSystem(stack, "Models", vpc=etl.vpc)
models.grant_read_write(ml)
models.connections.allow_default_port_from(ml)
ml.connections.allow_to(models, ec2.Port.tcp(2049), "The models")
ml.flow_run_task_definition.add_volume(
    name="models",
    efs_volume_configuration=ecs.EfsVolumeConfiguration(
        file_system_id=models.file_system_id,
        transit_encryption="ENABLED",
        authorization_config=ecs.AuthorizationConfig(iam="ENABLED"),
    ),
)
ml.flow_run_container.add_mount_points(
    ecs.MountPoint(source_volume="models", container_path="/mnt/models", read_only=False)
)

# Writes reports to one prefix, and may do nothing else.
reports = PrefectFargateWorker(stack, "Reports", work_pool=WorkPool.managed("reports"), **shared)
lake.grant_put(reports, "reports/*")

# Answers webhooks within seconds: processes, with room for two more flow runs at any time.
webhooks = PrefectFargateWorker(
    stack,
    "Webhooks",
    work_pool=WorkPool.managed("webhooks"),
    worker_type=WorkerType.PROCESS,
    scaling=ScalingOptions(spare_flow_runs=2, max_workers=5),
    **shared,
)

app.synth()
