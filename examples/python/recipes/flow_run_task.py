from typing import Any

from aws_cdk import Stack, aws_ec2 as ec2, aws_ecs as ecs, aws_efs as efs, aws_secretsmanager as secretsmanager
from cdk_prefect_fargate_worker import FlowRunDefaults, PrefectApi, PrefectFargateWorker, WorkPool
from constructs import Construct


class FlowRunTask(Stack):
    """Flow runs with a secret, a shared file system, a sidecar and a larger disk."""

    def __init__(self, scope: Construct, construct_id: str, **kwargs: Any) -> None:
        super().__init__(scope, construct_id, **kwargs)

        database = secretsmanager.Secret(self, "Database")
        worker = PrefectFargateWorker(
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
                    cpu=1024,
                    memory_limit_mib=4096,
                    ephemeral_storage_gib=100,
                    secrets={"DB_PASSWORD": ecs.Secret.from_secrets_manager(database, "password")},
                ),
            ),
        )

        # A file system that all flow runs share, with the permissions of the flow runs' role.
        files = efs.FileSystem(self, "Files", vpc=worker.vpc, encrypted=True)
        flows = files.add_access_point(
            "Flows",
            path="/flows",
            create_acl=efs.Acl(owner_uid="1000", owner_gid="1000", permissions="750"),
            posix_user=efs.PosixUser(uid="1000", gid="1000"),
        )
        files.grant_read_write(worker)
        files.connections.allow_default_port_from(worker)
        # Flow runs reach HTTPS and the Prefect API by default; NFS has to be allowed on their side as well.
        worker.connections.allow_to(files, ec2.Port.tcp(2049), "The shared file system")
        worker.flow_run_task_definition.add_volume(
            name="files",
            efs_volume_configuration=ecs.EfsVolumeConfiguration(
                file_system_id=files.file_system_id,
                transit_encryption="ENABLED",
                authorization_config=ecs.AuthorizationConfig(access_point_id=flows.access_point_id, iam="ENABLED"),
            ),
        )
        worker.flow_run_container.add_mount_points(
            ecs.MountPoint(source_volume="files", container_path="/mnt/files", read_only=False)
        )

        # A sidecar of each flow run's task. It is not essential, so its end is not the flow run's.
        worker.flow_run_task_definition.add_container(
            "agent",
            image=ecs.ContainerImage.from_registry("public.ecr.aws/datadog/agent:7.70.0"),
            essential=False,
            memory_reservation_mib=256,
            environment={"ECS_FARGATE": "true"},
            logging=ecs.LogDrivers.aws_logs(log_group=worker.log_group, stream_prefix="agent"),
        )
