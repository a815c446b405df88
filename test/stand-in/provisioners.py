"""Which provisioner makes which type of resource: through the AWS API, by moto's own models, or not at all."""

import logging
import re
from typing import Any

from moto.cloudformation.parsing import get_model_map, resource_name_property_from_type

import settings
from application_resources import APPLICATION
from container_resources import CONTAINERS
from custom_resources import CustomResource
from function_resources import FUNCTIONS
from identity_resources import IDENTITY
from network_resources import NETWORK
from observability_resources import OBSERVABILITY
from provisioning import Failure, NeedsReplacement, Outcome, Provisioner, Request
from scaling_resources import SCALING

_log = logging.getLogger("stand-in.cloudformation")

#: Types that stacks asked for and that exist in name only.
skipped_types: set[str] = set()

_WITHOUT_EFFECT = {"AWS::CDK::Metadata", "AWS::CloudFormation::WaitConditionHandle", "AWS::CloudFormation::WaitCondition"}


class MotoModel:
    """Types that moto's CloudFormation makes well enough."""

    def create(self, request: Request) -> Outcome:
        model_class = get_model_map()[request.type]
        name = request.properties.get(resource_name_property_from_type(request.type) or "") or request.name(63)
        model = model_class.create_from_cloudformation_json(
            name,
            {"Type": request.type, "Properties": dict(request.properties)},
            settings.ACCOUNT,
            request.region,
            LogicalId=request.logical_id,
            StackId=request.stack_id,
            ResourceType=request.type,
        )
        return Outcome(str(model.physical_resource_id), lambda name: _model_attribute(request, model, name), model)

    def update(self, request: Request) -> Outcome:
        raise NeedsReplacement()

    def delete(self, request: Request) -> None:
        try:
            request.model.delete(settings.ACCOUNT, request.region)
        except (TypeError, AttributeError):
            model_class = get_model_map()[request.type]
            if not hasattr(model_class.delete_from_cloudformation_json, "__isabstractmethod__"):
                document = {"Type": request.type, "Properties": dict(request.properties)}
                model_class.delete_from_cloudformation_json(request.physical_id, document, settings.ACCOUNT, request.region)


class InNameOnly:
    """Types that nothing here stands for. Their names and ARNs have the real shape; they do nothing."""

    def create(self, request: Request) -> Outcome:
        if request.type not in _WITHOUT_EFFECT and request.type not in skipped_types:
            skipped_types.add(request.type)
            _log.warning("%s exists in name only: the stand-in does not know the type", request.type)
        name = request.name(60, lower=True)
        return Outcome(name, lambda attribute: _plausible(request, name, attribute))

    def update(self, request: Request) -> Outcome:
        return Outcome(request.physical_id, lambda attribute: _plausible(request, request.physical_id, attribute))

    def delete(self, request: Request) -> None:
        pass


_MOTO, _IN_NAME_ONLY, _CUSTOM = MotoModel(), InNameOnly(), CustomResource()
_OURS: dict[str, Provisioner] = {**NETWORK, **IDENTITY, **CONTAINERS, **FUNCTIONS, **APPLICATION, **SCALING, **OBSERVABILITY}


def provisioner_for(kind: str) -> Provisioner:
    if kind.startswith("Custom::") or kind == "AWS::CloudFormation::CustomResource":
        return _CUSTOM
    if kind in _OURS:
        return _OURS[kind]
    # moto's databases want to be made in an order and with properties that Aurora's templates do not have; its file systems have
    # no ARN for a template, and no access points.
    if kind.startswith(("AWS::RDS::", "AWS::EFS::")):
        return _IN_NAME_ONLY
    return _MOTO if kind in get_model_map() and kind not in _WITHOUT_EFFECT else _IN_NAME_ONLY


def _model_attribute(request: Request, model: Any, name: str) -> Any:
    try:
        return model.get_cfn_attribute(name)
    except Exception as error:
        raise Failure(f"{request.type} {request.logical_id} has no attribute {name} in moto: {error}") from error


def _plausible(request: Request, name: str, attribute: str) -> str:
    _, service, kind = request.type.split("::")
    if attribute.endswith("Port"):
        return str(request.properties.get("Port") or 5432)
    if attribute.endswith("Address"):
        return f"{name}.{request.region}.{service.lower()}.amazonaws.com"
    if not attribute.endswith("Arn"):
        return f"{name}.{attribute}" if attribute not in ("Id", "Name") else name
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", kind).lower()
    return f"arn:aws:{service.lower()}:{request.region}:{settings.ACCOUNT}:{words}/{name}"
