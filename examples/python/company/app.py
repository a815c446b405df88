"""In a company's account: its VPC and cluster, its tags, its permissions boundary, and cdk-nag over all of it."""

from aws_cdk import (
    App,
    Aspects,
    Environment,
    Stack,
    Tags,
    aws_ec2 as ec2,
    aws_ecs as ecs,
    aws_iam as iam,
    aws_secretsmanager as secretsmanager,
)
from cdk_nag import AwsSolutionsChecks
from cdk_prefect_fargate_worker import PrefectApi, PrefectFargateWorker, WorkPool

app = App()
stack = Stack(app, "Etl", env=Environment(account="111111111111", region="eu-central-1"))

vpc = ec2.Vpc.from_vpc_attributes(
    stack,
    "Vpc",
    vpc_id="vpc-0123456789abcdef0",
    availability_zones=["eu-central-1a", "eu-central-1b"],
    private_subnet_ids=["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
    private_subnet_route_table_ids=["rtb-0123456789abcdef0", "rtb-0123456789abcdef1"],
)
cluster = ecs.Cluster.from_cluster_attributes(stack, "Cluster", cluster_name="platform", vpc=vpc)

worker = PrefectFargateWorker(
    stack,
    "Worker",
    api=PrefectApi.cloud(
        account_id="11111111-2222-3333-4444-555555555555",
        workspace_id="66666666-7777-8888-9999-000000000000",
        api_key=ecs.Secret.from_secrets_manager(
            secretsmanager.Secret.from_secret_name_v2(stack, "ApiKey", "prefect-api-key")
        ),
    ),
    work_pool=WorkPool.managed("etl"),
    vpc=vpc,
    cluster=cluster,
)

# All roles, those of functions too.
iam.PermissionsBoundary.of(app).apply(iam.ManagedPolicy.from_managed_policy_name(stack, "Boundary", "developer-boundary"))
# All resources, the flow runs' tasks and the task definitions that the worker registers for them too.
Tags.of(app).add("CostCenter", "4711")
Tags.of(app).add("Owner", "data-platform")
# The library acknowledges its own findings with their reasons, so an error here is about what the app adds itself.
Aspects.of(app).add(AwsSolutionsChecks())

app.synth()
