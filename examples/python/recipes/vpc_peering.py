from typing import Any

from aws_cdk import Stack, aws_ec2 as ec2
from cdk_prefect_fargate_worker import PrefectApi, PrefectFargateWorker, WorkPool
from constructs import Construct


class VpcPeering(Stack):
    """A worker of a Prefect server in another VPC, whose flow runs reach a database there.

    :param peer_vpc_id: The VPC with the Prefect server and the database, such as ``vpc-0a1b2c3d``, in this account
        and region.
    :param peer_cidr: Its range. It must not overlap the worker's.
    """

    def __init__(self, scope: Construct, construct_id: str, *, peer_vpc_id: str, peer_cidr: str, **kwargs: Any) -> None:
        super().__init__(scope, construct_id, **kwargs)

        vpc = ec2.Vpc(self, "Vpc", ip_addresses=ec2.IpAddresses.cidr("10.50.0.0/16"), max_azs=2)
        peering = ec2.CfnVPCPeeringConnection(self, "Peering", vpc_id=vpc.vpc_id, peer_vpc_id=peer_vpc_id)
        routes = [
            ec2.CfnRoute(
                self,
                f"ToPeer{index}",
                route_table_id=subnet.route_table.route_table_id,
                destination_cidr_block=peer_cidr,
                vpc_peering_connection_id=peering.attr_id,
            )
            for index, subnet in enumerate(vpc.private_subnets)
        ]

        worker = PrefectFargateWorker(
            self,
            "Worker",
            api=PrefectApi.self_hosted(url="http://prefect.internal:4200/api", private_network=True),
            work_pool=WorkPool.managed("etl"),
            vpc=vpc,
        )
        # The deployment itself asks the server for the work pool: over these routes.
        worker.node.add_dependency(*routes)
        worker.connections.allow_to(ec2.Peer.ipv4(peer_cidr), ec2.Port.POSTGRES, "the warehouse")
