"""Runs a Prefect PROCESS worker so that no flow run is lost when its ECS task stops.

`python -c <this file> prefect worker start ...`, with nothing but Python's library and the Prefect of the image.

While flow runs are in flight, the task is protected from scale-in and deployments. On SIGTERM the worker takes no
more runs, those in flight may finish for WORKER_DRAIN_SECONDS, and what is left goes back to Prefect, which starts
it again in another worker. The same happens when the worker's process dies.
"""

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


def say(text):
    print(f"supervisor: {text}", flush=True)


def run_worker(arguments, journal):
    """In the worker's process: Prefect's own command line, which also tells what is in flight, and stops taking runs on SIGUSR1."""
    draining = threading.Event()
    signal.signal(signal.SIGUSR1, lambda *_: draining.set())
    from prefect.workers.process import ProcessWorker

    workers, polling, poll = set(), [], ProcessWorker.get_and_submit_flow_runs

    async def poll_unless_draining(self):
        workers.add(self)
        polling.append(self)
        try:
            return [] if draining.is_set() else await poll(self)
        finally:
            polling.remove(self)

    ProcessWorker.get_and_submit_flow_runs = poll_unless_draining

    # From the moment on when the worker has claimed a run; from the start of its process where Prefect doesn't say so.
    name = next(name for name in ("_submit_run_and_capture_errors", "run") if hasattr(ProcessWorker, name))
    submit = getattr(ProcessWorker, name)

    async def submit_and_tell(self, flow_run, *args, **kwargs):
        os.write(journal, f"+{flow_run.id}\n".encode())
        try:
            return await submit(self, flow_run, *args, **kwargs)
        finally:
            # Cancelled where the worker ends by itself: it kills the run's process, and says nothing of the run.
            if not isinstance(sys.exc_info()[1], asyncio.CancelledError):
                os.write(journal, f"-{flow_run.id}\n".encode())

    setattr(ProcessWorker, name, submit_and_tell)

    def leave_when_idle():
        draining.wait()
        while polling or any(worker.limiter.borrowed_tokens for worker in workers):
            time.sleep(0.2)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=leave_when_idle, daemon=True).start()
    interrupt = interruption()
    signal.signal(signal.SIGUSR2, lambda *_: asyncio.run_coroutine_threadsafe(interrupt(), asyncio.get_running_loop()))
    sys.argv = arguments
    runpy.run_module("prefect", run_name="__main__", alter_sys=True)


def interruption():
    """Ends flow runs as `prefect flow-run execute` does: they clean up, and propose no state of their own."""
    contexts = set()

    async def interrupt_one(context, run):
        if (await context.control_channel.signal(run, "reschedule")).name == "ACKNOWLEDGED":
            context.process_manager.get(run).graceful_kill()

    async def interrupt():
        runs = [interrupt_one(context, run) for context in contexts for run in context.process_manager.flow_run_ids()]
        await asyncio.gather(*runs, return_exceptions=True)

    def noting(method, change):
        async def noted(self, *args):
            change(self)
            return await method(self, *args)

        return noted

    try:
        from prefect.runner._flow_run_executor import FlowRunExecutorContext as Context

        Context.__aenter__ = noting(Context.__aenter__, contexts.add)
        Context.__aexit__ = noting(Context.__aexit__, contexts.discard)
    except Exception as error:
        say(f"warning: with this version of Prefect, flow runs can't clean up when they are interrupted: {error!r}")
    return interrupt


class Protection:
    """https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-scale-in-protection-endpoint.html"""

    def __init__(self):
        agent = os.environ.get("ECS_AGENT_URI")
        self._url = f"{agent}/task-protection/v1/state" if agent else None
        self._busy = self._until = self._not_before = -math.inf
        if not agent:
            say("warning: without ECS_AGENT_URI nothing keeps ECS from scaling a busy worker in")

    def update(self, busy):
        now = time.monotonic()
        self._busy = now if busy else self._busy
        if not self._url or now < self._not_before:
            return
        if busy and now >= self._until + PAUSE_SECONDS:
            self._put({"ProtectionEnabled": True, "ExpiresInMinutes": PROTECTION_MINUTES}, now + PROTECTION_MINUTES * 60)
        elif now < self._until and now >= self._busy + LINGER_SECONDS:
            self._put({"ProtectionEnabled": False}, -math.inf)

    def _put(self, body, until):
        request = urllib.request.Request(self._url, json.dumps(body).encode(), {"Content-Type": "application/json"}, method="PUT")
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


def worker_name():
    """The worker's task as `region:cluster:task`, by which the rescue function knows what became of its flow runs."""
    try:
        with DIRECT.open(f"{os.environ['ECS_CONTAINER_METADATA_URI_V4']}/task", timeout=5) as answer:
            arn = json.load(answer)["TaskARN"]
        return ":".join([arn.split(":")[3], *arn.split("/")[-2:]])
    except (KeyError, OSError, ValueError) as error:
        say(f"warning: the worker's task is not known: {error!r}")
        return f"ProcessWorker {uuid.uuid4()}"


class Supervisor:
    def __init__(self, arguments):
        self._name = os.environ[WORKER_NAME] = worker_name()
        self._in_flight, self._unread, self._code = set(), b"", None
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
            run_worker([*arguments, "--name", self._name], journal)
            sys.exit(0)
        os.close(journal)

    def run(self):
        protection = Protection()
        while self._code is None:
            if self._wait(TICK_SECONDS) & {signal.SIGTERM, signal.SIGINT}:
                return self._drain()
            protection.update(bool(self._in_flight))
        if self._in_flight:
            say(f"the worker ended with {self._code} while {len(self._in_flight)} flow runs were in flight")
            self._hand_back(set(self._in_flight))
        return self._code

    def _drain(self):
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

    def _wait(self, seconds):
        """The signals that came, after `seconds` or earlier. Keeps count of the worker and its flow runs."""
        ready = select.select([self._signals, self._journal], [], [], max(0.0, seconds))[0]
        received = set(os.read(self._signals, 1024)) if self._signals in ready else set()
        self._reap()
        self._read_journal()
        return received

    def _reap(self):
        """Takes in all that ended, as process 1 has to, and the worker's exit code with it."""
        with contextlib.suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0] != 0:
                if ended[0] == self._worker:
                    code = os.waitstatus_to_exitcode(ended[1])
                    self._code = code if code >= 0 else 128 - code

    def _read_journal(self):
        with contextlib.suppress(BlockingIOError):
            while chunk := os.read(self._journal, 65536):
                *lines, self._unread = (self._unread + chunk).split(b"\n")
                for line in lines:
                    (self._in_flight.add if line.startswith(b"+") else self._in_flight.discard)(line[1:].decode())

    def _signal_worker(self, number):
        if self._code is None:
            os.kill(self._worker, number)

    def _hand_back(self, runs):
        """Ends what is left, the worker first so that it reports no crash, and reschedules the runs."""
        self._signal_worker(signal.SIGKILL)
        for process in flow_run_processes(self._name):
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        if runs:
            reschedule(runs, self._name)


def flow_run_processes(worker):
    """Ids of the processes of a worker's flow runs, whatever session they are in."""
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{entry}/environ", "rb") as file:
                variables = file.read().split(b"\0")
        except OSError:
            continue
        if f"{WORKER_NAME}={worker}".encode() in variables and any(item.startswith(b"PREFECT__FLOW_RUN_ID=") for item in variables):
            yield int(entry)


def reschedule(runs, worker):
    """Gives flow runs whose processes are gone back to Prefect. Tries until the container is killed."""
    from prefect.client.orchestration import get_client

    done = {}
    while len(done) < len(runs):
        with get_client(sync_client=True) as api:
            for run in sorted(runs - done.keys()):
                try:
                    done[run] = reschedule_one(api, run, worker)
                except Exception as error:
                    say(f"warning: flow run {run} is not rescheduled yet: {error!r}")
        time.sleep(0 if len(done) == len(runs) else 1)
    say(f"{sum(done.values())} flow runs rescheduled")


def reschedule_one(api, run, worker):
    """Whether it was; a run that has ended, or waits for someone, is left as it is."""
    from prefect.exceptions import ObjectNotFound
    from prefect.states import AwaitingRetry, Cancelled

    try:
        flow_run = api.read_flow_run(run)
    except ObjectNotFound:
        return False
    kind, policy = flow_run.state.type.value, flow_run.empirical_policy
    if (getattr(flow_run, "labels", None) or {}).get("prefect.worker.name", worker) != worker:
        return False  # another worker has it by now
    # So is a run that counts as crashed only because its heartbeats did not get through.
    unfinished = kind in ("RUNNING", "PENDING") or kind == "CRASHED" and (flow_run.state.message or "").startswith("No heartbeat ")
    if kind == "CANCELLING":
        api.set_flow_run_state(run, Cancelled(message="Cancelled while its worker stopped."))
    if (unfinished or kind == "SCHEDULED") and policy.retry_type == "in_process":
        # Prefect leaves such a run to the process that has tried it before, and gives it to no worker.
        api.update_flow_run(run, empirical_policy=policy.model_copy(update={"retry_type": "reschedule"}))
    waiting = AwaitingRetry(message="The worker stopped before the flow run was finished.")
    return unfinished and api.set_flow_run_state(run, waiting).status.value == "ACCEPT"


if __name__ == "__main__":
    sys.exit(Supervisor(sys.argv[1:]).run())
