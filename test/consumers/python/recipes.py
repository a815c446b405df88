"""Synthesizes the recipes of examples/python/recipes, which has to be on PYTHONPATH, with the props of
test/docs/recipes.ts: `python recipes.py <outdir>`.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from alarms import Alarms
from aws_cdk import App, Environment, Stack, aws_ec2 as ec2
from behind_a_proxy import BehindAProxy
from boundary import Boundary
from custom_image import CustomImage
from existing_vpc import ExistingVpc
from flow_run_task import FlowRunTask
from from_cli_template import FromCliTemplate
from from_terraform import FromTerraform
from many_pools import ManyPools
from out_of_memory import OutOfMemory
from own_roles import OwnRoles
from own_server import OwnServer
from own_template import OwnTemplate
from peaks import Peaks
from permissions import Permissions
from pinned_versions import PinnedVersions
from precreated_roles import PrecreatedRoles
from prefect_cloud import PrefectCloud
from private_link import PrivateLink
from private_registry import PrivateRegistry
from public_server import PublicServer
from registry_credentials import RegistryCredentials
from resume import Resume
from scaled_to_zero import ScaledToZero
from self_hosted import SelfHosted
from small import Small
from spot import Spot
from standby_region import both_regions
from tracing import Traced
from tracing_otlp import TracedElsewhere
from unscheduled_runs import UnscheduledRuns
from vpc_peering import VpcPeering

ACCOUNT = "123456789012"
ENV = Environment(account=ACCOUNT, region="us-east-1")


def network(app: App, **props: Any) -> ec2.Vpc:
    return ec2.Vpc(Stack(app, "Network"), "Vpc", **props)


def closed_network(app: App) -> ec2.Vpc:
    closed = ec2.SubnetConfiguration(name="Closed", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)
    return network(app, subnet_configuration=[closed])


RECIPES: dict[str, Callable[[App], object]] = {
    "alarms": lambda app: Alarms(app, "Example"),
    "behind-a-proxy": lambda app: BehindAProxy(
        app, "Example", vpc=closed_network(app), proxy_url="http://proxy.example.com:3128"
    ),
    "boundary": lambda app: Boundary(app, "Example"),
    "custom-image": lambda app: CustomImage(app, "Example"),
    "existing-vpc": lambda app: ExistingVpc(app, "Example", env=ENV),
    "flow-run-task": lambda app: FlowRunTask(app, "Example"),
    "from-cli-template": lambda app: FromCliTemplate(app, "Example", env=ENV),
    "from-terraform": lambda app: FromTerraform(app, "Example"),
    "many-pools": lambda app: ManyPools(app, "Example"),
    "own-roles": lambda app: OwnRoles(app, "Example", env=ENV),
    "own-server": lambda app: OwnServer(app, "Example"),
    "own-template": lambda app: OwnTemplate(app, "Example"),
    "peaks": lambda app: Peaks(app, "Example"),
    "permissions": lambda app: Permissions(app, "Example"),
    "pinned-versions": lambda app: PinnedVersions(app, "Example"),
    "precreated-roles": lambda app: PrecreatedRoles(app, "Example"),
    "prefect-cloud": lambda app: PrefectCloud(app, "Example"),
    "private-link": lambda app: PrivateLink(
        app, "Example", vpc=network(app), endpoint_security_group_id="sg-0123456789abcdef0"
    ),
    "private-registry": lambda app: PrivateRegistry(app, "Example", vpc=closed_network(app)),
    "public-server": lambda app: PublicServer(app, "Example"),
    "registry-credentials": lambda app: RegistryCredentials(app, "Example"),
    "resume": lambda app: Resume(app, "Example"),
    "scaled-to-zero": lambda app: ScaledToZero(app, "Example", env=ENV),
    "self-hosted": lambda app: SelfHosted(app, "Example", vpc=network(app)),
    "small": lambda app: Small(app, "Example"),
    "out-of-memory": lambda app: OutOfMemory(app, "Example"),
    "spot": lambda app: Spot(app, "Example"),
    "standby-region": lambda app: both_regions(app, ACCOUNT),
    "tracing": lambda app: Traced(app, "Example"),
    "tracing-otlp": lambda app: TracedElsewhere(app, "Example"),
    "unscheduled-runs": lambda app: UnscheduledRuns(app, "Example"),
    "vpc-peering": lambda app: VpcPeering(app, "Example", peer_vpc_id="vpc-0a1b2c3d", peer_cidr="10.1.0.0/16"),
}


def main(out: Path) -> None:
    for name, build in RECIPES.items():
        app = App(outdir=str(out / name), analytics_reporting=False, tree_metadata=False)
        build(app)
        app.synth()


main(Path(sys.argv[1]))
