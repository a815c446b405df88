"""Writes every AWS request to calls.jsonl: who asked for what, and what came of it."""

import io
import json
import re
import threading
from datetime import datetime
from typing import Any, Callable
from urllib.parse import parse_qsl

from moto.core.request import Request
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.utils import get_service_model
from moto.moto_server.werkzeug_app import SIGNING_ALIASES
from moto.sts.models import sts_backends

import settings

_CREDENTIAL = re.compile(r"Credential=([^/,\s]+)/\d+/([^/]+)/([^/]+)/aws4_request")
_BODY_LIMIT = 1024 * 1024
#: Signing names that differ from the names of botocore's service models.
_MODELS = {"monitoring": "cloudwatch", "email": "ses"}


class Callers:
    """Remembers for whom credentials were made."""

    def __init__(self) -> None:
        self._known: dict[str, dict[str, str]] = {}

    def issue(self, **caller: str) -> dict[str, str]:
        key = f"ASIA{settings.random_id(16).upper()}"
        self._known[key] = caller
        return {"AccessKeyId": key, "SecretAccessKey": settings.random_id(40), "Token": settings.random_id(64)}

    def of(self, access_key: str) -> dict[str, str]:
        if access_key in self._known:
            return self._known[access_key]
        role = sts_backends[settings.ACCOUNT]["aws"].get_assumed_role_from_access_key(access_key)
        if role is not None:
            return {"kind": "role", "role": role.role_arn}
        return {"kind": "user"}


callers = Callers()


class Recorder:
    def __init__(self, application: Callable[..., Any]) -> None:
        self._application = application
        self._lock = threading.Lock()
        self._file = (settings.DIRECTORY / "calls.jsonl").open("a", encoding="utf-8")

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        signed = _CREDENTIAL.search(environ.get("HTTP_AUTHORIZATION", ""))
        if signed is None:
            return self._application(environ, start_response)
        body = self._keep_body(environ)
        entry = {"time": settings.iso(settings.now()), **describe(environ, body, *signed.groups())}

        def record(status: str, headers: Any, *rest: Any) -> Any:
            entry["status"] = int(status.split(" ", 1)[0])
            self._write(entry)
            return start_response(status, headers, *rest)

        return self._application(environ, record)

    @staticmethod
    def _keep_body(environ: dict[str, Any]) -> bytes:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        if not 0 < length <= _BODY_LIMIT:
            return b""
        body = environ["wsgi.input"].read(length)
        environ["wsgi.input"] = io.BytesIO(body)
        return body

    def _write(self, entry: dict[str, Any]) -> None:
        with self._lock:
            self._file.write(json.dumps(entry, default=_plain) + "\n")
            self._file.flush()


def describe(environ: dict[str, Any], body: bytes, access_key: str, region: str, signing_name: str) -> dict[str, Any]:
    service = SIGNING_ALIASES.get(signing_name.lower(), signing_name.lower())
    action, parameters = _operation(service, environ, body)
    caller = callers.of(access_key)
    return {"service": service, "action": action, "region": region, "parameters": parameters, "caller": caller}


def _operation(service: str, environ: dict[str, Any], body: bytes) -> tuple[str, Any]:
    target = environ.get("HTTP_X_AMZ_TARGET")
    path = environ.get("PATH_INFO", "/")
    rpc = re.fullmatch(r"/service/[^/]+/operation/(\w+)", path)
    if target:
        return target.rsplit(".", 1)[-1], _json(body)
    if rpc:
        return rpc.group(1), {}
    form = dict(parse_qsl(body.decode("utf-8", "replace"))) if b"Action=" in body[:4096] else {}
    form = form or dict(parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True))
    if "Action" in form and "Version" in form:
        return form["Action"], _parsed_form(service, form)
    return _rest(service, environ, body, form)


def _parsed_form(service: str, form: dict[str, str]) -> Any:
    try:
        model = get_service_model(_MODELS.get(service, service))
        parser = PROTOCOL_PARSERS["ec2" if service == "ec2" else "query"]
        return parser(model.operation_model(form["Action"])).parse({"values": form})  # type: ignore[typeddict-item]
    except Exception:  # noqa: BLE001 - a request that cannot be parsed is recorded as it came
        return {key: value for key, value in form.items() if key not in ("Action", "Version")}


def _rest(service: str, environ: dict[str, Any], body: bytes, query: dict[str, str]) -> tuple[str, Any]:
    from moto.core.routing import get_service_router

    try:
        operation, uri = get_service_router(_MODELS.get(service, service)).match(Request(environ.copy()))
        name = operation.name
    except Exception:  # noqa: BLE001
        name, uri = f"{environ['REQUEST_METHOD']} {environ.get('PATH_INFO')}", {}
    return name, {**query, **uri, **(_json(body) if service != "s3" else {})}


def _json(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body or b"{}")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {"body": value}


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return f"<{len(value)} bytes>"
    return settings.iso(value) if isinstance(value, datetime) else str(value)
