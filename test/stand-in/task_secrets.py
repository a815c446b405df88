"""Values of a container's `secrets`, read the way ECS reads them before a task starts."""

import json
import re

from moto.secretsmanager.models import secretsmanager_backends
from moto.ssm.models import ssm_backends

import settings

_SECRET = re.compile(r"arn:[\w-]+:secretsmanager:([\w-]+):\d+:secret:([^:]+)(?::([^:]*):([^:]*):([^:]*))?$")
_PARAMETER = re.compile(r"arn:[\w-]+:ssm:([\w-]+):\d+:parameter(/.+)$")
_PREFIX = "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: "


class SecretUnavailable(Exception):
    pass


def resolve(value_from: str, region: str) -> str:
    try:
        return _value(value_from, region)
    except SecretUnavailable:
        raise
    except Exception as error:  # noqa: BLE001 - whatever the reason, the task stops and names it
        raise SecretUnavailable(f"{_PREFIX}unable to retrieve {value_from}: {error}") from error


def _value(value_from: str, region: str) -> str:
    secret = _SECRET.match(value_from)
    if secret is None:
        parameter = _PARAMETER.match(value_from)
        return _parameter(parameter.group(2), parameter.group(1)) if parameter else _parameter(value_from, region)
    secret_region, name, key, stage, version = secret.groups()
    arn = f"{value_from.split(':secret:', 1)[0]}:secret:{name}"
    found = secretsmanager_backends[settings.ACCOUNT][secret_region].get_secret_value(
        secret_id=arn, version_id=version or "", version_stage=stage or ""
    )
    text = found["SecretString"]
    if not key:
        return text
    fields = json.loads(text)
    if key not in fields:
        raise SecretUnavailable(f"{_PREFIX}retrieved secret from Secrets Manager did not contain json key {key}")
    return str(fields[key])


def _parameter(name: str, region: str) -> str:
    backend = ssm_backends[settings.ACCOUNT][region]
    parameter = backend.get_parameter(name) or backend.get_parameter(name.lstrip("/"))
    if parameter is None:
        raise SecretUnavailable(f"{_PREFIX}invalid parameters: {name}")
    return parameter.value
