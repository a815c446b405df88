"""Custom resources: the request to the function, the wait for its answer, and what CloudFormation makes of it."""

import json
import threading
from dataclasses import dataclass, field
from typing import Any

from moto.awslambda.utils import get_backend as lambda_backend

import settings
from provisioning import Failure, Outcome, Request

_LONGEST_RESPONSE = 4096
_HOUR = 3600.0


@dataclass
class _Awaited:
    request_id: str
    arrived: threading.Event = field(default_factory=threading.Event)
    answer: dict[str, Any] | None = None
    failure: str | None = None


_awaited: dict[str, _Awaited] = {}


def accept_response(token: str, body: bytes) -> tuple[int, Any]:
    awaited = _awaited.get(token)
    if awaited is None:
        return 403, {"message": "Request has expired"}
    if len(body) > _LONGEST_RESPONSE:
        awaited.failure = "Response object is too long."
    else:
        try:
            awaited.answer = json.loads(body)
        except ValueError:
            awaited.failure = "Invalid response object: it is not JSON."
    awaited.arrived.set()
    return 200, {}


class CustomResource:
    _last: dict[tuple[str, str], Outcome] = {}
    _refused: set[tuple[str, str]] = set()

    def create(self, request: Request) -> Outcome:
        return self._ask(request, "Create")

    def update(self, request: Request) -> Outcome:
        which = (request.stack_id, request.logical_id)
        if which in self._refused:  # The rollback of what was never updated.
            self._refused.remove(which)
            return self._last[which]
        if request.old_properties.get("ServiceToken") != request.properties.get("ServiceToken"):
            self._refused.add(which)
            raise Failure("Modifying service token is not allowed.")
        return self._ask(request, "Update")

    def delete(self, request: Request) -> None:
        self._ask(request, "Delete")

    def _ask(self, request: Request, kind: str) -> Outcome:
        function_arn = request.properties.get("ServiceToken", "")
        if ":lambda:" not in function_arn:
            raise Failure(f"the stand-in asks Lambda functions only, and ServiceToken is {function_arn!r}")
        token = settings.random_id(40)
        awaited = _Awaited(request_id="-".join(settings.random_id(size) for size in (8, 4, 4, 4, 12)))
        _awaited[token] = awaited
        event = {
            "RequestType": kind,
            "ServiceToken": function_arn,
            "ResponseURL": f"{settings.endpoint()}/_stand-in/responses/{token}",
            "StackId": request.stack_id,
            "RequestId": awaited.request_id,
            "LogicalResourceId": request.logical_id,
            "ResourceType": request.type,
            "ResourceProperties": as_text(request.properties),
        }
        if kind != "Create":
            event["PhysicalResourceId"] = request.physical_id
        if kind == "Update":
            event["OldResourceProperties"] = as_text(request.old_properties)
        threading.Thread(target=self._invoke, args=(request.region, function_arn, event, awaited), daemon=True).start()
        try:
            outcome = self._outcome(request, awaited)
            self._last[request.stack_id, request.logical_id] = outcome
            return outcome
        finally:
            del _awaited[token]

    @staticmethod
    def _invoke(region: str, function_arn: str, event: dict[str, Any], awaited: _Awaited) -> None:
        try:
            function = lambda_backend(settings.ACCOUNT, region).get_function(function_arn)
            result, failed, _ = function._invoke_lambda(json.dumps(event))
            reason = json.loads(result).get("errorMessage") if failed else None
        except Exception as error:  # noqa: BLE001
            reason = str(error)
        if reason is not None and not awaited.arrived.is_set():
            awaited.failure = f"the function failed without an answer, for which CloudFormation would wait an hour: {reason}"
            awaited.arrived.set()

    @staticmethod
    def _outcome(request: Request, awaited: _Awaited) -> Outcome:
        patience = settings.scaled(float(request.properties.get("ServiceTimeout") or _HOUR))
        if not awaited.arrived.wait(patience):
            raise Failure(f"CloudFormation did not receive a response from your Custom Resource. Please check your logs for requestId [{awaited.request_id}].")
        if awaited.failure is not None:
            raise Failure(awaited.failure)
        answer = awaited.answer or {}
        if answer.get("Status") != "SUCCESS":
            reason = answer.get("Reason") or "no reason was given"
            raise Failure(f"Received response status [FAILED] from custom resource. Message returned: {reason} (RequestId: {awaited.request_id})", str(answer.get("PhysicalResourceId") or ""))
        physical_id = answer.get("PhysicalResourceId") or request.physical_id
        if not physical_id:
            raise Failure("Invalid PhysicalResourceId")
        data = answer.get("Data") or {}
        return Outcome(str(physical_id), data.get)


def as_text(value: Any) -> Any:
    """CloudFormation hands every number and truth value to a function as text."""
    if isinstance(value, dict):
        return {key: as_text(item) for key, item in value.items()}
    if isinstance(value, list):
        return [as_text(item) for item in value]
    return str(value).lower() if isinstance(value, bool) else value if isinstance(value, str) else str(value)
