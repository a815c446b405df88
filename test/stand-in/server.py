"""The stand-in's one process: moto's server, with what it lacks put in its place."""

import json
import logging
import os
import signal
import sys
import threading
from typing import Any, Callable, Iterable
from xml.sax.saxutils import escape

logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(name)s %(levelname)s %(message)s")
logging.getLogger("werkzeug").setLevel(logging.ERROR)

import settings  # noqa: E402

os.environ["MOTO_IAM_LOAD_MANAGED_POLICIES"] = "true"

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app  # noqa: E402
from werkzeug.serving import make_server  # noqa: E402

import containers  # noqa: E402
import custom_resources  # noqa: E402
import ecr_layers  # noqa: E402
import ecs  # noqa: E402
import ecs_state  # noqa: E402
import event_delivery  # noqa: E402
import hindrances  # noqa: E402
import lambdas  # noqa: E402
import observability_resources  # noqa: E402
import provisioners  # noqa: E402
import queues  # noqa: E402
import registry  # noqa: E402
import schedules  # noqa: E402
import stack_api  # noqa: E402
import task_endpoints  # noqa: E402
from recorder import Recorder  # noqa: E402

_log = logging.getLogger("stand-in")
_OWN = "/_stand-in/"


class Application:
    """The stand-in's own addresses; everything else is AWS."""

    def __init__(self, aws: Callable[..., Any]) -> None:
        self._aws = aws

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path: str = environ.get("PATH_INFO", "")
        if registry.serves(environ):
            return registry.serve(environ, start_response)
        if not path.startswith(_OWN):
            return self._from_aws(environ, start_response)
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        status, answer = self._answer(environ["REQUEST_METHOD"], path.removeprefix(_OWN), body)
        start_response(f"{status} ", [("Content-Type", "application/json")])
        return [json.dumps(answer, default=str).encode()]

    def _from_aws(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        try:
            return self._aws(environ, start_response)  # type: ignore[no-any-return]
        except Exception as error:  # noqa: BLE001
            unknown = isinstance(error, NotImplementedError)
            if not unknown:
                _log.exception("%s %s", environ["REQUEST_METHOD"], environ.get("PATH_INFO"))
            # 501 and not 500, which every SDK would try again.
            start_response("501 Not Implemented", [("Content-Type", environ.get("CONTENT_TYPE") or "text/xml")])
            return [_error("NotImplemented" if unknown else "InternalFailure", f"the stand-in cannot do this: {error}", "HTTP_X_AMZ_TARGET" in environ)]

    @staticmethod
    def _answer(method: str, path: str, body: bytes) -> tuple[int, Any]:
        section, _, rest = path.partition("/")
        if section == "tasks" and not rest:
            return 200, [task.describe() for task in ecs_state.all_tasks()]
        if section == "tasks":
            token, _, wanted = rest.partition("/")
            task = next((item for item in ecs_state.all_tasks() if item.token == token), None)
            return task_endpoints.answer(task, method, wanted, body) if task else (404, {"message": "no such task"})
        if section == "spot-interruptions":
            ecs_state.task(rest).stop("Your Spot Task was interrupted.", "SpotInterruption")
            return 200, {}
        if section == "kills":
            ecs_state.task(rest).kill()
            return 200, {}
        if section == "hindrance":
            hindrances.hinder(json.loads(body))
            return 200, {}
        if section == "responses":
            return custom_resources.accept_response(rest, body)
        if section == "skipped":
            return 200, sorted(provisioners.skipped_types)
        return 404, {"message": f"the stand-in has nothing at {_OWN}{path}"}


def _error(code: str, message: str, as_json: bool) -> bytes:
    if as_json:
        return json.dumps({"__type": code, "message": message}).encode()
    return f"<ErrorResponse><Error><Code>{code}</Code><Message>{escape(message)}</Message></Error></ErrorResponse>".encode()


def _stop_with_parent(stop: Callable[[], None]) -> None:
    """The parent holds the other end of standard input, which closes when it dies, however that happens."""
    while os.read(0, 4096):
        pass
    stop()


def _end_tasks() -> None:
    containers.close()
    for task in ecs_state.all_tasks():
        task.kill()
    containers.kill_owned(str(settings.DIRECTORY))
    for task in ecs_state.all_tasks():
        task.limit.remove()


def main() -> None:
    for module in (ecr_layers, ecs, event_delivery, lambdas, observability_resources, queues, stack_api):
        module.patch()
    server = make_server(
        "127.0.0.1", 0, Application(Recorder(DomainDispatcherApplication(create_backend_app))), threaded=True, request_handler=MotoRequestHandler
    )
    settings.listen_on(server.server_port)
    schedules.start()

    def stop(*_: Any) -> None:
        threading.Thread(target=server.shutdown, daemon=True).start()

    signal.signal(signal.SIGTERM, stop)
    # Not SIG_IGN: the tasks' processes would inherit it, and a Prefect worker stops by SIGINT.
    signal.signal(signal.SIGINT, lambda *_: None)
    threading.Thread(target=_stop_with_parent, args=(stop,), daemon=True).start()
    print(json.dumps({"endpoint": settings.endpoint()}), flush=True)
    try:
        server.serve_forever(poll_interval=0.1)
    finally:
        _end_tasks()
        # Threads of tasks and services may still be waiting; nothing that they hold outlives the process.
        os._exit(0)


if __name__ == "__main__":
    main()
