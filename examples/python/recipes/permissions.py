from typing import Any

from aws_cdk import (
    Stack,
    aws_ec2 as ec2,
    aws_ecr as ecr,
    aws_ecs as ecs,
    aws_iam as iam,
    aws_rds as rds,
    aws_s3 as s3,
    aws_secretsmanager as secretsmanager,
)
from cdk_prefect_fargate_worker import PrefectApi, PrefectFargateWorker, WorkPool
from constructs import Construct


class Permissions(Stack):
    """Flow runs that read a bucket, query a database and pull images of their own."""

    def __init__(self, scope: Construct, construct_id: str, **kwargs: Any) -> None:
        super().__init__(scope, construct_id, **kwargs)

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
            work_pool=WorkPool.managed("etl"),
        )

        # A worker is a grantee: whatever has a grant method takes it.
        bucket = s3.Bucket(self, "Lake", block_public_access=s3.BlockPublicAccess.BLOCK_ALL, enforce_ssl=True)
        bucket.grant_read(worker)

        # It has connections, as a database has.
        database = rds.DatabaseInstance(
            self,
            "Warehouse",
            engine=rds.DatabaseInstanceEngine.postgres(version=rds.PostgresEngineVersion.VER_17),
            vpc=worker.vpc,
            instance_type=ec2.InstanceType.of(ec2.InstanceClass.T4G, ec2.InstanceSize.MEDIUM),
            storage_encrypted=True,
        )
        database.connections.allow_default_port_from(worker)
        assert database.secret  # made with the database, since no credentials are given
        database.secret.grant_read(worker)

        # What no grant method covers.
        worker.grant_principal.add_to_principal_policy(
            iam.PolicyStatement(
                actions=["athena:StartQueryExecution", "athena:GetQueryExecution", "athena:GetQueryResults"],
                resources=[self.format_arn(service="athena", resource="workgroup", resource_name="flows")],
            )
        )

        # A role that deployments may name, with the job variable `task_role_arn`.
        worker.allow_flow_run_role(
            iam.Role(self, "Payroll", assumed_by=iam.ServicePrincipal("ecs-tasks.amazonaws.com"))
        )

        # Images that deployments name for themselves are pulled by the role that starts their tasks.
        ecr.Repository.from_repository_name(self, "Flows", "flows").grant_pull(worker.flow_run_execution_role)
