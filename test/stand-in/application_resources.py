"""Queues, topics, rules, schedules and parameters."""

import json
from typing import Any

import settings
from provisioning import Failure, NeedsReplacement, Outcome, Provisioner, Request, call


class Queue:
    def create(self, request: Request) -> Outcome:
        fifo = str(request.properties.get("FifoQueue")).lower() == "true"
        name = request.properties.get("QueueName") or request.name(75) + (".fifo" if fifo else "")
        tags = {"tags": request.tags}
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


def _bus(request: Request) -> dict[str, str]:
    return {"EventBusName": request.properties["EventBusName"]} if request.properties.get("EventBusName") else {}


APPLICATION: dict[str, Provisioner] = {
    "AWS::Events::Rule": Rule(),
    "AWS::SNS::Subscription": Subscription(),
    "AWS::SNS::Topic": Topic(),
    "AWS::SNS::TopicPolicy": TopicPolicy(),
    "AWS::SQS::Queue": Queue(),
    "AWS::SQS::QueuePolicy": QueuePolicy(),
    "AWS::SSM::Parameter": Parameter(),
    "AWS::Scheduler::Schedule": Schedule(),
    "AWS::Scheduler::ScheduleGroup": ScheduleGroup(),
}
