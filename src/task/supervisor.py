"""Runs a Prefect PROCESS worker so that no flow run is lost when its ECS task stops.

`python -c <this file> prefect worker start ...`, with nothing but Python's library and the Prefect of the image.

While flow runs are in flight, the task is protected from scale-in and deployments. On SIGTERM the worker takes no
more runs, those in flight may finish for WORKER_DRAIN_SECONDS, and what is left goes back to Prefect, which starts
it again in another worker. The same happens when the worker's process dies.
"""

from __future__ import annotations

import sys

# As for `prefect` itself: a file in the working directory doesn't stand in for a module.
sys.path[:] = [path for path in sys.path if path]

import asyncio
import contextlib
import json
import math
import os
import runpy
import select
import signal
import threading
import time
import urllib.request
import uuid
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from typing import TYPE_CHECKING, Any

from hand_back import NO_RESULTS, complete_models, lacks_results, let_go, restarts

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient
    from prefect.client.schemas import FlowRun
    from prefect.workers.process import ProcessWorker

#: How long flow runs may go on after SIGTERM: the container's stop timeout less what it takes to reschedule them.
DRAIN_SECONDS = float(os.environ.get("WORKER_DRAIN_SECONDS", "100"))
CLEANUP_SECONDS = 5.0  #: How long flow runs that are interrupted may take to clean up.
#: How long the task is protected at a stretch, and so how long a deployment waits for a worker that is always busy.
PROTECTION_MINUTES = int(os.environ.get("WORKER_PROTECTION_MINUTES", "30"))
PAUSE_SECONDS = 60.0  #: How long it is not, before the next stretch.
LINGER_SECONDS = 10.0  #: How long an idle worker stays protected, so that short runs don't turn protection on and off.
TICK_SECONDS = 1.0
WORKER_NAME = "PREFECT__WORKER_NAME"
#: What the task is told at its own link-local addresses, no proxy of HTTP_PROXY can ask for it.
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def say(text: str) -> None:
    print(f"supervisor: {text}", flush=True)


@contextlib.contextmanager
def reaching_into_prefect(otherwise: str) -> Iterator[None]:
    """Another version may look different inside: then its worker works all the same, and what it can't do is said."""
    try:
        yield
    except Exception as error:
        say(f"warning: with this version of Prefect, {otherwise}: {error!r}")


def run_worker(arguments: list[str], journal: int) -> None:
    """In the worker's process: Prefect's own command line, which also tells what is in flight, and stops taking runs on SIGUSR1."""
    draining = threading.Event()
    signal.signal(signal.SIGUSR1, lambda *_: draining.set())
    polling: list[ProcessWorker] = []
    workers: set[ProcessWorker] = set()
    submitted: list[FlowRun] = []

    with reaching_into_prefect("a worker that is to stop goes on taking flow runs"):
        from prefect.workers.process import ProcessWorker

        poll = ProcessWorker.get_and_submit_flow_runs

        async def poll_unless_draining(self: ProcessWorker) -> list[FlowRun]:
            workers.add(self)
            polling.append(self)
            try:
                return [] if draining.is_set() else await poll(self)
            finally:
                polling.remove(self)

        setattr(ProcessWorker, "get_and_submit_flow_runs", poll_unless_draining)

    with reaching_into_prefect("nobody knows what is in flight, and only the reconciler has interrupted flow runs started again"):
        from prefect.workers.process import ProcessWorker

        # From the moment on when the worker has claimed a run; from the start of its process where Prefect doesn't say so.
        name = next(name for name in ("_submit_run_and_capture_errors", "run") if hasattr(ProcessWorker, name))
        submit = getattr(ProcessWorker, name)

        async def submit_and_tell(self: ProcessWorker, flow_run: FlowRun, *args: Any, **kwargs: Any) -> Any:
            submitted.append(flow_run)
            os.write(journal, f"+{flow_run.id}\n".encode())
            try:
                return await submit(self, flow_run, *args, **kwargs)
            finally:
                submitted.remove(flow_run)
                # Cancelled where the worker ends by itself: it kills the run's process, and says nothing of the run.
                if not isinstance(sys.exc_info()[1], asyncio.CancelledError):
                    os.write(journal, f"-{flow_run.id}\n".encode())

        setattr(ProcessWorker, name, submit_and_tell)

    def leave_when_idle() -> None:
        draining.wait()
        # Of its limit, a worker takes a part before it submits a run.
        while polling or submitted or any(getattr(getattr(worker, "_limiter", None), "borrowed_tokens", 0) for worker in workers):
            time.sleep(0.2)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=leave_when_idle, daemon=True).start()
    interrupt = interruption()
    signal.signal(signal.SIGUSR2, lambda *_: asyncio.run_coroutine_threadsafe(interrupt(), asyncio.get_running_loop()))
    sys.argv = arguments
    runpy.run_module("prefect", run_name="__main__", alter_sys=True)


def interruption() -> Callable[[], Coroutine[Any, Any, None]]:
    """Ends flow runs as `prefect flow-run execute` does: they clean up, and propose no state of their own."""
    otherwise = "flow runs can't clean up when they are interrupted"
    contexts: set[Any] = set()

    async def interrupt_one(context: Any, run: uuid.UUID) -> None:
        with reaching_into_prefect(otherwise):
            if (await context.control_channel.signal(run, "reschedule")).name == "ACKNOWLEDGED":
                context.process_manager.get(run).graceful_kill()

    async def interrupt() -> None:
        with reaching_into_prefect(otherwise):
            await asyncio.gather(*[interrupt_one(context, run) for context in contexts for run in context.process_manager.flow_run_ids()])

    def noting(method: Callable[..., Awaitable[Any]], change: Callable[[Any], None]) -> Callable[..., Awaitable[Any]]:
        async def noted(self: Any, *args: Any) -> Any:
            change(self)
            return await method(self, *args)

        return noted

    with reaching_into_prefect(otherwise):
        from prefect.runner._flow_run_executor import FlowRunExecutorContext as Context

        setattr(Context, "__aenter__", noting(Context.__aenter__, contexts.add))
        setattr(Context, "__aexit__", noting(Context.__aexit__, contexts.discard))
    return interrupt


class Protection:
    """https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-scale-in-protection-endpoint.html"""

    def __init__(self) -> None:
        agent = os.environ.get("ECS_AGENT_URI")
        self._url = f"{agent}/task-protection/v1/state" if agent else None
        self._busy = self._until = self._not_before = -math.inf
        if not agent:
            say("warning: without ECS_AGENT_URI nothing keeps ECS from scaling a busy worker in")

    def update(self, busy: bool) -> None:
        now = time.monotonic()
        self._busy = now if busy else self._busy
        if not self._url or now < self._not_before:
            return
        if busy and now >= self._until + PAUSE_SECONDS:
            self._put({"ProtectionEnabled": True, "ExpiresInMinutes": PROTECTION_MINUTES}, now + PROTECTION_MINUTES * 60)
        elif now < self._until and now >= self._busy + LINGER_SECONDS:
            self._put({"ProtectionEnabled": False}, -math.inf)

    def _put(self, body: dict[str, Any], until: float) -> None:
        request = urllib.request.Request(str(self._url), json.dumps(body).encode(), {"Content-Type": "application/json"}, method="PUT")
        try:
            with DIRECT.open(request, timeout=5) as response:
                answer = json.load(response)
        except (OSError, ValueError) as error:
            answer = {"error": f"{error} {error.read() if hasattr(error, 'read') else ''}"}
        if "protection" in answer:
            self._until = until
        else:  # ECS itself refuses with status 200
            say(f"warning: ECS did not take {json.dumps(body)}: {answer}")
            self._not_before = time.monotonic() + LINGER_SECONDS


class Supervisor:
    def __init__(self, arguments: list[str]) -> None:
        # By the launcher: the worker's task, which its flow runs then name.
        name = arguments[arguments.index("--name") + 1] if "--name" in arguments else f"ProcessWorker {uuid.uuid4()}"
        self._name = os.environ[WORKER_NAME] = name
        self._in_flight: set[str] = set()
        self._unread = b""
        self._code: int | None = None
        self._journal, journal = os.pipe()
        self._signals, wakeup = os.pipe()
        for end in (self._journal, self._signals, wakeup):
            os.set_blocking(end, False)
        # Handlers that do nothing: what came is read from the pipe. Not SIG_IGN, which flow runs would inherit.
        before = {number: signal.signal(number, lambda *_: None) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD)}
        signal.set_wakeup_fd(wakeup, warn_on_full_buffer=False)
        self._worker = os.fork()
        if self._worker == 0:
            signal.set_wakeup_fd(-1)
            for number, handler in before.items():
                signal.signal(number, handler)
            # The official image's init signals its whole process group; this one is to hear from the supervisor only.
            os.setpgid(0, 0)
            run_worker(arguments if "--name" in arguments else [*arguments, "--name", name], journal)
            sys.exit(0)
        os.close(journal)

    def run(self) -> int:
        protection = Protection()
        while self._code is None:
            if self._wait(TICK_SECONDS) & {signal.SIGTERM, signal.SIGINT}:
                return self._drain()
            protection.update(bool(self._in_flight))
        if self._in_flight:
            say(f"the worker ended with {self._code} while {len(self._in_flight)} flow runs were in flight")
            self._hand_back(set(self._in_flight))
        return self._code

    def _drain(self) -> int:
        say(f"stopping; {len(self._in_flight)} flow runs may go on for {DRAIN_SECONDS:g} s")
        self._signal_worker(signal.SIGUSR1)
        deadline = time.monotonic() + DRAIN_SECONDS
        while self._code is None and time.monotonic() < deadline:
            self._wait(min(TICK_SECONDS, deadline - time.monotonic()))
        left = set(self._in_flight)
        self._signal_worker(signal.SIGUSR2)
        deadline = time.monotonic() + CLEANUP_SECONDS
        while self._in_flight and self._code is None and time.monotonic() < deadline:
            self._wait(0.2)
        self._hand_back(left)
        return self._code or 0

    def _wait(self, seconds: float) -> set[int]:
        """The signals that came, after `seconds` or earlier. Keeps count of the worker and its flow runs."""
        ready = select.select([self._signals, self._journal], [], [], max(0.0, seconds))[0]
        received = set(os.read(self._signals, 1024)) if self._signals in ready else set()
        self._reap()
        self._read_journal()
        return received

    def _reap(self) -> None:
        """Takes in all that ended, as process 1 has to, and the worker's exit code with it."""
        with contextlib.suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0] != 0:
                if ended[0] == self._worker:
                    code = os.waitstatus_to_exitcode(ended[1])
                    self._code = code if code >= 0 else 128 - code

    def _read_journal(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while chunk := os.read(self._journal, 65536):
                *lines, self._unread = (self._unread + chunk).split(b"\n")
                for line in lines:
                    (self._in_flight.add if line.startswith(b"+") else self._in_flight.discard)(line[1:].decode())

    def _signal_worker(self, number: int) -> None:
        if self._code is None:
            os.kill(self._worker, number)

    def _hand_back(self, runs: set[str]) -> None:
        """Ends what is left, the worker first so that it reports no crash, and reschedules the runs."""
        self._signal_worker(signal.SIGKILL)
        for process in flow_run_processes(self._name):
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        if runs:
            reschedule(runs, self._name)


def flow_run_processes(worker: str) -> Iterator[int]:
    """Ids of the processes of a worker's flow runs, whatever session they are in."""
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{entry}/environ", "rb") as file:
                variables = file.read().split(b"\0")
        except OSError:
            continue
        if f"{WORKER_NAME}={worker}".encode() in variables and any(item.startswith(b"PREFECT__FLOW_RUN_ID=") for item in variables):
            yield int(entry)


def reschedule(runs: set[str], worker: str) -> None:
    """Gives flow runs whose processes are gone back to Prefect. Tries until the container is killed."""
    from prefect.client.orchestration import get_client

    complete_models()
    done: dict[str, bool] = {}
    while len(done) < len(runs):
        with get_client(sync_client=True) as api:
            for run in sorted(runs - done.keys()):
                try:
                    done[run] = reschedule_one(api, run, worker)
                except Exception as error:
                    say(f"warning: flow run {run} is not rescheduled yet: {error!r}")
        time.sleep(0 if len(done) == len(runs) else 1)
    say(f"{sum(done.values())} flow runs rescheduled")


def reschedule_one(api: SyncPrefectClient, run: str, worker: str) -> bool:
    """Whether it was; a run that has ended, or waits for someone, is left as it is."""
    from prefect.exceptions import ObjectNotFound
    from prefect.states import AwaitingRetry, Cancelled, Crashed

    try:
        flow_run = api.read_flow_run(uuid.UUID(run))
    except ObjectNotFound:
        return False
    kind, message = (flow_run.state.type.value, flow_run.state.message or "") if flow_run.state else ("", "")
    if (getattr(flow_run, "labels", None) or {}).get("prefect.worker.name", worker) != worker:
        return False  # another worker has it by now
    if kind == "CANCELLING":
        api.set_flow_run_state(flow_run.id, Cancelled(message="Cancelled while its worker stopped."))
    # So is one that counts as crashed only because its heartbeats did not get through.
    executed = kind == "RUNNING" or kind == "CRASHED" and is_silence(message)
    if executed and not restarts(flow_run.tags):
        crashed: Any = Crashed(message="The worker stopped before the flow run was finished.")
        if kind == "RUNNING":
            api.set_flow_run_state(flow_run.id, crashed)
        return False
    accepted = False
    if executed or kind == "PENDING":
        waiting: Any = AwaitingRetry(message="The worker stopped before the flow run was finished.")
        result: Any = api.set_flow_run_state(flow_run.id, waiting)
        accepted = result.status.value == "ACCEPT"
    if accepted or kind == "SCHEDULED":
        let_go(api, flow_run.id, interrupted=executed)
    return accepted


def is_silence(message: str) -> bool:
    """Whether a flow run has crashed for its heartbeats: by the pool's automation, Prefect Cloud's, or that of Prefect's guide."""
    return "heartbeat" in message.lower() and not message.startswith("Execution was ")  # That would be a flow's exception.


if __name__ == "__main__":
    if lacks_results(os.environ):
        say(NO_RESULTS)
    sys.exit(Supervisor(sys.argv[1:]).run())
