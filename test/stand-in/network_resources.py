"""Parts of the network for which moto's own CloudFormation is not enough."""

import json
import time
from typing import Any

import settings
from ecs_state import all_tasks
from provisioning import Failure, NeedsReplacement, Outcome, Provisioner, Request, call


#: CloudFormation tries for a quarter of an hour to delete what network interfaces still use.
_PATIENCE = 900.0
_LEAST_PATIENCE = 15.0


def wait_until_unused(kind: str, identifier: str) -> None:
    """EC2 deletes no security group and no subnet of a task that has not stopped, whose network interface is in it."""
    end = time.monotonic() + max(settings.scaled(_PATIENCE), _LEAST_PATIENCE)
    while any(task.last_status != "STOPPED" and identifier in task.network.get(kind, []) for task in all_tasks()):
        if time.monotonic() > end:
            raise Failure(f"resource {identifier} has a dependent object (Service: Ec2, Status Code: 400, Error Code: DependencyViolation)", identifier)
        time.sleep(0.2)


def tags_for(request: Request, kind: str) -> list[dict[str, Any]]:
    tags = request.properties.get("Tags") or []
    return [{"ResourceType": kind, "Tags": tags}] if tags else []


class Vpc:
    def create(self, request: Request) -> Outcome:
        parameters = {**request.properties, "TagSpecifications": tags_for(request, "vpc")}
        identifier = call(request.region, "ec2", "CreateVpc", parameters)["Vpc"]["VpcId"]
        self._configure(request, identifier)
        return self._outcome(request, identifier)

    def update(self, request: Request) -> Outcome:
        if request.changed("CidrBlock", "InstanceTenancy"):
            raise NeedsReplacement()
        self._configure(request, request.physical_id)
        return self._outcome(request, request.physical_id)

    def delete(self, request: Request) -> None:
        call(request.region, "ec2", "DeleteVpc", {"VpcId": request.physical_id})

    @staticmethod
    def _configure(request: Request, identifier: str) -> None:
        for name in ("EnableDnsSupport", "EnableDnsHostnames"):
            if name in request.properties:
                call(request.region, "ec2", "ModifyVpcAttribute", {"VpcId": identifier, name: {"Value": request.properties[name]}})

    @staticmethod
    def _outcome(request: Request, identifier: str) -> Outcome:
        in_vpc = {"Filters": [{"Name": "vpc-id", "Values": [identifier]}]}
        groups = call(request.region, "ec2", "DescribeSecurityGroups", in_vpc)["SecurityGroups"]
        acls = call(request.region, "ec2", "DescribeNetworkAcls", in_vpc)["NetworkAcls"]
        attributes = {
            "VpcId": identifier,
            "CidrBlock": request.properties.get("CidrBlock"),
            "DefaultSecurityGroup": next((item["GroupId"] for item in groups if item["GroupName"] == "default"), None),
            "DefaultNetworkAcl": next((item["NetworkAclId"] for item in acls), None),
        }
        return Outcome(identifier, attributes.get)


class Subnet:
    def create(self, request: Request) -> Outcome:
        parameters = {**request.properties, "TagSpecifications": tags_for(request, "subnet")}
        subnet = call(request.region, "ec2", "CreateSubnet", parameters)["Subnet"]
        self._configure(request, subnet["SubnetId"])
        attributes = {"SubnetId": subnet["SubnetId"], "AvailabilityZone": subnet["AvailabilityZone"], "VpcId": subnet["VpcId"], "CidrBlock": subnet["CidrBlock"]}
        return Outcome(subnet["SubnetId"], attributes.get)

    def update(self, request: Request) -> Outcome:
        raise NeedsReplacement()

    def delete(self, request: Request) -> None:
        wait_until_unused("subnets", request.physical_id)
        call(request.region, "ec2", "DeleteSubnet", {"SubnetId": request.physical_id})

    @staticmethod
    def _configure(request: Request, identifier: str) -> None:
        if "MapPublicIpOnLaunch" in request.properties:
            public = {"Value": request.properties["MapPublicIpOnLaunch"]}
            call(request.region, "ec2", "ModifySubnetAttribute", {"SubnetId": identifier, "MapPublicIpOnLaunch": public})


class Ec2Resource:
    """One call makes it, one call removes it, and a change means a new one."""

    def __init__(self, create: str, answer: str, identifier: str, delete: str, delete_by: str, attributes: dict[str, str], tags: str = "") -> None:
        self._create, self._answer, self._identifier = create, answer, identifier
        self._delete, self._delete_by, self._attributes, self._tags = delete, delete_by, attributes, tags

    def create(self, request: Request) -> Outcome:
        tagged = {"TagSpecifications": tags_for(request, self._tags)} if self._tags else {}
        answer = call(request.region, "ec2", self._create, {**request.properties, **tagged})
        made = answer[self._answer] if self._answer else answer
        attributes = {name: made.get(source) for name, source in self._attributes.items()}
        return Outcome(made[self._identifier], attributes.get, made)

    def update(self, request: Request) -> Outcome:
        if {key: value for key, value in request.properties.items() if key != "Tags"} != {key: value for key, value in request.old_properties.items() if key != "Tags"}:
            raise NeedsReplacement()
        attributes = {name: request.model.get(source) for name, source in self._attributes.items()}
        return Outcome(request.physical_id, attributes.get, request.model)

    def delete(self, request: Request) -> None:
        call(request.region, "ec2", self._delete, {self._delete_by: request.model[self._delete_by]})


class GatewayAttachment:
    def create(self, request: Request) -> Outcome:
        if request.properties.get("InternetGatewayId"):
            call(request.region, "ec2", "AttachInternetGateway", request.properties)
        return Outcome(f"IGW|{request.properties['VpcId']}", {"AttachmentType": "IGW"}.get)

    def update(self, request: Request) -> Outcome:
        raise NeedsReplacement()

    def delete(self, request: Request) -> None:
        if request.properties.get("InternetGatewayId"):
            call(request.region, "ec2", "DetachInternetGateway", request.properties)


class Route:
    def create(self, request: Request) -> Outcome:
        call(request.region, "ec2", "CreateRoute", request.properties)
        destination = request.properties.get("DestinationCidrBlock") or request.properties.get("DestinationIpv6CidrBlock")
        return Outcome(f"{request.properties['RouteTableId']}|{destination}", {"CidrBlock": destination}.get)

    def update(self, request: Request) -> Outcome:
        raise NeedsReplacement()

    def delete(self, request: Request) -> None:
        call(request.region, "ec2", "DeleteRoute", request.properties)


class SecurityGroup:
    def create(self, request: Request) -> Outcome:
        properties = request.properties
        answer = call(
            request.region,
            "ec2",
            "CreateSecurityGroup",
            {
                "GroupName": properties.get("GroupName") or request.name(),
                "Description": properties["GroupDescription"],
                "VpcId": properties.get("VpcId"),
                "TagSpecifications": tags_for(request, "security-group"),
            },
        )
        identifier = answer["GroupId"]
        if properties.get("SecurityGroupEgress") is not None:
            everything = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
            call(request.region, "ec2", "RevokeSecurityGroupEgress", {"GroupId": identifier, "IpPermissions": [everything]})
        self._authorize(request, identifier, request.properties)
        return self._outcome(request, identifier)

    def update(self, request: Request) -> Outcome:
        if request.changed("GroupName", "GroupDescription", "VpcId"):
            raise NeedsReplacement()
        for direction in ("Ingress", "Egress"):
            for rule in request.old_properties.get(f"SecurityGroup{direction}") or []:
                call(request.region, "ec2", f"RevokeSecurityGroup{direction}", {"GroupId": request.physical_id, "IpPermissions": [permission(rule)]})
        self._authorize(request, request.physical_id, request.properties)
        return self._outcome(request, request.physical_id)

    def delete(self, request: Request) -> None:
        wait_until_unused("securityGroups", request.physical_id)
        call(request.region, "ec2", "DeleteSecurityGroup", {"GroupId": request.physical_id})

    @staticmethod
    def _authorize(request: Request, identifier: str, properties: dict[str, Any]) -> None:
        for direction in ("Ingress", "Egress"):
            for rule in properties.get(f"SecurityGroup{direction}") or []:
                call(request.region, "ec2", f"AuthorizeSecurityGroup{direction}", {"GroupId": identifier, "IpPermissions": [permission(rule)]})

    @staticmethod
    def _outcome(request: Request, identifier: str) -> Outcome:
        return Outcome(identifier, {"GroupId": identifier, "Id": identifier, "VpcId": request.properties.get("VpcId")}.get)


class SecurityGroupRule:
    def __init__(self, direction: str) -> None:
        self._direction = direction

    def create(self, request: Request) -> Outcome:
        self._change("Authorize", request, request.properties)
        return Outcome(f"sgr-{request.logical_id}", lambda _: f"sgr-{request.logical_id}")

    def update(self, request: Request) -> Outcome:
        self._change("Revoke", request, request.old_properties)
        self._change("Authorize", request, request.properties)
        return Outcome(request.physical_id, lambda _: request.physical_id)

    def delete(self, request: Request) -> None:
        self._change("Revoke", request, request.properties)

    def _change(self, verb: str, request: Request, properties: dict[str, Any]) -> None:
        call(request.region, "ec2", f"{verb}SecurityGroup{self._direction}", {"GroupId": properties["GroupId"], "IpPermissions": [permission(properties)]})


def permission(rule: dict[str, Any]) -> dict[str, Any]:
    described = {"Description": rule["Description"]} if rule.get("Description") else {}
    peers: dict[str, Any] = {}
    group = rule.get("SourceSecurityGroupId") or rule.get("DestinationSecurityGroupId")
    prefix_list = rule.get("SourcePrefixListId") or rule.get("DestinationPrefixListId")
    if rule.get("CidrIp"):
        peers["IpRanges"] = [{"CidrIp": rule["CidrIp"], **described}]
    if rule.get("CidrIpv6"):
        peers["Ipv6Ranges"] = [{"CidrIpv6": rule["CidrIpv6"], **described}]
    if group:
        peers["UserIdGroupPairs"] = [{"GroupId": group, **described}]
    if prefix_list:
        peers["PrefixListIds"] = [{"PrefixListId": prefix_list, **described}]
    ports = {key: rule[key] for key in ("FromPort", "ToPort") if rule.get(key) is not None and str(rule["IpProtocol"]) != "-1"}
    return {"IpProtocol": rule["IpProtocol"], **ports, **peers}


class VpcEndpoint:
    def create(self, request: Request) -> Outcome:
        answer = call(request.region, "ec2", "CreateVpcEndpoint", self._parameters(request))["VpcEndpoint"]
        return self._outcome(request, answer["VpcEndpointId"])

    def update(self, request: Request) -> Outcome:
        if request.changed("VpcId", "ServiceName", "VpcEndpointType", "SecurityGroupIds", "SubnetIds", "RouteTableIds"):
            raise NeedsReplacement()
        return self._outcome(request, request.physical_id)

    def delete(self, request: Request) -> None:
        call(request.region, "ec2", "DeleteVpcEndpoints", {"VpcEndpointIds": [request.physical_id]})

    @staticmethod
    def _parameters(request: Request) -> dict[str, Any]:
        properties = {key: value for key, value in request.properties.items() if key not in ("PolicyDocument", "Tags")}
        policy = request.properties.get("PolicyDocument")
        return {**properties, **({"PolicyDocument": json.dumps(policy)} if policy else {}), "TagSpecifications": tags_for(request, "vpc-endpoint")}

    @staticmethod
    def _outcome(request: Request, identifier: str) -> Outcome:
        entry = f"Z{identifier[-13:].upper()}:{identifier}.{request.properties['ServiceName'].rsplit('.', 1)[-1]}.{request.region}.vpce.amazonaws.com"
        return Outcome(identifier, {"Id": identifier, "DnsEntries": [entry], "NetworkInterfaceIds": []}.get)


class FlowLog:
    def create(self, request: Request) -> Outcome:
        parameters = {**request.properties, "ResourceIds": [request.properties["ResourceId"]], "TagSpecifications": tags_for(request, "vpc-flow-log")}
        identifier = call(request.region, "ec2", "CreateFlowLogs", parameters)["FlowLogIds"][0]
        return Outcome(identifier, {"Id": identifier}.get)

    def update(self, request: Request) -> Outcome:
        raise NeedsReplacement()

    def delete(self, request: Request) -> None:
        call(request.region, "ec2", "DeleteFlowLogs", {"FlowLogIds": [request.physical_id]})


NETWORK: dict[str, Provisioner] = {
    "AWS::EC2::EIP": Ec2Resource("AllocateAddress", "", "PublicIp", "ReleaseAddress", "AllocationId", {"AllocationId": "AllocationId", "PublicIp": "PublicIp"}, "elastic-ip"),
    "AWS::EC2::FlowLog": FlowLog(),
    "AWS::EC2::InternetGateway": Ec2Resource(
        "CreateInternetGateway", "InternetGateway", "InternetGatewayId", "DeleteInternetGateway", "InternetGatewayId", {"InternetGatewayId": "InternetGatewayId"}, "internet-gateway"
    ),
    "AWS::EC2::NatGateway": Ec2Resource("CreateNatGateway", "NatGateway", "NatGatewayId", "DeleteNatGateway", "NatGatewayId", {"NatGatewayId": "NatGatewayId"}, "natgateway"),
    "AWS::EC2::Route": Route(),
    "AWS::EC2::RouteTable": Ec2Resource("CreateRouteTable", "RouteTable", "RouteTableId", "DeleteRouteTable", "RouteTableId", {"RouteTableId": "RouteTableId"}, "route-table"),
    "AWS::EC2::SecurityGroup": SecurityGroup(),
    "AWS::EC2::SecurityGroupEgress": SecurityGroupRule("Egress"),
    "AWS::EC2::SecurityGroupIngress": SecurityGroupRule("Ingress"),
    "AWS::EC2::Subnet": Subnet(),
    "AWS::EC2::SubnetRouteTableAssociation": Ec2Resource("AssociateRouteTable", "", "AssociationId", "DisassociateRouteTable", "AssociationId", {"Id": "AssociationId"}),
    "AWS::EC2::VPC": Vpc(),
    "AWS::EC2::VPCEndpoint": VpcEndpoint(),
    "AWS::EC2::VPCGatewayAttachment": GatewayAttachment(),
}
