"""What a task's containers run with: programs of their images, environments, directories, and ports of the task's own."""

import re
import socket
from pathlib import Path
from typing import Any

import settings
from task_secrets import resolve

#: Two workers on one machine cannot both listen on the port that each has alone in AWS.
_PORT_VARIABLE = "PREFECT_WORKER_WEBSERVER_PORT"


def own_ports(containers: list[dict[str, Any]]) -> dict[int, int]:
    """A free port for each on which an image of these containers listens."""
    return {port: _free_port() for item in containers for port in _image(item).get("ports", [])}


def prepared(container: dict[str, Any], override: dict[str, Any], ports: dict[int, int]) -> dict[str, Any]:
    """The container of a definition as the task runs it."""
    return _with_own_ports({**_with_programs(container), **_given(override)}, ports)


def given_environment(container: dict[str, Any], override: dict[str, Any], ports: dict[int, int], region: str) -> dict[str, str]:
    """The variables and secrets of definition and override."""
    variables = {item["name"]: item.get("value", "") for item in container.get("environment") or []}
    variables.update({item["name"]: item.get("value", "") for item in override.get("environment") or []})
    variables.update({item["name"]: resolve(item["valueFrom"], region) for item in container.get("secrets") or []})
    variables = {name: _on_own_loopback(value, ports) for name, value in variables.items()}
    if _PORT_VARIABLE in variables:
        variables[_PORT_VARIABLE] = str(_free_port())
    return variables


def agent_environment(name: str, region: str, token: str, role_arn: str) -> dict[str, str]:
    """The variables that Fargate gives to the container of this name."""
    here = f"{settings.endpoint()}/_stand-in/tasks/{token}"
    return {
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_ENDPOINT_URL": settings.endpoint(),
        "AWS_EXECUTION_ENV": "AWS_ECS_FARGATE",
        "AWS_EC2_METADATA_DISABLED": "true",
        "ECS_AGENT_URI": here,
        "ECS_CONTAINER_METADATA_URI": f"{here}/v3/{name}",
        "ECS_CONTAINER_METADATA_URI_V4": f"{here}/v4/{name}",
        **({"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{here}/credentials"} if role_arn else {}),
    }


def mounts(container: dict[str, Any], directory: Path) -> dict[str, Path]:
    """The directories that stand for the container's volumes, by the paths where it mounts them."""
    found = {}
    for mount in container.get("mountPoints") or []:
        volume = directory / "volumes" / mount["sourceVolume"]
        volume.mkdir(parents=True, exist_ok=True)
        found[mount["containerPath"].rstrip("/")] = volume
    return found


def _image(container: dict[str, Any]) -> dict[str, Any]:
    return settings.IMAGES.get(container.get("image") or "", {})


def _with_programs(container: dict[str, Any]) -> dict[str, Any]:
    """The container with the programs that its image holds."""
    image = _image(container)
    health = container.get("healthCheck")
    if health and health["command"][1:2] and health["command"][1] in image.get("programs", {}):
        kind, program, *arguments = health["command"]
        health = {**health, "command": [kind, *image["programs"][program], *arguments]}
    return {**container, "entryPoint": container.get("entryPoint") or image.get("entryPoint"), "healthCheck": health}


def _given(override: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in override.items() if key in ("command", "cpu", "memory") and value is not None}


def _with_own_ports(container: dict[str, Any], ports: dict[int, int]) -> dict[str, Any]:
    """The container with the task's own ports where its command names those of its image: as an argument, and on the loopback."""

    def own(argument: str) -> str:
        for port, replacement in ports.items():
            argument = str(replacement) if argument == str(port) else _on_own_loopback(argument, {port: replacement})
        return argument

    health = container.get("healthCheck")
    return {
        **container,
        "command": [own(argument) for argument in container.get("command") or []],
        "healthCheck": health and {**health, "command": [own(argument) for argument in health["command"]]},
    }


def _on_own_loopback(text: str, ports: dict[int, int]) -> str:
    for port, own in ports.items():
        text = re.sub(rf"127\.0\.0\.1:{port}(?!\d)", f"127.0.0.1:{own}", text)
    return text


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
