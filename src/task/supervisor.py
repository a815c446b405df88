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

import contextlib
import os
import select
import signal
import time
import uuid

from hand_back import NO_RESULTS, lacks_results
from protection import Protection
from rescheduling import reschedule
from supervision import WORKER_NAME, flow_run_processes, say
from worker_process import run_worker

#: How long flow runs may go on after SIGTERM: the container's stop timeout less what it takes to reschedule them.
DRAIN_SECONDS = float(os.environ.get("WORKER_DRAIN_SECONDS", "100"))
CLEANUP_SECONDS = 5.0  #: How long flow runs that are interrupted may take to clean up.
TICK_SECONDS = 1.0


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
        for process, _ in flow_run_processes(self._name):
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        if runs:
            reschedule(runs, self._name)


if __name__ == "__main__":
    if lacks_results(os.environ):
        say(NO_RESULTS)
    sys.exit(Supervisor(sys.argv[1:]).run())
