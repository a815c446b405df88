"""What runs in the process of a PROCESS worker: Prefect's own command line, which tells its supervisor what it does."""

from __future__ import annotations

import asyncio
import contextlib
import os
import runpy
import signal
import sys
import threading
import time
import uuid
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from typing import TYPE_CHECKING, Any

from memory_watch import MemoryWatch
from supervision import WORKER_NAME, say

if TYPE_CHECKING:
    from prefect.client.schemas import FlowRun
    from prefect.workers.process import ProcessWorker


@contextlib.contextmanager
def guarded_patch(otherwise: str) -> Iterator[None]:
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
    memory = MemoryWatch(os.environ[WORKER_NAME])

    with guarded_patch("a worker that is to stop goes on taking flow runs"):
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

    with guarded_patch("nobody knows what is in flight, and only the reconciler has interrupted flow runs started again"):
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
                memory.forget(str(flow_run.id))
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
    with guarded_patch("a flow run that was ended for its memory does not say so"):
        tell_why(memory)
    memory.start()
    interrupt = interruption()
    signal.signal(signal.SIGUSR2, lambda *_: asyncio.run_coroutine_threadsafe(interrupt(), asyncio.get_running_loop()))
    sys.argv = arguments
    runpy.run_module("prefect", run_name="__main__", alter_sys=True)


def tell_why(memory: MemoryWatch) -> None:
    """Has flow runs that crashed for want of memory say so, where Prefect only knows that their process was killed."""
    owner: Any
    try:
        from prefect.runner._state_proposer import StateProposer as owner

        name = "propose_crashed"
    except ImportError:  # before Prefect 3.7
        from prefect.runner.runner import Runner as owner

        name = "_propose_crashed_state"
    propose = getattr(owner, name)

    async def propose_with_reason(self: Any, flow_run: FlowRun, message: str, *args: Any, **kwargs: Any) -> Any:
        reason = memory.reason(str(flow_run.id)) if "SIGKILL" in message else None
        return await propose(self, flow_run, reason or message, *args, **kwargs)

    setattr(owner, name, propose_with_reason)


def interruption() -> Callable[[], Coroutine[Any, Any, None]]:
    """Ends flow runs as `prefect flow-run execute` does: they clean up, and propose no state of their own."""
    otherwise = "flow runs can't clean up when they are interrupted"
    contexts: set[Any] = set()

    async def interrupt_one(context: Any, run: uuid.UUID) -> None:
        with guarded_patch(otherwise):
            if (await context.control_channel.signal(run, "reschedule")).name == "ACKNOWLEDGED":
                context.process_manager.get(run).graceful_kill()

    async def interrupt() -> None:
        with guarded_patch(otherwise):
            await asyncio.gather(*[interrupt_one(context, run) for context in contexts for run in context.process_manager.flow_run_ids()])

    def noting(method: Callable[..., Awaitable[Any]], change: Callable[[Any], None]) -> Callable[..., Awaitable[Any]]:
        async def noted(self: Any, *args: Any) -> Any:
            change(self)
            return await method(self, *args)

        return noted

    with guarded_patch(otherwise):
        from prefect.runner._flow_run_executor import FlowRunExecutorContext as Context

        setattr(Context, "__aenter__", noting(Context.__aenter__, contexts.add))
        setattr(Context, "__aexit__", noting(Context.__aexit__, contexts.discard))
    return interrupt
