"""The memory that a task has: a control group of the kernel, where this process may make one."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from pathlib import Path

_FIRST = Path("/sys/fs/cgroup/memory")  # version 1 has one tree for each thing that it limits
_ROOT, _LIMIT, _EVENTS = (_FIRST, "memory.limit_in_bytes", "memory.oom_control") if _FIRST.is_dir() else (Path("/sys/fs/cgroup"), "memory.max", "memory.events")


class MemoryLimit:
    """Limits nothing where this process may not make groups, which takes root: then the machine's memory is the limit."""

    def __init__(self, task: str, mebibytes: int) -> None:
        self._group = _ROOT / f"stand-in-{task}"
        self._limit = mebibytes * 2**20
        self._holding = threading.Lock()

    def hold(self, process: int) -> None:
        with self._holding, suppress(OSError):
            if not self._group.is_dir():
                self._group.mkdir()
                (self._group / _LIMIT).write_text(str(self._limit))
            (self._group / "cgroup.procs").write_text(str(process))

    @property
    def kills(self) -> int:
        """How many processes the kernel has ended for want of memory."""
        with suppress(OSError):
            return int(dict(line.split() for line in (self._group / _EVENTS).read_text().splitlines())["oom_kill"])
        return 0

    def remove(self) -> None:
        for _ in range(50):
            if not self._group.is_dir():
                return
            with suppress(OSError):  # a process of it may still be ending
                self._group.rmdir()
                return
            time.sleep(0.1)
