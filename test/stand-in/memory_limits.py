"""The memory that a task has: a control group of the kernel, where this process may make one."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from contextlib import suppress
from pathlib import Path

_FIRST = Path("/sys/fs/cgroup/memory")  # version 1 has one tree for each thing that it limits
_ROOT, _LIMIT, _EVENTS = (_FIRST, "memory.limit_in_bytes", "memory.oom_control") if _FIRST.is_dir() else (Path("/sys/fs/cgroup"), "memory.max", "memory.events")


def _as_root(script: str) -> None:
    """Groups are root's. A job of CI has no password to ask for; nobody else's machine is asked."""
    command = ["sh", "-c", script] if os.geteuid() == 0 or "CI" not in os.environ else ["sudo", "-n", "sh", "-c", script]
    subprocess.run(command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


class MemoryLimit:
    """Limits nothing where this process may not make groups: then the machine's memory is the limit."""

    def __init__(self, task: str, mebibytes: int) -> None:
        self._group = _ROOT / f"stand-in-{task}"
        self._limit = mebibytes * 2**20
        self._holding = threading.Lock()

    def hold(self, process: int) -> None:
        with self._holding:
            if not self._group.is_dir():
                _as_root(f"mkdir {self._group} && echo {self._limit} > {self._group / _LIMIT}")
            _as_root(f"echo {process} > {self._group / 'cgroup.procs'}")

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
            _as_root(f"rmdir {self._group}")  # in vain while a process of it is still ending
            time.sleep(0.1)
