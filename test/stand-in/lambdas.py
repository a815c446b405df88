"""Lambda functions run for real, each invocation in a Node process of its own. moto would want Docker."""

import hashlib
import io
import json
import logging
import os
import shutil
import subprocess
import tempfile
import threading
import time
import zipfile
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from moto.awslambda.models import LambdaFunction
from moto.cloudwatch.models import cloudwatch_backends
from moto.logs.models import logs_backends

import registry
import settings
from recorder import callers

_log = logging.getLogger("stand-in.lambda")
_RUNNER = Path(__file__).with_name("run-handler.cjs")
#: Node itself takes a moment to start, which AWS does not count.
_START_ALLOWANCE = 3.0
_unpacking = threading.Lock()
_construct = LambdaFunction.__init__


def patch() -> None:
    def construct(self: LambdaFunction, account_id: str, spec: dict[str, Any], *rest: Any, **named: Any) -> None:
        _construct(self, account_id, spec, *rest, **named)
        group = (spec.get("LoggingConfig") or {}).get("LogGroup")
        if group:
            self.logs_group_name = group

    LambdaFunction.__init__ = construct  # type: ignore[method-assign]
    LambdaFunction._invoke_lambda = _invoke  # type: ignore[method-assign, assignment]
    LambdaFunction.invoke = _invoke_by_type  # type: ignore[method-assign]


def _invoke_by_type(self: LambdaFunction, body: Any, request_headers: Any, response_headers: Any) -> Any:
    kind = request_headers.get("x-amz-invocation-type") or request_headers.get("X-Amz-Invocation-Type") or "RequestResponse"
    text = body.decode() if isinstance(body, bytes) else body
    if kind == "Event":
        threading.Thread(target=_invoke, args=(self, text), daemon=True).start()
        return b""
    result, errored, logs = _invoke(self, text)
    if errored:
        response_headers["x-amz-function-error"] = "Unhandled"
    return result.encode()


def _invoke(self: LambdaFunction, event: Any = None) -> tuple[str, bool, str]:
    text = event if isinstance(event, str) else json.dumps(event or {})
    request_id = "-".join(settings.random_id(size) for size in (8, 4, 4, 4, 12))
    with tempfile.TemporaryDirectory(prefix="run-", dir=_directory("lambda")) as work:
        if not str(self.run_time).startswith("nodejs"):
            return _failure("Runtime.Unsupported", f"the stand-in runs Node.js functions only, and {self.function_name} is {self.run_time}")
        result, output = _run(self, text or "{}", Path(work), request_id)
    _keep_log(self, request_id, output)
    failed = "error" in result
    if failed:
        _log.warning("%s failed: %s", self.function_name, result["error"].get("errorMessage"))
    return json.dumps(result["error"] if failed else result.get("value")), failed, output


def _run(function: LambdaFunction, event: str, work: Path, request_id: str) -> tuple[dict[str, Any], str]:
    answer = work / "answer.json"
    timeout = float(function.timeout or 3)
    command = ["node", str(_RUNNER), str(_unpacked(function)), str(function.handler), str(answer), str(timeout), request_id, function.function_arn]
    process = subprocess.Popen(
        command,
        env=_environment(function, work, request_id),
        cwd=work,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        output, _ = process.communicate(event.encode(), timeout=timeout + _START_ALLOWANCE)
    except subprocess.TimeoutExpired:
        process.kill()
        output, _ = process.communicate()
        reason = f"RequestId: {request_id} Error: Task timed out after {timeout:.2f} seconds"
        return {"error": {"errorType": "Sandbox.Timedout", "errorMessage": reason}}, output.decode("utf-8", "replace")
    text = output.decode("utf-8", "replace")
    if not answer.exists():
        reason = f"RequestId: {request_id} Error: Runtime exited with error: exit status {process.returncode}: {text[-500:]}"
        return {"error": {"errorType": "Runtime.ExitError", "errorMessage": reason}}, text
    return json.loads(answer.read_text()), text


def _environment(function: LambdaFunction, work: Path, request_id: str) -> dict[str, str]:
    credentials = callers.issue(kind="lambda", function=function.function_arn, role=function.role)
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(work),
        "TMPDIR": str(work),
        "NODE_PATH": str(_directory("lambda") / "node_modules"),
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.run_time}",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_size),
        "AWS_LAMBDA_FUNCTION_NAME": function.function_name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_LOG_GROUP_NAME": function.logs_group_name,
        "AWS_LAMBDA_LOG_STREAM_NAME": _stream(request_id),
        "AWS_REGION": function.region,
        "AWS_DEFAULT_REGION": function.region,
        "AWS_ENDPOINT_URL": settings.endpoint(),
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ACCESS_KEY_ID": credentials["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": credentials["SecretAccessKey"],
        "AWS_SESSION_TOKEN": credentials["Token"],
        "LAMBDA_TASK_ROOT": str(_unpacked(function)),
        "STAND_IN_HOSTS": json.dumps({**registry.hosts(), **settings.HOSTS}),
        settings.OWNER_VARIABLE: f"{settings.DIRECTORY}:lambda:{function.function_name}",
        **{name: str(value) for name, value in (function.environment_vars or {}).items()},
    }


def _unpacked(function: LambdaFunction) -> Path:
    code: bytes = function.code_bytes
    target = _directory("lambda") / hashlib.sha256(code).hexdigest()[:16]
    with _unpacking:
        if not target.exists():
            fresh = Path(tempfile.mkdtemp(dir=target.parent))
            zipfile.ZipFile(io.BytesIO(code)).extractall(fresh)
            shutil.move(str(fresh), target)
    return target


def _directory(name: str) -> Path:
    directory = settings.DIRECTORY / name
    if not directory.exists():
        directory.mkdir(parents=True, exist_ok=True)
        _link_sdk(directory / "node_modules")
    return directory


def _link_sdk(modules: Path) -> None:
    """What AWS's runtimes carry and no more, so that a function which forgot to bundle something fails here too."""
    modules.mkdir(exist_ok=True)
    for scope in ("@aws-sdk", "@smithy"):
        source = Path(settings.NODE_MODULES) / scope
        if settings.NODE_MODULES and source.is_dir():
            (modules / scope).symlink_to(source)


def _stream(request_id: str) -> str:
    return f"{settings.now():%Y/%m/%d}/[$LATEST]{request_id.replace('-', '')}"


def _keep_log(function: LambdaFunction, request_id: str, output: str) -> None:
    with (settings.DIRECTORY / "lambda" / f"{function.function_name}.log").open("a", encoding="utf-8") as file:
        file.write(f"--- {settings.iso(settings.now())} {request_id}\n{output}")
    backend = logs_backends[function.account_id][function.region]
    backend.ensure_log_group(function.logs_group_name)
    stream = _stream(request_id)
    backend.ensure_log_stream(function.logs_group_name, stream)
    events = [{"timestamp": int(time.time() * 1000), "message": line} for line in output.splitlines() if line]
    if events:
        backend.put_log_events(function.logs_group_name, stream, events)
    for event in events:
        _publish_embedded(function, event["message"])


def _publish_embedded(function: LambdaFunction, line: str) -> None:
    """Lines in CloudWatch's embedded metric format are metrics; what stands before the JSON makes text of it, as on AWS."""
    try:
        document = json.loads(line)
        directives = document["_aws"]["CloudWatchMetrics"]
    except (ValueError, KeyError, TypeError):
        return
    cloudwatch = cloudwatch_backends[function.account_id][function.region]
    # Without a zone, as moto has the times of PutMetricData.
    timestamp = datetime.fromtimestamp(document["_aws"]["Timestamp"] / 1000, timezone.utc).replace(tzinfo=None)
    for directive in directives:
        for names in directive["Dimensions"]:
            dimensions = [{"Name": name, "Value": document[name]} for name in names]
            data = [{"MetricName": metric["Name"], "Unit": metric.get("Unit"), "Value": document[metric["Name"]], "Dimensions": dimensions, "Timestamp": timestamp} for metric in directive["Metrics"]]
            cloudwatch.put_metric_data(directive["Namespace"], data)


def _failure(kind: str, message: str) -> tuple[str, bool, str]:
    return json.dumps({"errorType": kind, "errorMessage": message}), True, message
