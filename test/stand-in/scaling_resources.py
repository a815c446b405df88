"""Scalable targets and their policies."""

from typing import Any

from provisioning import Outcome, Provisioner, Request, call


class ScalableTarget:
    def create(self, request: Request) -> Outcome:
        answer = call(request.region, "application-autoscaling", "RegisterScalableTarget", request.properties)
        properties = request.properties
        self._reach_range(request)
        identifier = f"{properties['ResourceId']}|{properties['ScalableDimension']}|{properties['ServiceNamespace']}"
        return Outcome(identifier, {"Id": identifier, "ScalableTargetARN": answer.get("ScalableTargetARN", "")}.get)

    update = create

    def delete(self, request: Request) -> None:
        call(request.region, "application-autoscaling", "DeregisterScalableTarget", request.properties)

    @staticmethod
    def _reach_range(request: Request) -> None:
        """As AWS does when it says "minimum capacity was set to", or maximum: of a service that is there already.

        https://docs.aws.amazon.com/autoscaling/application/APIReference/API_RegisterScalableTarget.html
        """
        if request.properties["ScalableDimension"] != "ecs:service:DesiredCount":
            return
        _, cluster, name = request.properties["ResourceId"].split("/")
        [service] = call(request.region, "ecs", "DescribeServices", {"cluster": cluster, "services": [name]})["services"]
        least, most = (int(request.properties[bound]) for bound in ("MinCapacity", "MaxCapacity"))
        wanted = max(least, min(most, service["desiredCount"]))
        if service["desiredCount"] != wanted:
            call(request.region, "ecs", "UpdateService", {"cluster": cluster, "service": name, "desiredCount": wanted})


class ScalingPolicy:
    def create(self, request: Request) -> Outcome:
        answer = call(request.region, "application-autoscaling", "PutScalingPolicy", self._parameters(request))
        return Outcome(answer["PolicyARN"], {"Arn": answer["PolicyARN"], "PolicyName": request.properties["PolicyName"]}.get)

    update = create

    def delete(self, request: Request) -> None:
        call(request.region, "application-autoscaling", "DeleteScalingPolicy", self._parameters(request))

    @staticmethod
    def _parameters(request: Request) -> dict[str, Any]:
        target = request.properties.get("ScalingTargetId")
        parts = dict(zip(("ResourceId", "ScalableDimension", "ServiceNamespace"), target.split("|"))) if target else {}
        return {**request.properties, **parts}


SCALING: dict[str, Provisioner] = {
    "AWS::ApplicationAutoScaling::ScalableTarget": ScalableTarget(),
    "AWS::ApplicationAutoScaling::ScalingPolicy": ScalingPolicy(),
}
