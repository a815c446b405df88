"""A task: its containers in the order of `dependsOn`, from PROVISIONING to STOPPED."""

import threading
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Callable

import pulls
import settings
from containers import Container, StartFailure
from event_delivery import publish
from hindrances import take
from memory_limits import MemoryLimit
from recorder import callers
from settings import iso, now
from task_containers import agent_environment, given_environment, mounts, own_ports, prepared
from task_secrets import SecretUnavailable


class Task:
    def __init__(self, *, region: str, cluster: dict[str, Any], definition: dict[str, Any], request: dict[str, Any], changed: Callable[["Task"], None]) -> None:
        self.id = settings.random_id(32)
        self.region = region
        self.definition = definition
        self.arn = f"{cluster['clusterArn'].replace(':cluster/', ':task/')}/{self.id}"
        self.cluster_arn: str = cluster["clusterArn"]
        self.group: str = request.get("group") or f"family:{definition['family']}"
        self.started_by: str = request.get("startedBy") or ""
        self.tags: list[dict[str, str]] = list(request.get("tags") or [])
        self.overrides: dict[str, Any] = request.get("overrides") or {}
        self.request = request
        self.last_status = "PROVISIONING"
        self.desired_status = "RUNNING"
        self.stop_code: str | None = None
        self.stopped_reason: str | None = None
        self.times: dict[str, datetime] = {"createdAt": now()}
        self.version = 1
        self.protected_until: datetime | None = None
        self.token = settings.random_id(40)
        self.directory = settings.DIRECTORY / "tasks" / self.id
        self._changed = changed
        self._hindrance = take(request, "unplaced", "failed", "unpulled") or {"how": None}
        self._wake = threading.Condition()
        self._mounts_of: dict[str, dict[str, Path]] = {}
        overrides = {item["name"]: item for item in self.overrides.get("containerOverrides") or []}
        self._overrides: dict[str, dict[str, Any]] = {item["name"]: overrides.get(item["name"], {}) for item in definition["containerDefinitions"]}
        self.limit = MemoryLimit(self.id, self.memory)
        self._ports = own_ports(definition["containerDefinitions"])
        self.containers = [
            Container(self.arn, region, prepared(item, self._overrides[item["name"]], self._ports), self.directory / item["name"], self.limit, self._wake_up)
            for item in definition["containerDefinitions"]
        ]

    # --- what others ask

    @property
    def task_role_arn(self) -> str:
        return self.overrides.get("taskRoleArn") or self.definition.get("taskRoleArn") or ""

    @property
    def active(self) -> bool:
        return self.desired_status == "RUNNING" and self.last_status != "STOPPED"

    @property
    def protected(self) -> bool:
        return self.protected_until is not None and self.protected_until > now()

    @property
    def health(self) -> str:
        checks = [item.health for item in self.containers if item.essential and item.has_health_check]
        if not checks:
            return "UNKNOWN"
        return "UNHEALTHY" if "UNHEALTHY" in checks else "UNKNOWN" if "UNKNOWN" in checks else "HEALTHY"

    @property
    def ready(self) -> bool:
        """Running, and healthy if it says what that means."""
        checked = any(item.essential and item.has_health_check for item in self.containers)
        return self.last_status == "RUNNING" and self.health == ("HEALTHY" if checked else "UNKNOWN")

    @property
    def network(self) -> dict[str, Any]:
        return (self.request.get("networkConfiguration") or {}).get("awsvpcConfiguration") or {}

    @property
    def memory(self) -> int:
        """In MiB."""
        return int(self.overrides.get("memory") or self.definition.get("memory") or 512)

    def describe(self) -> dict[str, Any]:
        described = {
            "attachments": _attachments(self.id, self.network),
            "attributes": [{"name": "ecs.cpu-architecture", "value": (self.definition.get("runtimePlatform") or {}).get("cpuArchitecture", "X86_64").lower()}],
            "availabilityZone": f"{self.region}a",
            "clusterArn": self.cluster_arn,
            "connectivity": "CONNECTED",
            "containers": [self._container(item) for item in self.containers],
            "cpu": str(self.overrides.get("cpu") or self.definition.get("cpu") or "256"),
            "desiredStatus": self.desired_status,
            "ephemeralStorage": self.overrides.get("ephemeralStorage") or self.definition.get("ephemeralStorage") or {"sizeInGiB": 20},
            "enableExecuteCommand": bool(self.request.get("enableExecuteCommand")),
            "group": self.group,
            "healthStatus": self.health,
            "lastStatus": self.last_status,
            "launchType": "FARGATE",
            "memory": str(self.memory),
            "overrides": {"containerOverrides": [{"name": item.name, **self._overrides[item.name]} for item in self.containers], **self.overrides},
            "platformFamily": "Linux",
            "platformVersion": "1.4.0",
            "startedBy": self.started_by,
            "tags": self.tags,
            "taskArn": self.arn,
            "taskDefinitionArn": self.definition["taskDefinitionArn"],
            "version": self.version,
            **self.times,
        }
        strategy = self.request.get("capacityProviderStrategy")
        if strategy:
            described["capacityProviderName"] = max(strategy, key=lambda item: (item.get("base") or 0, item.get("weight") or 0))["capacityProvider"]
        if self.stop_code:
            described.update(stopCode=self.stop_code, stoppedReason=self.stopped_reason)
        return described

    # --- what others do

    def start(self) -> None:
        threading.Thread(target=self._live, daemon=True, name=f"task-{self.id}").start()

    def stop(self, reason: str, code: str) -> None:
        with self._wake:
            if self.desired_status == "STOPPED":
                return
            self.desired_status = "STOPPED"
            self.stop_code, self.stopped_reason = code, reason
            self._wake.notify_all()

    def kill(self) -> None:
        for container in self.containers:
            container.kill()

    def protect(self, minutes: int | None) -> None:
        # Not compressed: who asks for it counts the minutes by its own clock, and renews it in time.
        self.protected_until = None if minutes is None else now() + timedelta(minutes=minutes)

    # --- its life

    def _live(self) -> None:
        self._move("PROVISIONING")
        if self._hindrance["how"] in ("unplaced", "failed"):
            self._never_placed()
            return
        self._move("PENDING", "pullStartedAt")
        try:
            for item in self.containers:
                pulls.check(item.definition.get("image") or "")
            self._pull()
            self.times["pullStoppedAt"] = now()
            environments = {item.name: self._environment(item) for item in self.containers}
            self._mounts_of = {item.name: mounts(item.definition, self.directory) for item in self.containers}
            self._run(environments)
        except (pulls.CannotPull, SecretUnavailable, StartFailure) as failure:
            self.stop(str(failure), "TaskFailedToStart")
        self.desired_status = "STOPPED"
        self._move("DEACTIVATING")
        self._move("STOPPING", "stoppingAt")
        self._stop_containers()
        self.limit.remove()
        self._move("DEPROVISIONING", "executionStoppedAt")
        self._move("STOPPED", "stoppedAt")

    def _never_placed(self) -> None:
        if self._hindrance["how"] == "failed":
            self.containers = []
            self.stop(self._hindrance["reason"], "TaskFailedToStart")
        with self._wake:
            self._wake.wait_for(lambda: self.desired_status == "STOPPED")
        self._move("STOPPED", "stoppedAt")

    def _pull(self) -> None:
        if self._hindrance["how"] == "unpulled":
            for container in self.containers:
                container.status, container.reason = "STOPPED", self._hindrance["reason"]
            raise StartFailure(self._hindrance["reason"])

    def _run(self, environments: dict[str, dict[str, str]]) -> None:
        waiting = list(self.containers)
        while True:
            for container in [item for item in waiting if self._may_start(item)]:
                container.start(environments[container.name], self._mounts_of[container.name])
                waiting.remove(container)
            if not waiting and self.last_status == "PENDING":
                self._move("RUNNING", "startedAt")
            with self._wake:
                if self.desired_status == "STOPPED":
                    return
                ended = [item for item in self.containers if item.stopped]
                if any(item.essential for item in ended) or len(ended) == len(self.containers):
                    self.desired_status = "STOPPED"
                    self.stop_code, self.stopped_reason = "EssentialContainerExited", "Essential container in task exited"
                    return
                self._wake.wait(0.25)

    def _may_start(self, container: Container) -> bool:
        by_name = {item.name: item for item in self.containers}
        for dependency in container.definition.get("dependsOn") or []:
            other, condition = by_name[dependency["containerName"]], dependency.get("condition", "START")
            if (condition == "SUCCESS" and other.stopped and other.exit_code != 0) or (condition == "HEALTHY" and (other.stopped or other.health == "UNHEALTHY")):
                raise StartFailure(f"container {container.name} waits for {other.name} to be {condition}, which cannot happen any more")
            met = {
                "START": other.status != "PENDING",
                "COMPLETE": other.stopped,
                "SUCCESS": other.stopped and other.exit_code == 0,
                "HEALTHY": other.health == "HEALTHY",
            }[condition]
            if not met:
                return False
        return True

    def _stop_containers(self) -> None:
        """In the reverse of the order in which they were started."""
        remaining = list(self.containers)
        while remaining:
            names = {dependency["containerName"] for item in remaining for dependency in item.definition.get("dependsOn") or []}
            batch = [item for item in remaining if item.name not in names] or remaining
            for container in batch:
                container.stop()
            for container in batch:
                container.wait_stopped()
            remaining = [item for item in remaining if item not in batch]

    def _environment(self, container: Container) -> dict[str, str]:
        given = given_environment(container.definition, self._overrides[container.name], self._ports, self.region)
        return {**given, **agent_environment(container.name, self.region, self.token, self.task_role_arn)}

    def credentials(self) -> dict[str, str]:
        issued = callers.issue(kind="task", task=self.arn, role=self.task_role_arn)
        return {**issued, "RoleArn": self.task_role_arn, "Expiration": iso(now() + timedelta(hours=6))}

    def _container(self, container: Container) -> dict[str, Any]:
        described = {
            "containerArn": f"{self.arn.replace(':task/', ':container/')}/{container.runtime_id}",
            "cpu": str(container.definition.get("cpu") or 0),
            "healthStatus": container.health,
            "image": container.definition.get("image", ""),
            "lastStatus": container.status,
            "name": container.name,
            "networkBindings": [{"containerPort": port, "hostPort": own} for port, own in self._ports.items()],
            "networkInterfaces": [],
            "runtimeId": f"{self.id}-{container.runtime_id[:10]}",
            "taskArn": self.arn,
        }
        if container.exit_code is not None:
            described["exitCode"] = container.exit_code
        if container.reason:
            described["reason"] = container.reason
        return described

    def _move(self, status: str, moment: str | None = None) -> None:
        self.last_status = status
        self.version += 1
        if moment:
            self.times[moment] = now()
        self._tell()

    def _wake_up(self) -> None:
        with self._wake:
            self._wake.notify_all()
        if self.last_status == "RUNNING":
            self.version += 1
            self._tell()

    def _tell(self) -> None:
        detail = {key: iso(value) if isinstance(value, datetime) else value for key, value in self.describe().items() if key != "tags"}
        detail["updatedAt"] = iso(now())
        publish(self.region, "aws.ecs", "ECS Task State Change", detail, [self.arn])
        self._changed(self)


def _attachments(task_id: str, configuration: dict[str, Any]) -> list[dict[str, Any]]:
    subnets = configuration.get("subnets") or []
    if not subnets:
        return []
    details = {"subnetId": subnets[0], "networkInterfaceId": f"eni-{task_id[:17]}", "privateIPv4Address": "127.0.0.1"}
    return [{"id": task_id, "type": "ElasticNetworkInterface", "status": "ATTACHED", "details": [{"name": name, "value": value} for name, value in details.items()]}]
