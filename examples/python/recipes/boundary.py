from typing import Any

import jsii
from aws_cdk import (
    Aspects,
    CfnResource,
    IAspect,
    Stack,
    aws_ecs as ecs,
    aws_iam as iam,
    aws_secretsmanager as secretsmanager,
)
from cdk_prefect_fargate_worker import PrefectApi, PrefectFargateWorker, WorkPool
from constructs import Construct, IConstruct


@jsii.implements(IAspect)
class RolePath:
    """Puts all roles under a path."""

    def __init__(self, path: str) -> None:
        self._path = path

    def visit(self, node: IConstruct) -> None:
        # By the resource's type, because the CDK's own providers have roles that are no iam.CfnRole.
        if isinstance(node, CfnResource) and node.cfn_resource_type == "AWS::IAM::Role":
            node.add_property_override("Path", self._path)


class Boundary(Stack):
    """A stack whose roles have the company's permissions boundary, and a path."""

    def __init__(self, scope: Construct, construct_id: str, **kwargs: Any) -> None:
        super().__init__(scope, construct_id, **kwargs)

        PrefectFargateWorker(
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

        boundary = iam.ManagedPolicy.from_managed_policy_name(self, "Company", "team-boundary")
        iam.PermissionsBoundary.of(self).apply(boundary)
        Aspects.of(self).add(RolePath("/teams/data/"))
