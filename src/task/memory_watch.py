"""Keeps the flow runs of a PROCESS worker from taking each other's memory: the largest is ended before it is used up.

Where memory runs out, the kernel ends some process, after minutes in which nothing moves: the worker's, and so all of its flow runs
are interrupted and started again, the one that took the memory among them. Or the health check fails, with the same effect.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from typing import NamedTuple

from supervision import flow_run_processes, say
from task_metadata import metadata

CGROUPS = "/sys/fs/cgroup"
#: What has to stay free, for programs to be read from disk: with less, nothing moves any more.
SPARE_SHARE, SPARE_MOST = 1 / 20, 128 * 2**20
WATCHED_SHARE = 1 / 2  #: Of more of it than that, it is noted who holds how much.
LOOK_SECONDS = 1.0
SETTLE_SECONDS = 5.0  #: After one was ended: until its memory is free.
#: Has the kernel, where it is faster, end a flow run's process and not the worker's.
OOM_SCORE_ADJ = "500"
ADVICE = (
    "Give the worker more memoryLimitMiB or a lower flowRunLimit, or run this in an ECS pool, "
    "where flowRunDefaults.outOfMemory starts it again with more."
)


class ControlGroup:
    """What the kernel says of the container's memory, in either version of its control groups, in bytes."""

    def __init__(self) -> None:
        with open("/proc/self/cgroup") as file:
            paths = {controllers: path for _, controllers, path in (line.strip().split(":", 2) for line in file)}
        self._first = "memory" in paths
        root = os.path.join(CGROUPS, "memory") if self._first else CGROUPS
        own = root + paths["memory" if self._first else ""].rstrip("/")
        # A container sees its own group, and no other, at the root.
        self._directory = own if os.path.isdir(own) else root
        whole = task_limit() if self._directory == root else float("inf")
        self.limit = min(whole, self._statistics()["hierarchical_memory_limit"] if self._first else float(self._read("memory.max").replace("max", "inf")))

    def used(self) -> float:
        """Without what the kernel can take back at any time, the contents of files."""
        statistics, prefix = self._statistics(), "total_" if self._first else ""
        files = statistics[f"{prefix}active_file"] + statistics[f"{prefix}inactive_file"]
        return float(self._read("memory.usage_in_bytes" if self._first else "memory.current")) - files

    def kills(self) -> int:
        """How many processes the kernel has ended in it because memory was used up."""
        return int(self._table("memory.oom_control" if self._first else "memory.events")["oom_kill"])

    def _statistics(self) -> dict[str, float]:
        return self._table("memory.stat")

    def _table(self, file: str) -> dict[str, float]:
        return {name: float(value) for name, value in (line.split() for line in self._read(file).splitlines())}

    def _read(self, file: str) -> str:
        with open(os.path.join(self._directory, file)) as opened:
            return opened.read().strip()


def task_limit() -> float:
    """The memory of the whole task, which a container of it does not see in its own group."""
    return float(metadata("/task").get("Limits", {}).get("Memory", "inf")) * 2**20


class Seen(NamedTuple):
    """A flow run when its process was last seen."""

    kills: int  #: How many processes the kernel had ended until then.
    held: int | None  #: In bytes, where that was looked at.


class MemoryWatch:
    """Does nothing where the kernel doesn't say what a container's memory is, as outside of one."""

    def __init__(self, worker: str) -> None:
        self._worker = worker
        self._group: ControlGroup | None = None
        self._marked: set[int] = set()
        self._seen: dict[str, Seen] = {}
        self._ended: dict[str, str] = {}
        self._not_before = 0.0

    def start(self) -> None:
        threading.Thread(target=self._run, daemon=True).start()

    def forget(self, run: str) -> None:
        self._seen.pop(run, None)
        self._ended.pop(run, None)

    def reason(self, run: str) -> str | None:
        """Why a flow run's process was killed, where that was for its memory."""
        if run in self._ended or run not in self._seen or not self._group:
            return self._ended.get(run)
        kills, held = self._seen[run]
        if self._group.kills() == kills:
            return None
        known = f", of which it held {mebibytes(held)} a moment before" if held else ""
        return f"Out of memory: the kernel ended it, as its worker's {mebibytes(self._group.limit)} MiB were used up{known}. {ADVICE}"

    def _run(self) -> None:
        with contextlib.suppress(KeyError, OSError, ValueError):
            self._group = ControlGroup()
        while True:
            try:
                self.look()
                time.sleep(LOOK_SECONDS)
            except Exception as error:
                say(f"warning: nobody knows how much memory flow runs take: {error!r}")
                time.sleep(60 * LOOK_SECONDS)

    def look(self) -> None:
        kills = self._group.kills() if self._group else 0  # before the processes: what ends in between counts
        processes: dict[str, list[int]] = {}
        for process, run in flow_run_processes(self._worker):
            processes.setdefault(run, []).append(process)
        self._mark({process for each in processes.values() for process in each})
        if not self._group:
            return
        limit, used = self._group.limit, self._group.used()
        watched = used > limit * WATCHED_SHARE
        held = {run: sum(map(memory_of, each)) for run, each in processes.items()} if watched else {}
        self._seen.update({run: Seen(kills, held.get(run)) for run in processes})
        scarce = limit - used < min(limit * SPARE_SHARE, SPARE_MOST)
        # Where something else takes the memory, the end of flow runs would not help.
        if scarce and sum(held.values()) > used / 2 and time.monotonic() > self._not_before:
            largest = max(held, key=lambda run: held[run])
            self._ended[largest] = (
                f"Out of memory: it held {mebibytes(held[largest])} of its worker's {mebibytes(limit)} MiB, "
                f"the most of {len(held)} flow runs, and was ended so that the worker can go on. {ADVICE}"
            )
            self._not_before = time.monotonic() + SETTLE_SECONDS
            say(f"flow run {largest}: {self._ended[largest]}")
            for process in processes[largest]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)

    def _mark(self, processes: set[int]) -> None:
        for process in processes - self._marked:
            with contextlib.suppress(OSError), open(f"/proc/{process}/oom_score_adj", "w") as file:
                file.write(OOM_SCORE_ADJ)
        self._marked = processes


def memory_of(process: int) -> int:
    """With its part of what it shares with others."""
    with contextlib.suppress(OSError), open(f"/proc/{process}/smaps_rollup") as file:
        for line in file:
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0


def mebibytes(size: float) -> int:
    return round(size / 2**20)
