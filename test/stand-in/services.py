"""An ECS service: keeps its tasks, rolls out deployments, rolls back, scales in."""

import math
import threading
import time
from typing import Any, Callable

import settings
from event_delivery import publish
from settings import now, scaled
from tasks import Task

_KEPT = (
    "capacityProviderStrategy",
    "deploymentConfiguration",
    "enableECSManagedTags",
    "enableExecuteCommand",
    "healthCheckGracePeriodSeconds",
    "launchType",
    "loadBalancers",
    "networkConfiguration",
    "platformVersion",
    "propagateTags",
    "serviceConnectConfiguration",
    "serviceRegistries",
    "availabilityZoneRebalancing",
)
#: After so many failures in a row ECS waits longer and longer before it tries again.
_FAILURES_AT_ONCE = 3
#: A task without a health check that lives this long counts as one that works.
_PROOF_OF_LIFE = 5.0


class Deployment:
    def __init__(self, definition: dict[str, Any], desired: int) -> None:
        self.id = f"ecs-svc/{int(settings.random_id(15), 16):019d}"
        self.definition = definition
        self.desired = desired
        self.status = "PRIMARY"
        self.rollout = "IN_PROGRESS"
        self.reason = f"ECS deployment {self.id} in progress."
        self.failures = 0
        self.not_before = 0.0
        self.created_at = now()
        self.updated_at = self.created_at

    @property
    def definition_arn(self) -> str:
        return str(self.definition["taskDefinitionArn"])

    def settle(self, rollout: str, reason: str) -> None:
        self.rollout, self.reason, self.updated_at = rollout, reason, now()


class Service:
    def __init__(self, *, region: str, cluster: dict[str, Any], request: dict[str, Any], definition: dict[str, Any], start_task: Callable[[dict[str, Any], dict[str, Any]], Task]) -> None:
        self.name: str = request["serviceName"]
        self.cluster_arn: str = cluster["clusterArn"]
        self.arn = f"{self.cluster_arn.replace(':cluster/', ':service/')}/{self.name}"
        self.status = "ACTIVE"
        self.desired = int(request.get("desiredCount") or 0)
        self.tags: list[dict[str, str]] = list(request.get("tags") or [])
        self.events: list[dict[str, Any]] = []
        self.created_at = now()
        self.last_stopped_reason = ""
        self._region = region
        self._start_task = start_task
        self._settings = {key: request[key] for key in _KEPT if request.get(key) is not None}
        self._tasks: dict[str, tuple[Task, Deployment]] = {}
        self._seen_stopped: set[str] = set()
        self._ready_since: dict[str, float] = {}
        self._proven: dict[str, Any] | None = None
        self._wake = threading.Condition(threading.RLock())
        self.deployments = [Deployment(definition, self.desired)]
        self._announce(self.deployments[0], "SERVICE_DEPLOYMENT_IN_PROGRESS")
        threading.Thread(target=self._schedule, daemon=True, name=f"service-{self.name}").start()

    # --- what the API does

    @property
    def primary(self) -> Deployment:
        return self.deployments[0]

    def update(self, request: dict[str, Any], definition: dict[str, Any] | None) -> None:
        with self._wake:
            changed = {key: request[key] for key in _KEPT if request.get(key) is not None}
            redeploys = bool(request.get("forceNewDeployment")) or any(
                self._settings.get(key) != value for key, value in changed.items() if key in ("networkConfiguration", "capacityProviderStrategy", "platformVersion", "serviceRegistries", "loadBalancers", "serviceConnectConfiguration")
            )
            self._settings.update(changed)
            if request.get("desiredCount") is not None:
                self.desired = int(request["desiredCount"])
            if redeploys or (definition is not None and definition["taskDefinitionArn"] != self.primary.definition_arn):
                self._deploy(definition or self.primary.definition)
            self._wake.notify_all()

    def delete(self) -> None:
        with self._wake:
            self.status, self.desired = "DRAINING", 0
            for task, _ in self._tasks.values():
                task.stop(f"Scaling activity initiated by (service {self.name}) deletion", "ServiceSchedulerInitiated")
            self._wake.notify_all()

    def task_changed(self) -> None:
        with self._wake:
            self._wake.notify_all()

    @property
    def steady(self) -> bool:
        with self._wake:
            return len(self.deployments) == 1 and self.primary.rollout == "COMPLETED" and self._running() == self.desired

    @property
    def failure(self) -> str | None:
        with self._wake:
            failed = next((item for item in self.deployments if item.rollout == "FAILED"), None)
            return failed.reason if failed else None

    def describe(self) -> dict[str, Any]:
        with self._wake:
            return {
                "deploymentController": {"type": "ECS"},
                "enableECSManagedTags": False,
                "enableExecuteCommand": False,
                "launchType": "FARGATE",
                "loadBalancers": [],
                "platformVersion": "LATEST",
                "propagateTags": "NONE",
                "serviceRegistries": [],
                **self._settings,
                "clusterArn": self.cluster_arn,
                "createdAt": self.created_at,
                "deployments": [self._describe(item) for item in self.deployments],
                "desiredCount": self.desired,
                "events": self.events[-100:][::-1],
                "pendingCount": self._pending(),
                "platformFamily": "Linux",
                "roleArn": f"arn:aws:iam::{settings.ACCOUNT}:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS",
                "runningCount": self._running(),
                "schedulingStrategy": "REPLICA",
                "serviceArn": self.arn,
                "serviceName": self.name,
                "status": self.status,
                "tags": self.tags,
                "taskDefinition": self.primary.definition_arn,
            }

    # --- the scheduler

    def _schedule(self) -> None:
        while True:
            with self._wake:
                self._count_stopped()
                if self.status == "DRAINING":
                    if not self._tasks:
                        self.status = "INACTIVE"
                        return
                else:
                    self._replace_unhealthy()
                    self._start_missing()
                    self._stop_surplus()
                    self._finish_deployment()
                self._wake.wait(min(0.5, max(0.05, scaled(1))))

    def _count_stopped(self) -> None:
        for task_id, (task, deployment) in list(self._tasks.items()):
            if task.ready:
                since = self._ready_since.setdefault(task_id, time.monotonic())
                if deployment.failures and (task.health == "HEALTHY" or time.monotonic() - since > scaled(_PROOF_OF_LIFE)):
                    deployment.failures = 0
            if not task.active and task_id not in self._seen_stopped:
                self._seen_stopped.add(task_id)
                self._judge(task, deployment)
            if task.last_status == "STOPPED":
                del self._tasks[task_id]

    def _judge(self, task: Task, deployment: Deployment) -> None:
        if task.stop_code in ("EssentialContainerExited", "TaskFailedToStart") or task.stopped_reason == "Task failed container health checks":
            exits = ", ".join(f"{item.name}: {item.reason or f'exit code {item.exit_code}'}" for item in task.containers if item.exit_code)
            self.last_stopped_reason = f"{task.stopped_reason}{f' ({exits})' if exits else ''}"
            self._say(f"(service {self.name}) (task {task.id}) stopped: {self.last_stopped_reason}")
            deployment.failures += 1
            if deployment.failures >= _FAILURES_AT_ONCE:
                deployment.not_before = time.monotonic() + scaled(min(60, 5 * 2 ** (deployment.failures - _FAILURES_AT_ONCE)))

    def _replace_unhealthy(self) -> None:
        for task, _ in self._tasks.values():
            if task.active and task.health == "UNHEALTHY":
                task.stop("Task failed container health checks", "ServiceSchedulerInitiated")

    def _start_missing(self) -> None:
        deployment = self.primary
        if deployment.rollout == "FAILED" or time.monotonic() < deployment.not_before:
            return
        maximum = max(1, math.floor(self.desired * self._percent("maximumPercent", 200) / 100))
        while len(self._of(deployment)) < self.desired and self._alive() < maximum:
            self._launch(deployment)

    def _launch(self, deployment: Deployment) -> None:
        request = {key: self._settings[key] for key in ("networkConfiguration", "capacityProviderStrategy", "enableExecuteCommand") if key in self._settings}
        propagated = {"SERVICE": self.tags, "TASK_DEFINITION": deployment.definition.get("tags") or []}.get(self._settings.get("propagateTags", ""), [])
        task = self._start_task(deployment.definition, {**request, "group": f"service:{self.name}", "startedBy": deployment.id, "tags": propagated})
        self._tasks[task.id] = (task, deployment)
        self._say(f"(service {self.name}) has started 1 tasks: (task {task.id}).")

    def _stop_surplus(self) -> None:
        old = [task for task, deployment in self._tasks.values() if deployment is not self.primary and task.active]
        current = self._of(self.primary)
        surplus = [task for task in current[self.desired:]] if len(current) > self.desired else []
        least = math.ceil(self.desired * self._percent("minimumHealthyPercent", 100) / 100)
        ready = sum(1 for task, _ in self._tasks.values() if task.active and task.ready)
        for task in sorted(old, key=lambda item: item.ready):
            if task.protected or (task.ready and ready <= least):
                continue
            ready -= 1 if task.ready else 0
            task.stop(f"Scaling activity initiated by (deployment {self.primary.id})", "ServiceSchedulerInitiated")
        if surplus:
            self._scale_in(current, len(surplus))

    def _scale_in(self, current: list[Task], count: int) -> None:
        """The newest first, none that protects itself."""
        for task in [item for item in reversed(current) if not item.protected][:count]:
            task.stop(f"Scaling activity initiated by (deployment {self.primary.id})", "ServiceSchedulerInitiated")

    def _finish_deployment(self) -> None:
        deployment = self.primary
        deployment.desired = self.desired
        self.deployments = [deployment] + [item for item in self.deployments[1:] if any(owner is item for _, owner in self._tasks.values())]
        if deployment.rollout == "IN_PROGRESS":
            ready = sum(1 for task in self._of(deployment) if task.ready)
            if len(self.deployments) == 1 and ready >= self.desired and len(self._tasks) <= max(self.desired, ready):
                self._complete(deployment)
            elif self._breaker("enable") and deployment.failures >= min(200, max(3, math.ceil(self.desired * 0.5))):
                self._break(deployment)

    def _complete(self, deployment: Deployment) -> None:
        deployment.settle("COMPLETED", f"ECS deployment {deployment.id} completed.")
        self._proven = deployment.definition
        self._say(f"(service {self.name}) has reached a steady state.")
        self._announce(deployment, "SERVICE_DEPLOYMENT_COMPLETED")

    def _break(self, deployment: Deployment) -> None:
        deployment.settle("FAILED", f"ECS deployment circuit breaker: tasks failed to start. {self.last_stopped_reason}")
        self._announce(deployment, "SERVICE_DEPLOYMENT_FAILED")
        if self._breaker("rollback") and self._proven is not None and self._proven is not deployment.definition:
            self._deploy(self._proven)
            self.primary.reason = f"ECS deployment circuit breaker: rolling back to deploymentId {self.primary.id}."

    def _deploy(self, definition: dict[str, Any]) -> None:
        for deployment in self.deployments:
            deployment.status = "ACTIVE"
        self.deployments.insert(0, Deployment(definition, self.desired))
        self._announce(self.primary, "SERVICE_DEPLOYMENT_IN_PROGRESS")

    # --- counting

    def _of(self, deployment: Deployment) -> list[Task]:
        return [task for task, owner in self._tasks.values() if owner is deployment and task.active]

    def _alive(self) -> int:
        return sum(1 for task, _ in self._tasks.values() if task.last_status != "STOPPED")

    def _running(self) -> int:
        return sum(1 for task, _ in self._tasks.values() if task.last_status == "RUNNING")

    def _pending(self) -> int:
        return sum(1 for task, _ in self._tasks.values() if task.last_status in ("PROVISIONING", "PENDING", "ACTIVATING"))

    def _percent(self, name: str, default: int) -> int:
        value = (self._settings.get("deploymentConfiguration") or {}).get(name)
        return default if value is None else int(value)

    def _breaker(self, name: str) -> bool:
        return bool(((self._settings.get("deploymentConfiguration") or {}).get("deploymentCircuitBreaker") or {}).get(name))

    # --- telling

    def _describe(self, deployment: Deployment) -> dict[str, Any]:
        tasks = [task for task, owner in self._tasks.values() if owner is deployment]
        return {
            "createdAt": deployment.created_at,
            "desiredCount": deployment.desired if deployment is self.primary else 0,
            "failedTasks": deployment.failures,
            "id": deployment.id,
            "launchType": "FARGATE",
            "networkConfiguration": self._settings.get("networkConfiguration"),
            "pendingCount": sum(1 for task in tasks if task.last_status in ("PROVISIONING", "PENDING")),
            "platformFamily": "Linux",
            "platformVersion": "1.4.0",
            "rolloutState": deployment.rollout,
            "rolloutStateReason": deployment.reason,
            "runningCount": sum(1 for task in tasks if task.last_status == "RUNNING"),
            "status": deployment.status,
            "taskDefinition": deployment.definition_arn,
            "updatedAt": deployment.updated_at,
        }

    def _say(self, message: str) -> None:
        self.events.append({"id": settings.random_id(32), "createdAt": now(), "message": message})

    def _announce(self, deployment: Deployment, name: str) -> None:
        detail = {
            "eventType": "ERROR" if name.endswith("FAILED") else "INFO",
            "eventName": name,
            "deploymentId": deployment.id,
            "updatedAt": settings.iso(deployment.updated_at),
            "reason": deployment.reason,
        }
        publish(self._region, "aws.ecs", "ECS Deployment State Change", detail, [self.arn])
