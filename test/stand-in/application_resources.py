"""Functions, queues, topics, rules, schedules and the like."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import settings
from provisioning import Failure, NeedsReplacement, Outcome, Provisioner, Request, call

_CFN_RESPONSE = Path(__file__).with_name("cfn-response.cjs")


class Function:
    def create(self, request: Request) -> Outcome:
        name = request.properties.get("FunctionName") or request.name(64)
        parameters = {**self._configuration(request), "FunctionName": name, "Code": self._code(request), "Tags": _map_of_tags(request)}
        arn = call(request.region, "lambda", "CreateFunction", parameters)["FunctionArn"]
        concurrency = request.properties.get("ReservedConcurrentExecutions")
        if concurrency is not None:
            call(request.region, "lambda", "PutFunctionConcurrency", {"FunctionName": name, "ReservedConcurrentExecutions": concurrency})
        return self._outcome(name, arn)

    def update(self, request: Request) -> Outcome:
        if request.changed("FunctionName", "PackageType"):
            raise NeedsReplacement()
        name = request.physical_id
        if request.changed("Code"):
            call(request.region, "lambda", "UpdateFunctionCode", {"FunctionName": name, **self._code(request)})
        configuration = call(request.region, "lambda", "UpdateFunctionConfiguration", {**self._configuration(request), "FunctionName": name})
        return self._outcome(name, configuration["FunctionArn"])

    def delete(self, request: Request) -> None:
        call(request.region, "lambda", "DeleteFunction", {"FunctionName": request.physical_id})

    @staticmethod
    def _configuration(request: Request) -> dict[str, Any]:
        return {key: value for key, value in request.properties.items() if key not in ("Code", "Tags", "VpcConfig", "ReservedConcurrentExecutions")}

    @staticmethod
    def _code(request: Request) -> dict[str, Any]:
        code = request.properties["Code"]
        if "ZipFile" not in code:
            return {key: value for key, value in code.items() if key in ("S3Bucket", "S3Key")}
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as written:
            written.writestr("index.js", code["ZipFile"])
            written.writestr("node_modules/cfn-response.js", _CFN_RESPONSE.read_text())
        return {"ZipFile": archive.getvalue()}

    @staticmethod
    def _outcome(name: str, arn: str) -> Outcome:
        return Outcome(name, {"Arn": arn}.get)


class FunctionVersion:
    def create(self, request: Request) -> Outcome:
        published = call(request.region, "lambda", "PublishVersion", {"FunctionName": request.properties["FunctionName"]})
        return Outcome(published["FunctionArn"], {"Version": published["Version"], "FunctionArn": published["FunctionArn"]}.get)

    def update(self, request: Request) -> Outcome:
        raise NeedsReplacement()

    def delete(self, request: Request) -> None:
        pass


class FunctionPermission:
    def create(self, request: Request) -> Outcome:
        statement = request.name(100)
        call(request.region, "lambda", "AddPermission", {**request.properties, "StatementId": statement})
        return Outcome(statement, {"Id": statement}.get)

    def update(self, request: Request) -> Outcome:
        raise NeedsReplacement()

    def delete(self, request: Request) -> None:
        call(request.region, "lambda", "RemovePermission", {"FunctionName": request.properties["FunctionName"], "StatementId": request.physical_id})


class EventSourceMapping:
    def create(self, request: Request) -> Outcome:
        identifier = call(request.region, "lambda", "CreateEventSourceMapping", request.properties)["UUID"]
        return Outcome(identifier, {"Id": identifier}.get)

    def update(self, request: Request) -> Outcome:
        raise NeedsReplacement()

    def delete(self, request: Request) -> None:
        call(request.region, "lambda", "DeleteEventSourceMapping", {"UUID": request.physical_id})


class InvokeConfig:
    def create(self, request: Request) -> Outcome:
        call(request.region, "lambda", "PutFunctionEventInvokeConfig", request.properties)
        return Outcome(f"{request.properties['FunctionName']}|{request.properties['Qualifier']}", lambda _: None)

    update = create

    def delete(self, request: Request) -> None:
        call(request.region, "lambda", "DeleteFunctionEventInvokeConfig", {"FunctionName": request.properties["FunctionName"], "Qualifier": request.properties["Qualifier"]})


class Queue:
    def create(self, request: Request) -> Outcome:
        fifo = str(request.properties.get("FifoQueue")).lower() == "true"
        name = request.properties.get("QueueName") or request.name(75) + (".fifo" if fifo else "")
        tags = {"tags": _map_of_tags(request)}
        url = call(request.region, "sqs", "CreateQueue", {"QueueName": name, "Attributes": self._attributes(request), **tags})["QueueUrl"]
        return self._outcome(request, url)

    def update(self, request: Request) -> Outcome:
        if request.changed("QueueName", "FifoQueue"):
            raise NeedsReplacement()
        call(request.region, "sqs", "SetQueueAttributes", {"QueueUrl": request.physical_id, "Attributes": self._attributes(request)})
        return self._outcome(request, request.physical_id)

    def delete(self, request: Request) -> None:
        call(request.region, "sqs", "DeleteQueue", {"QueueUrl": request.physical_id})

    @staticmethod
    def _attributes(request: Request) -> dict[str, str]:
        plain = {key: value for key, value in request.properties.items() if key not in ("QueueName", "Tags")}
        return {key: json.dumps(value) if isinstance(value, dict) else str(value).lower() if isinstance(value, bool) else str(value) for key, value in plain.items()}

    @staticmethod
    def _outcome(request: Request, url: str) -> Outcome:
        name = url.rsplit("/", 1)[-1]
        arn = f"arn:aws:sqs:{request.region}:{settings.ACCOUNT}:{name}"
        return Outcome(url, {"Arn": arn, "QueueName": name, "QueueUrl": url}.get)


class QueuePolicy:
    def create(self, request: Request) -> Outcome:
        self._put(request, json.dumps(request.properties["PolicyDocument"]))
        return Outcome(request.physical_id or request.name(), {"Id": request.logical_id}.get)

    update = create

    def delete(self, request: Request) -> None:
        self._put(request, "")

    @staticmethod
    def _put(request: Request, policy: str) -> None:
        for url in request.properties["Queues"]:
            call(request.region, "sqs", "SetQueueAttributes", {"QueueUrl": url, "Attributes": {"Policy": policy}})


class Topic:
    def create(self, request: Request) -> Outcome:
        attributes = {key: str(request.properties[key]) for key in ("DisplayName", "KmsMasterKeyId", "FifoTopic") if key in request.properties}
        name = request.properties.get("TopicName") or request.name()
        arn = call(request.region, "sns", "CreateTopic", {"Name": name, "Attributes": attributes})["TopicArn"]
        for subscription in request.properties.get("Subscription") or []:
            call(request.region, "sns", "Subscribe", {**subscription, "TopicArn": arn})
        return Outcome(arn, {"TopicArn": arn, "TopicName": name}.get)

    def update(self, request: Request) -> Outcome:
        raise NeedsReplacement()

    def delete(self, request: Request) -> None:
        call(request.region, "sns", "DeleteTopic", {"TopicArn": request.physical_id})


class TopicPolicy:
    def create(self, request: Request) -> Outcome:
        for arn in request.properties["Topics"]:
            policy = json.dumps(request.properties["PolicyDocument"])
            call(request.region, "sns", "SetTopicAttributes", {"TopicArn": arn, "AttributeName": "Policy", "AttributeValue": policy})
        return Outcome(request.physical_id or request.name(), {"Id": request.logical_id}.get)

    update = create

    def delete(self, request: Request) -> None:
        pass


class Subscription:
    def create(self, request: Request) -> Outcome:
        attributes = {key: json.dumps(value) if isinstance(value, dict) else str(value) for key, value in request.properties.items() if key not in ("TopicArn", "Protocol", "Endpoint", "Region")}
        arn = call(request.region, "sns", "Subscribe", {**request.properties, "Attributes": attributes, "ReturnSubscriptionArn": True})["SubscriptionArn"]
        return Outcome(arn, {"Arn": arn}.get)

    def update(self, request: Request) -> Outcome:
        raise NeedsReplacement()

    def delete(self, request: Request) -> None:
        call(request.region, "sns", "Unsubscribe", {"SubscriptionArn": request.physical_id})


class Rule:
    def create(self, request: Request) -> Outcome:
        return self._put(request, request.properties.get("Name") or request.name(64))

    def update(self, request: Request) -> Outcome:
        if request.changed("Name", "EventBusName"):
            raise NeedsReplacement()
        self._remove_targets(request, request.old_properties)
        return self._put(request, request.physical_id)

    def delete(self, request: Request) -> None:
        self._remove_targets(request, request.properties)
        call(request.region, "events", "DeleteRule", {"Name": request.physical_id, **_bus(request)})

    @staticmethod
    def _put(request: Request, name: str) -> Outcome:
        pattern = request.properties.get("EventPattern")
        parameters = {**request.properties, "Name": name, **({"EventPattern": json.dumps(pattern)} if pattern else {})}
        arn = call(request.region, "events", "PutRule", parameters)["RuleArn"]
        targets = request.properties.get("Targets")
        if targets:
            failed = call(request.region, "events", "PutTargets", {"Rule": name, **_bus(request), "Targets": targets})["FailedEntries"]
            if failed:
                raise Failure(f"targets were refused: {failed}", name)
        return Outcome(name, {"Arn": arn}.get)

    @staticmethod
    def _remove_targets(request: Request, properties: dict[str, Any]) -> None:
        ids = [target["Id"] for target in properties.get("Targets") or []]
        if ids:
            call(request.region, "events", "RemoveTargets", {"Rule": request.physical_id, **_bus(request), "Ids": ids})


class Schedule:
    def create(self, request: Request) -> Outcome:
        name = request.properties.get("Name") or request.name(64)
        arn = call(request.region, "scheduler", "CreateSchedule", {**request.properties, "Name": name})["ScheduleArn"]
        return Outcome(name, {"Arn": arn}.get)

    def update(self, request: Request) -> Outcome:
        if request.changed("Name", "GroupName"):
            raise NeedsReplacement()
        arn = call(request.region, "scheduler", "UpdateSchedule", {**request.properties, "Name": request.physical_id})["ScheduleArn"]
        return Outcome(request.physical_id, {"Arn": arn}.get)

    def delete(self, request: Request) -> None:
        group = {"GroupName": request.properties["GroupName"]} if request.properties.get("GroupName") else {}
        call(request.region, "scheduler", "DeleteSchedule", {"Name": request.physical_id, **group})


class ScheduleGroup:
    def create(self, request: Request) -> Outcome:
        name = request.properties.get("Name") or request.name(64)
        return Outcome(name, {"Arn": call(request.region, "scheduler", "CreateScheduleGroup", {"Name": name})["ScheduleGroupArn"]}.get)

    def update(self, request: Request) -> Outcome:
        raise NeedsReplacement()

    def delete(self, request: Request) -> None:
        call(request.region, "scheduler", "DeleteScheduleGroup", {"Name": request.physical_id})


class Parameter:
    def create(self, request: Request) -> Outcome:
        name = request.physical_id or request.properties.get("Name") or request.name()
        call(request.region, "ssm", "PutParameter", {**request.properties, "Name": name, "Overwrite": True, "Tags": None})
        return Outcome(name, {"Type": request.properties.get("Type"), "Value": request.properties.get("Value")}.get)

    def update(self, request: Request) -> Outcome:
        if request.changed("Name"):
            raise NeedsReplacement()
        return self.create(request)

    def delete(self, request: Request) -> None:
        call(request.region, "ssm", "DeleteParameter", {"Name": request.physical_id})


class ScalableTarget:
    def create(self, request: Request) -> Outcome:
        answer = call(request.region, "application-autoscaling", "RegisterScalableTarget", request.properties)
        properties = request.properties
        self._reach_range(request)
        identifier = f"{properties['ResourceId']}|{properties['ScalableDimension']}|{properties['ServiceNamespace']}"
        return Outcome(identifier, {"Id": identifier, "ScalableTargetARN": answer.get("ScalableTargetARN", "")}.get)

    update = create

    def delete(self, request: Request) -> None:
        call(request.region, "application-autoscaling", "DeregisterScalableTarget", request.properties)

    @staticmethod
    def _reach_range(request: Request) -> None:
        """As AWS does when it says "minimum capacity was set to", or maximum: of a service that is there already.

        https://docs.aws.amazon.com/autoscaling/application/APIReference/API_RegisterScalableTarget.html
        """
        if request.properties["ScalableDimension"] != "ecs:service:DesiredCount":
            return
        _, cluster, name = request.properties["ResourceId"].split("/")
        [service] = call(request.region, "ecs", "DescribeServices", {"cluster": cluster, "services": [name]})["services"]
        least, most = (int(request.properties[bound]) for bound in ("MinCapacity", "MaxCapacity"))
        wanted = max(least, min(most, service["desiredCount"]))
        if service["desiredCount"] != wanted:
            call(request.region, "ecs", "UpdateService", {"cluster": cluster, "service": name, "desiredCount": wanted})


class ScalingPolicy:
    def create(self, request: Request) -> Outcome:
        answer = call(request.region, "application-autoscaling", "PutScalingPolicy", self._parameters(request))
        return Outcome(answer["PolicyARN"], {"Arn": answer["PolicyARN"], "PolicyName": request.properties["PolicyName"]}.get)

    update = create

    def delete(self, request: Request) -> None:
        call(request.region, "application-autoscaling", "DeleteScalingPolicy", self._parameters(request))

    @staticmethod
    def _parameters(request: Request) -> dict[str, Any]:
        target = request.properties.get("ScalingTargetId")
        parts = dict(zip(("ResourceId", "ScalableDimension", "ServiceNamespace"), target.split("|"))) if target else {}
        return {**request.properties, **parts}


def _bus(request: Request) -> dict[str, str]:
    return {"EventBusName": request.properties["EventBusName"]} if request.properties.get("EventBusName") else {}


def _map_of_tags(request: Request) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in request.properties.get("Tags") or []}


APPLICATION: dict[str, Provisioner] = {
    "AWS::ApplicationAutoScaling::ScalableTarget": ScalableTarget(),
    "AWS::ApplicationAutoScaling::ScalingPolicy": ScalingPolicy(),
    "AWS::Events::Rule": Rule(),
    "AWS::Lambda::EventInvokeConfig": InvokeConfig(),
    "AWS::Lambda::EventSourceMapping": EventSourceMapping(),
    "AWS::Lambda::Function": Function(),
    "AWS::Lambda::Permission": FunctionPermission(),
    "AWS::Lambda::Version": FunctionVersion(),
    "AWS::SNS::Subscription": Subscription(),
    "AWS::SNS::Topic": Topic(),
    "AWS::SNS::TopicPolicy": TopicPolicy(),
    "AWS::SQS::Queue": Queue(),
    "AWS::SQS::QueuePolicy": QueuePolicy(),
    "AWS::SSM::Parameter": Parameter(),
    "AWS::Scheduler::Schedule": Schedule(),
    "AWS::Scheduler::ScheduleGroup": ScheduleGroup(),
}
