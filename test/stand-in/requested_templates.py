"""Templates and their parameters, as requests to CloudFormation give them."""

import json
from typing import Any
from urllib.parse import unquote, urlparse

import yaml
from moto.cloudformation.utils import yaml_tag_constructor
from moto.s3.models import s3_backends
from moto.ssm.models import ssm_backends

import settings
from intrinsics import TemplateError, creation_order
from refusal import validation_error
from stacks import Stack, Template


def requested_template(request: dict[str, Any], stack: Stack) -> Template:
    body = stack.body if request.get("UsePreviousTemplate") else _body(request)
    content = _parse(body)
    try:
        creation_order(content.get("Resources") or {})
    except TemplateError as error:
        raise validation_error(str(error)) from error
    given = {}
    for item in request.get("Parameters") or []:
        name = item["ParameterKey"]
        if not item.get("UsePreviousValue"):
            given[name] = item.get("ParameterValue", "")
        elif name in stack.given:
            given[name] = stack.given[name]
    return Template(body, content, given, _resolved(content, given, stack.region))


def requested_content(request: dict[str, Any]) -> dict[str, Any]:
    """Of the request's template, without its parameters."""
    return _parse(_body(request))


def _body(request: dict[str, Any]) -> str:
    if request.get("TemplateBody"):
        return str(request["TemplateBody"])
    url = urlparse(request.get("TemplateURL") or "")
    path = unquote(url.path).lstrip("/")
    # An IP address in the URL makes the S3 client write the bucket into the path.
    bucket, key = path.split("/", 1) if url.hostname in ("127.0.0.1", "localhost") or (url.hostname or "").startswith("s3") else ((url.hostname or "").split(".")[0], path)
    stored = s3_backends[settings.ACCOUNT]["aws"].get_object(bucket, key)
    if stored is None:
        raise validation_error(f"S3 error: there is no template at {request.get('TemplateURL')}")
    return stored.value.decode()


def _parse(body: str) -> dict[str, Any]:
    try:
        return json.loads(body)  # type: ignore[no-any-return]
    except ValueError:
        yaml.add_multi_constructor("", yaml_tag_constructor, Loader=yaml.Loader)
        return yaml.load(body, Loader=yaml.Loader)  # type: ignore[no-any-return]


def _resolved(content: dict[str, Any], given: dict[str, str], region: str) -> dict[str, Any]:
    resolved: dict[str, Any] = {}
    declared = content.get("Parameters") or {}
    unknown = set(given) - set(declared)
    if unknown:
        raise validation_error(f"Parameters: [{', '.join(sorted(unknown))}] do not exist in the template")
    for name, item in declared.items():
        value = given.get(name, item.get("Default"))
        if value is None:
            raise validation_error(f"Parameters: [{name}] must have values")
        if item["Type"].startswith("AWS::SSM::Parameter::Value"):
            parameter = ssm_backends[settings.ACCOUNT][region].get_parameter(str(value))
            if parameter is None:
                raise validation_error(f"Unable to fetch parameters [{value}] from parameter store for this account.")
            value = parameter.value
        resolved[name] = str(value).split(",") if "List" in item["Type"] else value
    return resolved
