"""Log groups, alarms, dashboards; storage and service discovery."""

import json
from typing import Any

from moto.cloudwatch.responses import CloudWatchResponse

import settings
from provisioning import NeedsReplacement, Outcome, Provisioner, Request, call


class LogGroup:
    def create(self, request: Request) -> Outcome:
        name = request.properties.get("LogGroupName") or request.name()
        call(request.region, "logs", "CreateLogGroup", {**request.properties, "logGroupName": name, "Tags": None})
        self._retain(request, name)
        return self._outcome(request, name)

    def update(self, request: Request) -> Outcome:
        if request.changed("LogGroupName"):
            raise NeedsReplacement()
        self._retain(request, request.physical_id)
        return self._outcome(request, request.physical_id)

    def delete(self, request: Request) -> None:
        call(request.region, "logs", "DeleteLogGroup", {"logGroupName": request.physical_id})

    @staticmethod
    def _retain(request: Request, name: str) -> None:
        if request.properties.get("RetentionInDays"):
            call(request.region, "logs", "PutRetentionPolicy", {**request.properties, "logGroupName": name})

    @staticmethod
    def _outcome(request: Request, name: str) -> Outcome:
        return Outcome(name, {"Arn": f"arn:aws:logs:{request.region}:{settings.ACCOUNT}:log-group:{name}:*"}.get)


class MetricFilter:
    def create(self, request: Request) -> Outcome:
        name = request.physical_id or request.properties.get("FilterName") or request.name()
        call(request.region, "logs", "PutMetricFilter", {**request.properties, "filterName": name})
        return Outcome(name, lambda _: None)

    update = create

    def delete(self, request: Request) -> None:
        call(request.region, "logs", "DeleteMetricFilter", {"logGroupName": request.properties["LogGroupName"], "filterName": request.physical_id})


class Alarm:
    def __init__(self, action: str) -> None:
        self._action = action

    def create(self, request: Request) -> Outcome:
        name = request.physical_id or request.properties.get("AlarmName") or request.name()
        call(request.region, "cloudwatch", self._action, {**request.properties, "AlarmName": name})
        return Outcome(name, {"Arn": f"arn:aws:cloudwatch:{request.region}:{settings.ACCOUNT}:alarm:{name}"}.get)

    def update(self, request: Request) -> Outcome:
        if request.changed("AlarmName"):
            raise NeedsReplacement()
        return self.create(request)

    def delete(self, request: Request) -> None:
        call(request.region, "cloudwatch", "DeleteAlarms", {"AlarmNames": [request.physical_id]})


class SubscriptionFilter:
    def create(self, request: Request) -> Outcome:
        name = request.physical_id or request.properties.get("FilterName") or request.name()
        call(request.region, "logs", "PutSubscriptionFilter", {**request.properties, "filterName": name})
        return Outcome(name, lambda _: None)

    update = create

    def delete(self, request: Request) -> None:
        call(request.region, "logs", "DeleteSubscriptionFilter", {"logGroupName": request.properties["LogGroupName"], "filterName": request.physical_id})


class DeliveryStream:
    def create(self, request: Request) -> Outcome:
        name = request.properties.get("DeliveryStreamName") or request.name(64)
        # What moto writes goes to the bucket at once, without the prefixes that stand for times.
        answer = call(request.region, "firehose", "CreateDeliveryStream", {**request.properties, "DeliveryStreamName": name, "DeliveryStreamEncryptionConfigurationInput": None})
        return Outcome(name, {"Arn": answer["DeliveryStreamARN"]}.get)

    def update(self, request: Request) -> Outcome:
        raise NeedsReplacement()

    def delete(self, request: Request) -> None:
        call(request.region, "firehose", "DeleteDeliveryStream", {"DeliveryStreamName": request.physical_id})


class Dashboard:
    def create(self, request: Request) -> Outcome:
        name = request.physical_id or request.properties.get("DashboardName") or request.name()
        call(request.region, "cloudwatch", "PutDashboard", {"DashboardName": name, "DashboardBody": request.properties["DashboardBody"]})
        return Outcome(name, lambda _: None)

    def update(self, request: Request) -> Outcome:
        if request.changed("DashboardName"):
            raise NeedsReplacement()
        return self.create(request)

    def delete(self, request: Request) -> None:
        call(request.region, "cloudwatch", "DeleteDashboards", {"DashboardNames": [request.physical_id]})


class Bucket:
    def create(self, request: Request) -> Outcome:
        name = request.properties.get("BucketName") or request.name(63, lower=True)
        constraint = {} if request.region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": request.region}}
        call(request.region, "s3", "CreateBucket", {"Bucket": name, **constraint})
        self._configure(request, name)
        return self._outcome(request, name)

    def update(self, request: Request) -> Outcome:
        if request.changed("BucketName"):
            raise NeedsReplacement()
        self._configure(request, request.physical_id)
        return self._outcome(request, request.physical_id)

    def delete(self, request: Request) -> None:
        call(request.region, "s3", "DeleteBucket", {"Bucket": request.physical_id})

    @staticmethod
    def _configure(request: Request, name: str) -> None:
        versioning = request.properties.get("VersioningConfiguration")
        if versioning:
            call(request.region, "s3", "PutBucketVersioning", {"Bucket": name, "VersioningConfiguration": versioning})

    @staticmethod
    def _outcome(request: Request, name: str) -> Outcome:
        domain = {"DomainName": f"{name}.s3.amazonaws.com", "RegionalDomainName": f"{name}.s3.{request.region}.amazonaws.com"}
        return Outcome(name, {"Arn": f"arn:aws:s3:::{name}", **domain}.get)


class BucketPolicy:
    def create(self, request: Request) -> Outcome:
        name, document = request.properties["Bucket"], request.properties["PolicyDocument"]
        # moto applies a bucket's policy without its conditions: "deny what is not TLS" would refuse everyone.
        statements = [item for item in document["Statement"] if "Condition" not in item]
        if statements:
            call(request.region, "s3", "PutBucketPolicy", {"Bucket": name, "Policy": json.dumps({**document, "Statement": statements})})
        return Outcome(name, lambda _: None)

    update = create

    def delete(self, request: Request) -> None:
        call(request.region, "s3", "DeleteBucketPolicy", {"Bucket": request.physical_id})


class PrivateNamespace:
    def create(self, request: Request) -> Outcome:
        call(request.region, "servicediscovery", "CreatePrivateDnsNamespace", {**request.properties, "CreatorRequestId": settings.random_id()})
        namespaces = call(request.region, "servicediscovery", "ListNamespaces", {})["Namespaces"]
        found = next(item for item in namespaces if item["Name"] == request.properties["Name"])
        zone = ((found.get("Properties") or {}).get("DnsProperties") or {}).get("HostedZoneId", "")
        return Outcome(found["Id"], {"Id": found["Id"], "Arn": found["Arn"], "HostedZoneId": zone}.get)

    def update(self, request: Request) -> Outcome:
        raise NeedsReplacement()

    def delete(self, request: Request) -> None:
        call(request.region, "servicediscovery", "DeleteNamespace", {"Id": request.physical_id})


class DiscoveryService:
    def create(self, request: Request) -> Outcome:
        parameters: dict[str, Any] = {"Name": request.name(60), **request.properties, "CreatorRequestId": settings.random_id()}
        service = call(request.region, "servicediscovery", "CreateService", parameters)["Service"]
        return Outcome(service["Id"], {"Id": service["Id"], "Arn": service["Arn"], "Name": service["Name"]}.get)

    def update(self, request: Request) -> Outcome:
        raise NeedsReplacement()

    def delete(self, request: Request) -> None:
        call(request.region, "servicediscovery", "DeleteService", {"Id": request.physical_id})


OBSERVABILITY: dict[str, Provisioner] = {
    "AWS::CloudWatch::Alarm": Alarm("PutMetricAlarm"),
    "AWS::CloudWatch::CompositeAlarm": Alarm("PutCompositeAlarm"),
    "AWS::CloudWatch::Dashboard": Dashboard(),
    "AWS::KinesisFirehose::DeliveryStream": DeliveryStream(),
    "AWS::Logs::LogGroup": LogGroup(),
    "AWS::Logs::MetricFilter": MetricFilter(),
    "AWS::Logs::SubscriptionFilter": SubscriptionFilter(),
    "AWS::S3::Bucket": Bucket(),
    "AWS::S3::BucketPolicy": BucketPolicy(),
    "AWS::ServiceDiscovery::PrivateDnsNamespace": PrivateNamespace(),
    "AWS::ServiceDiscovery::Service": DiscoveryService(),
}


def patch() -> None:
    """moto keeps composite alarms and shows them, but has no action to put one: what puts a metric alarm takes its rule, too."""
    CloudWatchResponse.put_composite_alarm = CloudWatchResponse.put_metric_alarm  # type: ignore[attr-defined]
