"""Runs `prefect flow-run execute` where the flow run is this task's, and gives it back to Prefect when it is interrupted.

Before: a worker that is only slow may start a task for a flow run that was given to another one since, and Prefect
executes it in both. After: Prefect itself gives a flow run back first and stops it then; while its API is slow, the
flow goes on, and another task may execute it as well.
"""

from __future__ import annotations

import sys

# As for `prefect` itself: a file in the working directory doesn't stand in for a module.
sys.path[:] = [path for path in sys.path if path]

import base64
import contextlib
import functools
import http.client
import json
import os
import re
import runpy
import shutil
import signal
import ssl
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from importlib.metadata import PackageNotFoundError, version
from typing import Any, NamedTuple, NoReturn

from hand_back import NO_RESULTS, complete_models, lacks_results, reset_policy, restarts
from task_metadata import metadata, this_task

BEHAVIOR = "PREFECT_FLOW_RUN_EXECUTE_SIGTERM_BEHAVIOR"
#: How long the hand-back may take. Prefect gives the flow 30 seconds to clean up before, and Fargate 120 for everything.
HAND_BACK_SECONDS = int(os.environ.get("FLOW_RUN_HAND_BACK_SECONDS", "60"))
#: When a run that is handed back is due: later than a worker looks ahead, 10 seconds, and than the reconciler hears of a person's Stop.
RESTART_SECONDS = float(os.environ.get("FLOW_RUN_RESTART_SECONDS", "30"))
#: How long the worker may take to write down which task it has started. Most often it has, before the task starts.
CLAIM_SECONDS = float(os.environ.get("FLOW_RUN_CLAIM_SECONDS", "60"))
LOOK_SECONDS = 2.0  #: Between two looks for that.
NO_COMMAND = 127  #: As a shell says it.
INTERRUPTED = 128 + signal.SIGTERM  #: The exit code of a process that SIGTERM ends.


def say(text: str) -> None:
    print(f"flow run: {text}", flush=True)


class Execution:
    """Prefect's own command in a process of its own. It loads while this one asks whose the flow run is, and waits for the answer.

    What is loaded here is not loaded once more there. SIGTERM is noted, and passed on to it.
    """

    def __init__(self) -> None:
        self.interrupted, self._process = False, 0
        answer, self._answer = os.pipe()
        # One from elsewhere may be more than Prefect's, and threads that something else has started would be missing in the new process.
        here = os.path.dirname(shutil.which("prefect") or "") == os.path.dirname(sys.executable) and threading.active_count() == 1
        signal.signal(signal.SIGTERM, self._interrupt)
        # Neither comes one in between, when it would be lost there.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        self._process = os.fork()
        if self._process == 0:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
            os.close(self._answer)
            self._execute(answer, here)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
        os.close(answer)

    def _execute(self, answer: int, here: bool) -> NoReturn:
        sys.argv = ["prefect", "flow-run", "execute"]
        if here:
            with contextlib.suppress(Exception):  # the command will say it
                import prefect.cli.flow_run
                import prefect.runner  # noqa: F401
        if not os.read(answer, 1):
            os._exit(0)
        os.close(answer)
        if not here:
            os.execvp(sys.argv[0], sys.argv)
        runpy.run_module("prefect", run_name="__main__", alter_sys=True)
        sys.exit(0)

    def go_on(self) -> int:
        """Its exit code, as a shell says it."""
        with contextlib.suppress(BrokenPipeError):  # where it was interrupted
            os.write(self._answer, b"+")
        code = os.waitstatus_to_exitcode(os.waitpid(self._process, 0)[1])
        self._process = 0
        return code if code >= 0 else 128 - code

    def _interrupt(self, *_: object) -> None:
        self.interrupted = True
        with contextlib.suppress(ProcessLookupError):
            if self._process != 0:
                os.kill(self._process, signal.SIGTERM)


def numbers(text: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", text)[:3]]


@functools.cache
def prefect_version() -> str:
    """Empty where it is not known: then nothing is said of it, and Prefect does what it can do by itself."""
    with contextlib.suppress(PackageNotFoundError):
        return version("prefect")
    return ""


def can_relinquish() -> bool:
    """Whether this version of Prefect knows how to stop a flow run and not change its state."""
    return numbers(prefect_version()) >= [3, 8, 1]


def limits() -> Iterator[tuple[str, str]]:
    """By the version of Prefect from which on it is otherwise: what a flow run in this image can't do."""
    yield "3.4.25", "nobody has tried whether flow runs work"
    if "PREFECT_API_AUTH_STRING" in os.environ:
        yield "3.6.14", "a server with an auth string that is newer than that refuses its events, and the flow run crashes"
    yield "3.6.29", "nobody notices when the flow run stops without a word while its task goes on"
    yield "3.8.1", "an interrupted flow run is given back before it has stopped, and another task may execute it as well"


def warn_of_limits() -> None:
    installed = prefect_version()
    said = [f"before {since}, {what}" for since, what in limits() if installed and numbers(installed) < numbers(since)]
    if said:
        say(f"warning: this image has Prefect {installed}: {'; '.join(said)}. Use a newer image.")


def execute() -> int:
    warn_of_limits()
    if lacks_results(os.environ):
        say(NO_RESULTS)
    reschedules = os.environ.get(BEHAVIOR) == "reschedule"
    relinquishes = reschedules and can_relinquish()
    if relinquishes:
        os.environ[BEHAVIOR] = "relinquish"
    elif reschedules and not restarts([]):
        reschedules, os.environ[BEHAVIOR] = False, "crash"  # An older Prefect would give it back by itself.
    run, execution, task = os.environ.get("PREFECT__FLOW_RUN_ID"), Execution(), this_task()
    if run and task and (reason := reason_to_skip(run, task, execution)):
        say(f"{run} is left alone, as it is not this task's: {reason}")
        return 0  # anything else counts as a crash
    if not shutil.which("prefect"):
        return without_prefect(run)
    began = not execution.interrupted
    code = execution.go_on() if began else INTERRUPTED
    if not (run and reschedules and execution.interrupted):
        return code
    hand_back(run, task, by_prefect=began and not relinquishes)
    return code if began and not relinquishes else 0


def without_prefect(run: str | None) -> int:
    """Says so in the flow run's state, where Prefect's worker would only tell the task's exit code."""
    why = "The image of its task has no Prefect. Install it there, or give the flow run another image."
    say(why)
    if run:
        time.sleep(LOOK_SECONDS)  # The worker may be about to say that it is InfrastructurePending.
        with contextlib.suppress(KeyError, OSError, ValueError, http.client.HTTPException):
            ask_prefect(f"/flow_runs/{run}/set_state", {"state": {"type": "CRASHED", "message": why}})
    return NO_COMMAND


def names_another_task(infrastructure: str | None, task: str | None) -> bool:
    """Whether a flow run's infrastructure, `cluster::task` where Prefect's ECS worker wrote it, is another task than this one."""
    return bool(task and infrastructure and ":task/" in infrastructure and infrastructure.split("::")[-1] != task)


class Undetermined(NamedTuple):
    """What may look different in a moment."""

    what: str
    leave: bool  #: Whether the flow run is not this task's if it stays so.


def reason_to_skip(run: str, task: str, execution: Execution) -> str | None:
    """Why this task is not to execute the flow run; None where nothing says so.

    The worker writes down a task after ECS has taken it, and until then the flow run may name the one that it had before.
    """
    deadline = time.monotonic() + CLAIM_SECONDS
    while isinstance(seen := check_assignment(run, task), Undetermined):
        if execution.interrupted:
            return None
        if time.monotonic() >= deadline:
            say(f"warning: after {CLAIM_SECONDS:g} s, {seen.what}")
            return seen.what if seen.leave else None
        time.sleep(LOOK_SECONDS)
    return seen


def check_assignment(run: str, task: str) -> Undetermined | str | None:
    try:
        flow_run = ask_prefect(f"/flow_runs/{run}")
    except (KeyError, OSError, ValueError, http.client.HTTPException) as error:
        if isinstance(error, urllib.error.HTTPError) and error.code < 500 and error.code != 429:
            return None  # Prefect's own command will say more.
        return Undetermined(f"the Prefect API does not say whose it is: {error!r}", leave=False)
    state, infrastructure = flow_run.get("state_type"), flow_run.get("infrastructure_pid")
    if state in ("COMPLETED", "FAILED", "CANCELLED"):
        return f"it is {state}"
    if state == "SCHEDULED":
        return "it was given back to Prefect, and waits for a worker"
    # ECS itself restarts a container only where its definition asks for that.
    if state == "RUNNING" and not metadata().get("RestartCount"):
        return f"it is executed already; it names {infrastructure}"
    if names_another_task(infrastructure, task):
        return Undetermined(f"it names {infrastructure}", leave=True)
    return None if infrastructure else Undetermined("it names no task", leave=False)


def ask_prefect(path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """Without Prefect's client, which takes a small task many seconds to load."""
    headers = {"Content-Type": "application/json", **json.loads(os.environ.get("PREFECT_CLIENT_CUSTOM_HEADERS") or "{}")}
    if key := os.environ.get("PREFECT_API_KEY"):
        headers["Authorization"] = f"Bearer {key}"
    elif auth := os.environ.get("PREFECT_API_AUTH_STRING"):
        headers["Authorization"] = f"Basic {base64.b64encode(auth.encode()).decode()}"
    url = f"{os.environ['PREFECT_API_URL']}{path}"
    context = None
    if url.startswith("https:"):  # To load certificates takes longer than all the rest.
        context = ssl.create_default_context(cafile=os.environ.get("PREFECT_API_SSL_CERT_FILE"))
        if os.environ.get("PREFECT_API_TLS_INSECURE_SKIP_VERIFY", "").lower() in ("1", "true"):
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, headers)
    with urllib.request.urlopen(request, timeout=10, context=context) as answer:
        return dict(json.load(answer))


def hand_back(run: str, task: str | None, by_prefect: bool) -> None:
    """Has a worker start the flow run again. `by_prefect`: this version of Prefect has proposed that state itself."""

    def give_up(*_: object) -> NoReturn:
        say(f"warning: Flow run {run} was interrupted, and the Prefect API did not take it back; the reconciler will.")
        os._exit(0)

    signal.signal(signal.SIGALRM, give_up)
    signal.alarm(HAND_BACK_SECONDS)
    from uuid import UUID

    from prefect.client.orchestration import get_client
    from prefect.states import AwaitingRetry, Crashed

    complete_models()
    try:
        with get_client(sync_client=True) as api:
            flow_run = api.read_flow_run(UUID(run))
            state = flow_run.state.type.value if flow_run.state else ""
            # One that has ended, was cancelled or waits for someone is left as it is, and so is one that another task has by now.
            if state not in ("RUNNING", "PENDING", "SCHEDULED") or names_another_task(flow_run.infrastructure_pid, task):
                return say(f"{run} is not given back: it is {state} and names {flow_run.infrastructure_pid}")
            if state == "RUNNING" and not restarts(flow_run.tags):
                crashed: Any = Crashed(message="Its task was interrupted before it was finished.")
                api.set_flow_run_state(flow_run.id, crashed)
                return say(f"{run} was interrupted, and is not to be executed again")
            if state != "SCHEDULED":
                due = datetime.now(timezone.utc) + timedelta(seconds=RESTART_SECONDS)
                waiting: Any = AwaitingRetry(scheduled_time=due, message="Its task was interrupted before it was finished.")
                api.set_flow_run_state(flow_run.id, waiting)
            say(f"{run} was interrupted, and is given back to Prefect")
            reset_policy(api, flow_run.id, interrupted=state == "RUNNING" or by_prefect and flow_run.start_time is not None)
    except Exception as error:
        say(f"warning: {error!r}")
        give_up()


if __name__ == "__main__":
    sys.exit(execute())
