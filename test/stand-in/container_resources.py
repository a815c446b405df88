"""ECS and what belongs to it."""

import time
from typing import Any

import settings
from ecs_state import ecs_state
from provisioning import Failure, NeedsReplacement, Outcome, Provisioner, Request, call
from services import Service

#: How long a service may take to become steady; CloudFormation itself waits three hours.
_PATIENCE = 600.0
_LEAST_PATIENCE = 120.0


class Cluster:
    def create(self, request: Request) -> Outcome:
        return self._put(request, "CreateCluster", request.properties.get("ClusterName") or request.name())

    def update(self, request: Request) -> Outcome:
        if request.changed("ClusterName"):
            raise NeedsReplacement()
        return self._put(request, "CreateCluster", request.physical_id)

    def delete(self, request: Request) -> None:
        call(request.region, "ecs", "DeleteCluster", {"cluster": request.physical_id})

    @staticmethod
    def _put(request: Request, operation: str, name: str) -> Outcome:
        parameters = {**request.properties, "ClusterName": name, "settings": request.properties.get("ClusterSettings")}
        cluster = call(request.region, "ecs", operation, parameters)["cluster"]
        return Outcome(name, {"Arn": cluster["clusterArn"]}.get)


class CapacityProviders:
    def create(self, request: Request) -> Outcome:
        call(request.region, "ecs", "PutClusterCapacityProviders", request.properties)
        name = request.properties["Cluster"]
        return Outcome(name, {"Cluster": name}.get)

    update = create

    def delete(self, request: Request) -> None:
        call(request.region, "ecs", "PutClusterCapacityProviders", {"cluster": request.properties["Cluster"], "capacityProviders": [], "defaultCapacityProviderStrategy": []})


class TaskDefinition:
    def create(self, request: Request) -> Outcome:
        family = request.properties.get("Family") or request.name()
        arn = call(request.region, "ecs", "RegisterTaskDefinition", {**request.properties, "Family": family})["taskDefinition"]["taskDefinitionArn"]
        return Outcome(arn, {"TaskDefinitionArn": arn}.get)

    def update(self, request: Request) -> Outcome:
        raise NeedsReplacement()

    def delete(self, request: Request) -> None:
        call(request.region, "ecs", "DeregisterTaskDefinition", {"taskDefinition": request.physical_id})


class EcsService:
    def create(self, request: Request) -> Outcome:
        # A service without a wish for its size starts with one task.
        desired = request.properties.get("DesiredCount", 1)
        parameters = {**request.properties, "ServiceName": request.properties.get("ServiceName") or request.name(), "DesiredCount": desired}
        described = call(request.region, "ecs", "CreateService", parameters)["service"]
        self._wait(request, described["serviceArn"])
        return self._outcome(described)

    def update(self, request: Request) -> Outcome:
        if request.changed("Cluster", "ServiceName", "LaunchType", "SchedulingStrategy", "Role"):
            raise NeedsReplacement()
        parameters: dict[str, Any] = {**request.properties, "service": request.physical_id}
        described = call(request.region, "ecs", "UpdateService", parameters)["service"]
        self._wait(request, described["serviceArn"])
        return self._outcome(described)

    def delete(self, request: Request) -> None:
        cluster = request.physical_id.split("/")[1]
        call(request.region, "ecs", "DeleteService", {"cluster": cluster, "service": request.physical_id, "force": True})
        service = self._service(request, request.physical_id)
        self._until(request, service, lambda: service.status == "INACTIVE")

    def _wait(self, request: Request, arn: str) -> None:
        service = self._service(request, arn)
        rolled_back_from = service.primary

        def settled() -> bool:
            if rolled_back_from.rollout == "FAILED":
                reason = f"Resource handler returned message: \"Error occurred during operation 'ECS Deployment Circuit Breaker was triggered'.\" {rolled_back_from.reason}"
                raise Failure(reason, arn)
            return service.steady

        self._until(request, service, settled)

    @staticmethod
    def _service(request: Request, arn: str) -> Service:
        _, cluster, name = arn.rsplit("/", 2)
        return ecs_state(request.region).service(cluster, name)

    @staticmethod
    def _until(request: Request, service: Service, settled: Any) -> None:
        patience = max(settings.scaled(_PATIENCE), _LEAST_PATIENCE)
        end = time.monotonic() + patience
        while not settled():
            if time.monotonic() > end:
                reason = service.last_stopped_reason or "no task has stopped; see the task's logs"
                raise Failure(f"the service {service.name} was not steady after {patience:.0f} s. Last stopped task: {reason}", service.arn)
            time.sleep(0.1)

    @staticmethod
    def _outcome(described: dict[str, Any]) -> Outcome:
        return Outcome(described["serviceArn"], {"Name": described["serviceName"], "ServiceArn": described["serviceArn"]}.get)


class EcrRepository:
    def create(self, request: Request) -> Outcome:
        parameters = {**request.properties, "RepositoryName": request.properties.get("RepositoryName") or request.name(200, lower=True)}
        repository = call(request.region, "ecr", "CreateRepository", parameters)["repository"]
        return Outcome(repository["repositoryName"], {"Arn": repository["repositoryArn"], "RepositoryUri": repository["repositoryUri"]}.get)

    def update(self, request: Request) -> Outcome:
        if request.changed("RepositoryName"):
            raise NeedsReplacement()
        repository = call(request.region, "ecr", "DescribeRepositories", {"repositoryNames": [request.physical_id]})["repositories"][0]
        return Outcome(request.physical_id, {"Arn": repository["repositoryArn"], "RepositoryUri": repository["repositoryUri"]}.get)

    def delete(self, request: Request) -> None:
        call(request.region, "ecr", "DeleteRepository", {"repositoryName": request.physical_id, "force": True})


CONTAINERS: dict[str, Provisioner] = {
    "AWS::ECR::Repository": EcrRepository(),
    "AWS::ECS::Cluster": Cluster(),
    "AWS::ECS::ClusterCapacityProviderAssociations": CapacityProviders(),
    "AWS::ECS::Service": EcsService(),
    "AWS::ECS::TaskDefinition": TaskDefinition(),
}
