"""What makes, changes and removes the resources of a stack has this shape; and calls of the AWS API for it."""

import functools
from dataclasses import dataclass, field
from typing import Any, Callable, Protocol

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.model import Shape

import settings


class Failure(Exception):
    """The resource failed; the text is what the stack's event gives as the reason."""

    def __init__(self, reason: str, physical_id: str = "") -> None:
        super().__init__(reason)
        #: Of what was made nevertheless, and is to be removed in the rollback.
        self.physical_id = physical_id


class NeedsReplacement(Exception):
    pass


@dataclass
class Request:
    type: str
    logical_id: str
    region: str
    stack_name: str
    stack_id: str
    properties: dict[str, Any]
    old_properties: dict[str, Any] = field(default_factory=dict)
    physical_id: str = ""
    model: Any = None

    def name(self, longest: int = 255, lower: bool = False) -> str:
        """A physical name as CloudFormation makes them."""
        suffix = settings.random_id(12)
        name = f"{self.stack_name}-{self.logical_id}"[: longest - 13] + f"-{suffix if lower else suffix.upper()}"
        return name.lower() if lower else name

    @property
    def tags(self) -> dict[str, str]:
        return {tag["Key"]: tag["Value"] for tag in self.properties.get("Tags") or []}

    def changed(self, *names: str) -> bool:
        return any(self.properties.get(name) != self.old_properties.get(name) for name in names)


@dataclass
class Outcome:
    physical_id: str
    attribute: Callable[[str], Any]
    #: The object of moto that stands for the resource, where one does.
    model: Any = None


class Provisioner(Protocol):
    def create(self, request: Request) -> Outcome: ...

    def update(self, request: Request) -> Outcome: ...

    def delete(self, request: Request) -> None: ...


@functools.lru_cache(maxsize=None)
def _client(service: str, region: str) -> Any:
    return boto3.client(
        service,
        region_name=region,
        endpoint_url=settings.endpoint(),
        aws_access_key_id="CLOUDFORMATION",
        aws_secret_access_key="cloudformation",
        config=Config(retries={"total_max_attempts": 1}, read_timeout=900, s3={"addressing_style": "path"}),
    )


def call(region: str, service: str, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """An AWS API call; properties as templates write them are brought into the form that the API wants."""
    client = _client(service, region)
    shape = client.meta.service_model.operation_model(operation).input_shape
    try:
        return client._make_api_call(operation, shaped(parameters, shape))  # type: ignore[no-any-return]
    except ClientError as error:
        details = error.response["Error"]
        status = error.response["ResponseMetadata"].get("HTTPStatusCode")
        raise Failure(f"{details.get('Message')} (Service: {service}, Status Code: {status}, Error Code: {details.get('Code')})") from error


def shaped(value: Any, shape: Shape | None) -> Any:
    """Names in the API's case, text made numbers and truth values, and nothing that the API does not know."""
    if shape is None:
        return {}
    if shape.type_name == "structure" and isinstance(value, dict):
        members = {name.lower(): (name, member) for name, member in shape.members.items()}  # type: ignore[attr-defined]
        known = {key: members[key.lower()] for key in value if key.lower() in members}
        return {name: shaped(value[key], member) for key, (name, member) in known.items() if value[key] is not None}
    if shape.type_name == "list" and isinstance(value, list):
        return [shaped(item, shape.member) for item in value]  # type: ignore[attr-defined]
    if shape.type_name == "map" and isinstance(value, list):  # tags, as templates write them
        return {item["Key"]: item["Value"] for item in value}
    if shape.type_name == "map" and isinstance(value, dict):
        return {key: shaped(item, shape.value) for key, item in value.items()}  # type: ignore[attr-defined]
    if shape.type_name in ("integer", "long"):
        return int(value)
    if shape.type_name in ("float", "double"):
        return float(value)
    if shape.type_name == "boolean":
        return value if isinstance(value, bool) else str(value).lower() == "true"
    if shape.type_name == "string" and not isinstance(value, str):
        return str(value).lower() if isinstance(value, bool) else str(value)
    return value
