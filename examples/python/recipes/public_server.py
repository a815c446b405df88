from typing import Any

from aws_cdk import Stack, aws_ec2 as ec2, aws_route53 as route53, aws_secretsmanager as secretsmanager
from cdk_prefect_fargate_worker import (
    PrefectServer,
    ServerAccess,
    ServerDomain,
    ServerFirewallOptions,
    ServerSignIn,
    ServerSize,
)
from constructs import Construct


class PublicServer(Stack):
    """A highly available server on the internet, behind a firewall: people sign in with the company's identity provider."""

    def __init__(self, scope: Construct, construct_id: str, **kwargs: Any) -> None:
        super().__init__(scope, construct_id, **kwargs)

        vpc = ec2.Vpc(self, "Vpc", max_azs=2)
        zone = route53.HostedZone.from_hosted_zone_attributes(
            self, "Zone", hosted_zone_id="Z0123456789ABCDEFGHIJ", zone_name="example.com"
        )
        client = secretsmanager.Secret.from_secret_name_v2(self, "Client", "prefect-oidc-client")
        PrefectServer(
            self,
            "Server",
            vpc=vpc,
            size=ServerSize.highly_available(),
            access=ServerAccess.PUBLIC_LOAD_BALANCER,
            domain=ServerDomain(zone=zone, name="prefect.example.com"),
            sign_in=ServerSignIn.oidc(
                issuer="https://login.example.com",
                authorization_endpoint="https://login.example.com/authorize",
                token_endpoint="https://login.example.com/token",
                user_info_endpoint="https://login.example.com/userinfo",
                client_id="prefect",
                client_secret=client.secret_value,
            ),
            # For the first days: see on the dashboard what it would block.
            firewall=ServerFirewallOptions(count_only=True),
        )
