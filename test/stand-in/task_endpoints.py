"""What a task finds at its own addresses: credentials, metadata, scale-in protection."""

import json
from typing import Any

import boto3

import settings
from settings import iso
from tasks import Task


def answer(task: Task, method: str, path: str, body: bytes) -> tuple[int, Any]:
    if path == "credentials":
        return 200, task.credentials()
    if path == "task-protection/v1/state":
        return _protection(task, method, body)
    if path.startswith(("v3/", "v4/")):
        _, name, *rest = path.split("/")
        return (200, _task(task)) if rest[:1] == ["task"] else (200, _container(task, name))
    return 404, {"message": f"the stand-in has no {path} for tasks"}


def _protection(task: Task, method: str, body: bytes) -> tuple[int, Any]:
    if method == "PUT":
        request = json.loads(body or b"{}")
        if not isinstance(request.get("ProtectionEnabled"), bool):
            return 400, {"error": {"Arn": task.arn, "Code": "InvalidParameterException", "Message": "Invalid request: does not contain 'ProtectionEnabled' field"}}
        _ask_ecs(task, request)
    state: dict[str, Any] = {"ProtectionEnabled": task.protected, "TaskArn": task.arn}
    if task.protected and task.protected_until:
        state["ExpirationDate"] = iso(task.protected_until)
    return 200, {"protection": state}


def _ask_ecs(task: Task, request: dict[str, Any]) -> None:
    """The agent calls the API in the name of the task's role."""
    credentials = task.credentials()
    client = boto3.Session().client(
        "ecs",
        region_name=task.region,
        endpoint_url=settings.endpoint(),
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials["Token"],
    )
    expiry = {"expiresInMinutes": int(request["ExpiresInMinutes"])} if request.get("ExpiresInMinutes") else {}
    client.update_task_protection(cluster=task.cluster_arn, tasks=[task.arn], protectionEnabled=request["ProtectionEnabled"], **expiry)


def _task(task: Task) -> dict[str, Any]:
    family, revision = task.definition["taskDefinitionArn"].rsplit("/", 1)[-1].split(":")
    return {
        "Cluster": task.cluster_arn,
        "TaskARN": task.arn,
        "Family": family,
        "Revision": revision,
        "DesiredStatus": task.desired_status,
        "KnownStatus": task.last_status,
        "AvailabilityZone": f"{task.region}a",
        "LaunchType": "FARGATE",
        "Limits": {"CPU": int(task.definition.get("cpu") or 256) / 1024, "Memory": task.memory},
        "Containers": [_container(task, item.name) for item in task.containers],
        **({"ServiceName": task.group.split(":", 1)[1]} if task.group.startswith("service:") else {}),
    }


def _container(task: Task, name: str) -> dict[str, Any]:
    container = next(item for item in task.containers if item.name == name)
    family, revision = task.definition["taskDefinitionArn"].rsplit("/", 1)[-1].split(":")
    return {
        "DockerId": f"{task.id}-{container.runtime_id[:10]}",
        "Name": name,
        "DockerName": name,
        "Image": container.definition.get("image", ""),
        "Labels": {
            "com.amazonaws.ecs.cluster": task.cluster_arn,
            "com.amazonaws.ecs.container-name": name,
            "com.amazonaws.ecs.task-arn": task.arn,
            "com.amazonaws.ecs.task-definition-family": family,
            "com.amazonaws.ecs.task-definition-version": revision,
        },
        "DesiredStatus": task.desired_status,
        "KnownStatus": container.status,
        "Type": "NORMAL",
        "Health": {"status": container.health},
    }
