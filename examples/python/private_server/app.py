"""A Prefect server inside the company's network, whose certificate the company's own authority has signed."""

from pathlib import Path

from aws_cdk import App, Stack, aws_ec2 as ec2, aws_ecs as ecs, aws_secretsmanager as secretsmanager
from cdk_prefect_fargate_worker import PrefectApi, PrefectFargateWorker, WorkPool

app = App()
stack = Stack(app, "Worker")

# One that reaches the server: by peering, a transit gateway, or because the server is in it.
vpc = ec2.Vpc.from_vpc_attributes(
    stack,
    "Vpc",
    vpc_id="vpc-0123456789abcdef0",
    availability_zones=["eu-central-1a", "eu-central-1b"],
    private_subnet_ids=["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
)

PrefectFargateWorker(
    stack,
    "Prefect",
    api=PrefectApi.self_hosted(
        url="https://prefect.internal.example.com:4200/api",
        auth_string=ecs.Secret.from_secrets_manager(
            secretsmanager.Secret.from_secret_name_v2(stack, "AuthString", "prefect-server-auth")
        ),
        tls_ca_certificate=(Path(__file__).parent / "ca.pem").read_text(),
        private_network=True,
    ),
    work_pool=WorkPool.managed("etl"),
    vpc=vpc,
)

app.synth()
