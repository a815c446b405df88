"""What the parts of the supervisor of PROCESS workers share."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

WORKER_NAME = "PREFECT__WORKER_NAME"


def say(text: str) -> None:
    print(f"supervisor: {text}", flush=True)


def flow_run_processes(worker: str) -> Iterator[tuple[int, str]]:
    """The processes of a worker's flow runs, whatever session they are in, each with the id of its flow run."""
    ours, run = f"\0{WORKER_NAME}={worker}\0".encode(), re.compile(rb"\0PREFECT__FLOW_RUN_ID=([^\0]+)")
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{entry}/environ", "rb", buffering=0) as file:
                environment = b"\0" + file.read()
        except OSError:
            continue
        if ours in environment and (found := run.search(environment)):
            yield int(entry), found[1].decode()
