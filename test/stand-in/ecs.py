"""The ECS API over tasks that really run, since moto's own ECS knows no processes and loses most properties."""

from typing import Any

import moto.ecs.urls
from moto.applicationautoscaling.models import ApplicationAutoscalingBackend
from moto.core.responses import ActionResult, BaseResponse

import hindrances
from ecs_state import EcsState, ecs_state
from refusal import Refusal
from settings import now
from tasks import Task

_DEFAULT_CAPACITY = ["FARGATE", "FARGATE_SPOT"]


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
