"""The ECS API over tasks that really run. moto's own ECS knows no processes and loses most properties."""

import threading
from typing import Any, Iterable

import moto.ecs.urls
from moto.applicationautoscaling.models import ApplicationAutoscalingBackend
from moto.core.responses import ActionResult, BaseResponse

import hindrances
import settings
from refusal import Refusal
from services import Service
from settings import now
from tasks import Task

_DEFAULT_CAPACITY = ["FARGATE", "FARGATE_SPOT"]


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


class EcsResponse(BaseResponse):
    def __init__(self) -> None:
        super().__init__(service_name="ecs")
        self.automated_parameter_parsing = True

    @property
    def _state(self) -> EcsState:
        return ecs_state(self.region)

    @property
    def _request(self) -> dict[str, Any]:
        return dict(self.params)

    def create_cluster(self) -> ActionResult:
        return ActionResult({"cluster": self._state.describe_cluster(self._state.create_cluster(self._request))})

    def update_cluster(self) -> ActionResult:
        cluster = self._state.cluster(self._request["cluster"])
        cluster.update({key: value for key, value in self._request.items() if key != "cluster"})
        return ActionResult({"cluster": self._state.describe_cluster(cluster)})

    def put_cluster_capacity_providers(self) -> ActionResult:
        unknown = set(self._request.get("capacityProviders") or []) - set(_DEFAULT_CAPACITY)
        if unknown:
            raise Refusal("InvalidParameterException", f"The specified capacity provider(s) {sorted(unknown)} were not found.")
        return self.update_cluster()

    def describe_clusters(self) -> ActionResult:
        found, failures = [], []
        for reference in self._request.get("clusters") or ["default"]:
            try:
                found.append(self._state.describe_cluster(self._state.cluster(reference)))
            except Refusal:
                failures.append({"arn": reference, "reason": "MISSING"})
        return ActionResult({"clusters": found, "failures": failures})

    def list_clusters(self) -> ActionResult:
        return ActionResult({"clusterArns": [item["clusterArn"] for item in self._state.clusters.values()]})

    def delete_cluster(self) -> ActionResult:
        cluster = self._state.cluster(self._request["cluster"])
        described = self._state.describe_cluster(cluster)
        if described["activeServicesCount"]:
            raise Refusal("ClusterContainsServicesException", "The Cluster cannot be deleted while Services are active.")
        if described["runningTasksCount"] or described["pendingTasksCount"]:
            raise Refusal("ClusterContainsTasksException", "The Cluster cannot be deleted while Tasks are active.")
        del self._state.clusters[cluster["clusterName"]]
        return ActionResult({"cluster": {**described, "status": "INACTIVE"}})

    def register_task_definition(self) -> ActionResult:
        definition = self._state.register(self._request)
        return ActionResult({"taskDefinition": definition, "tags": self._state.tags[definition["taskDefinitionArn"]]})

    def describe_task_definition(self) -> ActionResult:
        definition = self._state.definition(self._request["taskDefinition"])
        tags = self._state.tags[definition["taskDefinitionArn"]] if "TAGS" in (self._request.get("include") or []) else []
        return ActionResult({"taskDefinition": definition, "tags": tags})

    def deregister_task_definition(self) -> ActionResult:
        definition = self._state.definition(self._request["taskDefinition"])
        definition.update(status="INACTIVE", deregisteredAt=now())
        return ActionResult({"taskDefinition": definition})

    def list_task_definitions(self) -> ActionResult:
        prefix, status = self._request.get("familyPrefix"), self._request.get("status") or "ACTIVE"
        found = [item for family, revisions in self._state.definitions.items() if prefix in (None, family) for item in revisions if item["status"] == status]
        arns = [item["taskDefinitionArn"] for item in found]
        return ActionResult({"taskDefinitionArns": arns[::-1] if self._request.get("sort") == "DESC" else arns})

    def list_task_definition_families(self) -> ActionResult:
        prefix = self._request.get("familyPrefix") or ""
        return ActionResult({"families": [family for family in self._state.definitions if family.startswith(prefix)]})

    def run_task(self) -> ActionResult:
        if refused := hindrances.take(self._request, "refused"):
            return ActionResult({"tasks": [], "failures": [{"reason": refused["reason"]}]})
        return ActionResult({"tasks": [item.describe() for item in self._state.run_task(self._request)], "failures": []})

    def stop_task(self) -> ActionResult:
        task = self._state.task(self._request["task"])
        task.stop(self._request.get("reason") or "Task stopped by user", "UserInitiated")
        return ActionResult({"task": task.describe()})

    def describe_tasks(self) -> ActionResult:
        cluster_arn = self._state.cluster(self._request.get("cluster"))["clusterArn"]
        with_tags = "TAGS" in (self._request.get("include") or [])
        found, failures = [], []
        for reference in self._request["tasks"]:
            task = self._state.tasks.get(reference.rsplit("/", 1)[-1])
            if task is None or task.cluster_arn != cluster_arn:
                failures.append({"arn": reference, "reason": "MISSING"})
            else:
                described = task.describe()
                found.append(described if with_tags else {**described, "tags": []})
        return ActionResult({"tasks": found, "failures": failures})

    def list_tasks(self) -> ActionResult:
        request = self._request
        cluster_arn = self._state.cluster(request.get("cluster"))["clusterArn"]
        wanted = request.get("desiredStatus") or "RUNNING"
        group = f"service:{request['serviceName'].rsplit('/', 1)[-1]}" if request.get("serviceName") else None
        arns = [
            task.arn
            for task in list(self._state.tasks.values())
            if task.cluster_arn == cluster_arn
            and task.desired_status == wanted
            and group in (None, task.group)
            and request.get("family") in (None, task.definition["family"])
            and request.get("startedBy") in (None, task.started_by)
        ]
        return ActionResult({"taskArns": arns})

    def get_task_protection(self) -> ActionResult:
        cluster_arn = self._state.cluster(self._request.get("cluster"))["clusterArn"]
        found, failures = [], []
        for reference in self._request.get("tasks") or list(self._state.tasks):
            task = self._state.tasks.get(reference.rsplit("/", 1)[-1])
            if task is None or task.cluster_arn != cluster_arn:
                failures.append({"arn": reference, "reason": "MISSING"})
            elif not task.group.startswith("service:"):
                failures.append({"arn": task.arn, "reason": "TASK_NOT_VALID"})
            else:
                found.append(_protection(task))
        return ActionResult({"protectedTasks": found, "failures": failures})

    def update_task_protection(self) -> ActionResult:
        tasks = [self._state.task(item) for item in self._request["tasks"]]
        for task in tasks:
            task.protect(int(self._request.get("expiresInMinutes") or 120) if self._request["protectionEnabled"] else None)
        return ActionResult({"protectedTasks": [_protection(item) for item in tasks], "failures": []})

    def create_service(self) -> ActionResult:
        return ActionResult({"service": self._state.create_service(self._request).describe()})

    def update_service(self) -> ActionResult:
        service = self._state.service(self._request.get("cluster"), self._request["service"])
        if service.status != "ACTIVE":
            raise Refusal("ServiceNotActiveException", "Service was not ACTIVE.")
        reference = self._request.get("taskDefinition")
        service.update(self._request, self._state.definition(reference) if reference else None)
        return ActionResult({"service": service.describe()})

    def delete_service(self) -> ActionResult:
        service = self._state.service(self._request.get("cluster"), self._request["service"])
        if service.desired > 0 and not self._request.get("force"):
            raise Refusal("InvalidParameterException", "The service cannot be stopped while it is scaled above 0.")
        service.delete()
        return ActionResult({"service": service.describe()})

    def describe_services(self) -> ActionResult:
        found, failures = [], []
        for reference in self._request["services"]:
            try:
                found.append(self._state.service(self._request.get("cluster"), reference).describe())
            except Refusal:
                failures.append({"arn": reference, "reason": "MISSING"})
        return ActionResult({"services": found, "failures": failures})

    def list_services(self) -> ActionResult:
        cluster_arn = self._state.cluster(self._request.get("cluster"))["clusterArn"]
        return ActionResult({"serviceArns": [item.arn for item in self._state.services.values() if item.cluster_arn == cluster_arn and item.status == "ACTIVE"]})

    def tag_resource(self) -> ActionResult:
        tags = self._state.tags.setdefault(self._request["resourceArn"], [])
        keys = {item["key"] for item in self._request["tags"]}
        tags[:] = [item for item in tags if item["key"] not in keys] + list(self._request["tags"])
        return ActionResult({})

    def list_tags_for_resource(self) -> ActionResult:
        return ActionResult({"tags": self._state.tags.get(self._request["resourceArn"], [])})


def _protection(task: Task) -> dict[str, Any]:
    return {"taskArn": task.arn, "protectionEnabled": task.protected, "expirationDate": task.protected_until}


def _service_exists(backend: ApplicationAutoscalingBackend, resource_id: str) -> bool:
    """moto's auto scaling would ask moto's own ECS, which has no services."""
    _, cluster, name = resource_id.split("/")
    return ecs_state(backend.region_name).service(cluster, name) is not None


def patch() -> None:
    ApplicationAutoscalingBackend._ecs_service_exists_for_target = _service_exists  # type: ignore[method-assign]
    moto.ecs.urls.url_paths = {"{0}/$": EcsResponse.dispatch}
