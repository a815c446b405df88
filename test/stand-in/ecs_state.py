"""What ECS holds in a region: clusters, task definitions, tasks and services."""

import threading
from typing import Any, Iterable

import settings
from refusal import Refusal
from services import Service
from settings import now
from tasks import Task


class EcsState:
    def __init__(self, region: str) -> None:
        self.region = region
        self.clusters: dict[str, dict[str, Any]] = {}
        self.definitions: dict[str, list[dict[str, Any]]] = {}
        self.tasks: dict[str, Task] = {}
        self.services: dict[str, Service] = {}
        self.tags: dict[str, list[dict[str, str]]] = {}
        self.lock = threading.RLock()

    # --- clusters and definitions

    def create_cluster(self, request: dict[str, Any]) -> dict[str, Any]:
        name = request.get("clusterName") or "default"
        arn = f"arn:aws:ecs:{self.region}:{settings.ACCOUNT}:cluster/{name}"
        cluster = self.clusters.setdefault(name, {"clusterName": name, "clusterArn": arn, "status": "ACTIVE"})
        cluster.update({key: value for key, value in request.items() if key not in ("clusterName", "tags") and value is not None})
        self.tags[arn] = list(request.get("tags") or [])
        return cluster

    def cluster(self, reference: str | None) -> dict[str, Any]:
        name = (reference or "default").rsplit("/", 1)[-1]
        if name not in self.clusters:
            raise Refusal("ClusterNotFoundException", "Cluster not found.")
        return self.clusters[name]

    def describe_cluster(self, cluster: dict[str, Any]) -> dict[str, Any]:
        arn = cluster["clusterArn"]
        running = [item for item in self.tasks.values() if item.cluster_arn == arn]
        return {
            "settings": [{"name": "containerInsights", "value": "disabled"}],
            "capacityProviders": [],
            "defaultCapacityProviderStrategy": [],
            **cluster,
            "activeServicesCount": sum(1 for item in self.services.values() if item.cluster_arn == arn and item.status == "ACTIVE"),
            "runningTasksCount": sum(1 for item in running if item.last_status == "RUNNING"),
            "pendingTasksCount": sum(1 for item in running if item.last_status in ("PROVISIONING", "PENDING")),
            "registeredContainerInstancesCount": 0,
            "tags": self.tags.get(arn, []),
        }

    def register(self, request: dict[str, Any]) -> dict[str, Any]:
        _check_definition(request)
        with self.lock:
            revisions = self.definitions.setdefault(request["family"], [])
            revision = len(revisions) + 1
            arn = f"arn:aws:ecs:{self.region}:{settings.ACCOUNT}:task-definition/{request['family']}:{revision}"
            definition = {
                "volumes": [],
                "placementConstraints": [],
                "compatibilities": ["EC2", "FARGATE"],
                "networkMode": "awsvpc",
                **{key: value for key, value in request.items() if key != "tags" and value is not None},
                "containerDefinitions": [_with_defaults(item) for item in request["containerDefinitions"]],
                "taskDefinitionArn": arn,
                "revision": revision,
                "status": "ACTIVE",
                "registeredAt": now(),
            }
            revisions.append(definition)
            self.tags[arn] = list(request.get("tags") or [])
            return definition

    def definition(self, reference: str) -> dict[str, Any]:
        family, _, revision = reference.rsplit("/", 1)[-1].partition(":")
        found = [item for item in self.definitions.get(family, []) if (str(item["revision"]) == revision if revision else item["status"] == "ACTIVE")]
        if not found:
            raise Refusal("ClientException", "Unable to describe task definition.")
        return found[-1]

    # --- tasks

    def run_task(self, request: dict[str, Any]) -> list[Task]:
        cluster = self.cluster(request.get("cluster"))
        definition = self.definition(request["taskDefinition"])
        if definition["status"] != "ACTIVE":
            raise Refusal("ClientException", "TaskDefinition is inactive")
        if not ((request.get("networkConfiguration") or {}).get("awsvpcConfiguration") or {}).get("subnets"):
            raise Refusal("InvalidParameterException", "Network Configuration must be provided when networkMode 'awsvpc' is specified.")
        names = {item["name"] for item in definition["containerDefinitions"]}
        for override in (request.get("overrides") or {}).get("containerOverrides") or []:
            if override.get("name") not in names:
                raise Refusal("InvalidParameterException", "Override for container named " f"{override.get('name')} is not a container in the TaskDefinition.")
        propagated = self.tags.get(definition["taskDefinitionArn"], []) if request.get("propagateTags") == "TASK_DEFINITION" else []
        tags = [*{tag["key"]: tag for tag in [*propagated, *(request.get("tags") or [])]}.values()]
        return [self.start_task(cluster, definition, {**request, "tags": tags}) for _ in range(int(request.get("count") or 1))]

    def start_task(self, cluster: dict[str, Any], definition: dict[str, Any], request: dict[str, Any]) -> Task:
        task = Task(region=self.region, cluster=cluster, definition=definition, request=request, changed=self._task_changed)
        self.tasks[task.id] = task
        task.start()
        return task

    def task(self, reference: str) -> Task:
        task = self.tasks.get(reference.rsplit("/", 1)[-1])
        if task is None:
            raise Refusal("InvalidParameterException", "The referenced task was not found.")
        return task

    def _task_changed(self, task: Task) -> None:
        if task.group.startswith("service:"):
            name = task.group.split(":", 1)[1]
            service = self.services.get(_service_key(task.cluster_arn, name))
            if service is not None:
                service.task_changed()

    # --- services

    def create_service(self, request: dict[str, Any]) -> Service:
        cluster = self.cluster(request.get("cluster"))
        definition = self.definition(request["taskDefinition"])
        key = _service_key(cluster["clusterArn"], request["serviceName"])
        if key in self.services and self.services[key].status == "ACTIVE":
            raise Refusal("InvalidParameterException", "Creation of service was not idempotent.")

        def start(wanted: dict[str, Any], task_request: dict[str, Any]) -> Task:
            return self.start_task(cluster, wanted, task_request)

        service = Service(region=self.region, cluster=cluster, request=request, definition=definition, start_task=start)
        self.services[key] = service
        return service

    def service(self, cluster: str | None, reference: str) -> Service:
        key = _service_key(self.cluster(cluster)["clusterArn"], reference.rsplit("/", 1)[-1])
        if key not in self.services:
            raise Refusal("ServiceNotFoundException", "Service not found.")
        return self.services[key]


_states: dict[str, EcsState] = {}


def ecs_state(region: str) -> EcsState:
    return _states.setdefault(region, EcsState(region))


def all_tasks() -> Iterable[Task]:
    return [task for state in list(_states.values()) for task in list(state.tasks.values())]


def task(task_id: str) -> Task:
    return next(item for item in all_tasks() if item.id == task_id)


def _service_key(cluster_arn: str, name: str) -> str:
    return f"{cluster_arn.rsplit('/', 1)[-1]}/{name}"


def _with_defaults(container: dict[str, Any]) -> dict[str, Any]:
    check = container.get("healthCheck")
    defaults = {"cpu": 0, "essential": True, "environment": [], "mountPoints": [], "portMappings": [], "volumesFrom": []}
    filled = {**defaults, **{key: value for key, value in container.items() if value is not None}}
    if check:
        filled["healthCheck"] = {"interval": 30, "timeout": 5, "retries": 3, **check}
    return filled


def _check_definition(request: dict[str, Any]) -> None:
    containers = request.get("containerDefinitions") or []
    fargate = "FARGATE" in (request.get("requiresCompatibilities") or [])
    if not containers:
        raise Refusal("ClientException", "Container list cannot be empty.")
    if fargate and not (request.get("cpu") and request.get("memory")):
        raise Refusal("ClientException", "Task definition does not have cpu and memory, which Fargate requires at task level.")
    if fargate and any(item.get("secrets") or (item.get("logConfiguration") or {}).get("logDriver") == "awslogs" for item in containers) and not request.get("executionRoleArn"):
        raise Refusal("ClientException", "Fargate requires task definition to have execution role ARN to support log driver awslogs and secrets.")
    names = {item.get("name") for item in containers}
    for item in containers:
        for dependency in item.get("dependsOn") or []:
            if dependency["containerName"] not in names:
                raise Refusal("ClientException", f"Container {item.get('name')} depends on {dependency['containerName']}, which is not in the task definition.")
