"""Events of AWS services on the default bus, and delivery to the targets of rules and schedules."""

import json
import logging
import re
import threading
from datetime import datetime, timezone
from typing import Any

from moto.awslambda.utils import get_backend as lambda_backend
from moto.events.models import Rule, events_backends
from moto.logs.models import logs_backends
from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends

import settings

_log = logging.getLogger("stand-in.events")


def publish(region: str, source: str, detail_type: str, detail: dict[str, Any], resources: list[str]) -> None:
    event = {
        "version": "0",
        "id": settings.random_id(32),
        "detail-type": detail_type,
        "source": source,
        "account": settings.ACCOUNT,
        "time": settings.now().timestamp(),
        "region": region,
        "resources": resources,
        "detail": json.loads(json.dumps(detail)),
    }
    bus = events_backends[settings.ACCOUNT][region].describe_event_bus("default")
    for rule in list(bus.rules.values()):
        rule.send_to_targets(event)


def send(region: str, target: dict[str, Any], event: Any, source_arn: str) -> None:
    """To one target; what cannot be delivered goes to the target's dead-letter queue, as on AWS."""
    try:
        _deliver(region, target["Arn"], target, _input(target, event))
    except Exception as error:  # noqa: BLE001 - a delivery never breaks what caused the event
        _log.warning("%s could not deliver to %s: %s", source_arn, target["Arn"], error)
        dead_letters = (target.get("DeadLetterConfig") or {}).get("Arn")
        if dead_letters:
            _deliver(region, dead_letters, {}, event)


def _input(target: dict[str, Any], event: Any) -> Any:
    if target.get("Input"):
        return json.loads(target["Input"])
    if target.get("InputPath"):
        return _at(event, target["InputPath"])
    if target.get("InputTransformer"):
        return _transform(event, target["InputTransformer"])
    return event


def _at(event: Any, path: str) -> Any:
    for part in path.removeprefix("$").strip(".").split("."):
        event = event.get(part, "") if part else event
    return event


def _transform(event: Any, transformer: dict[str, Any]) -> Any:
    """moto's own wants a field that events of AWS services don't have, and takes no template of several lines."""
    values = {name: _at(event, path) for name, path in (transformer.get("InputPathsMap") or {}).items()}

    def fill(placeholder: re.Match[str]) -> str:
        value = values.get(placeholder[1], "")
        return value if isinstance(value, str) else json.dumps(value)

    text = re.sub(r"<([^<>]+)>", fill, transformer["InputTemplate"])
    try:
        return json.loads(text)
    except ValueError:
        return text


def _deliver(region: str, arn: str, target: dict[str, Any], body: Any) -> None:
    service, name = arn.split(":")[2], arn.split(":")[-1]
    text = body if isinstance(body, str) else json.dumps(body)
    if service == "sqs":
        group = (target.get("SqsParameters") or {}).get("MessageGroupId")
        sqs_backends[settings.ACCOUNT][region].send_message(queue_name=name, message_body=text, group_id=group)
    elif service == "lambda":
        function = lambda_backend(settings.ACCOUNT, region).get_function(arn)
        threading.Thread(target=function.invoke, args=(text, {"x-amz-invocation-type": "Event"}, {}), daemon=True).start()
    elif service == "sns":
        sns_backends[settings.ACCOUNT][region].publish(message=text, arn=arn)
    elif service == "logs":
        group, stream = arn.split(":log-group:")[1].removesuffix(":*"), settings.random_id()
        logs = logs_backends[settings.ACCOUNT][region]
        logs.create_log_stream(group, stream)
        logs.put_log_events(group, stream, [{"timestamp": int(settings.now().timestamp() * 1000), "message": text}])
    elif service == "scheduler":
        from provisioning import call

        api, operation = arn.split(":")[-2:]
        call(region, api, operation[0].upper() + operation[1:], body if isinstance(body, dict) else {})
    elif service == "ecs":
        from ecs_state import ecs_state

        ecs_state(region).run_task(_run_task_request(arn, target, body))
    else:
        raise NotImplementedError(f"the stand-in has no delivery to {service}")


def _run_task_request(cluster: str, target: dict[str, Any], body: Any) -> dict[str, Any]:
    parameters = {key[0].lower() + key[1:]: value for key, value in (target.get("EcsParameters") or {}).items()}
    network = (parameters.get("networkConfiguration") or {}).get("awsvpcConfiguration") or {}
    return {
        "cluster": cluster,
        "taskDefinition": parameters["taskDefinitionArn"],
        "count": parameters.get("taskCount") or 1,
        "networkConfiguration": {"awsvpcConfiguration": {key[0].lower() + key[1:]: value for key, value in network.items()}},
        "overrides": body if isinstance(body, dict) and "containerOverrides" in body else {},
        "startedBy": "events-rule",
    }


def _send_to_targets(rule: Rule, original_event: Any, transform_input: bool = True) -> None:
    pattern = rule.event_pattern
    if rule.state != "ENABLED" or not pattern.get_pattern() or not pattern.matches_event(original_event):
        return
    event = {**original_event, "time": _instant(original_event.get("time"))}
    for target in rule.targets:
        send(rule.region_name, target, event, rule.arn)


def _instant(value: Any) -> str:
    moment = datetime.fromtimestamp(float(value), timezone.utc) if isinstance(value, (int, float)) else settings.now()
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def patch() -> None:
    """moto delivers to queues, log groups and buses only, and fails the sender when a target is another one."""
    Rule.send_to_targets = _send_to_targets  # type: ignore[method-assign]
