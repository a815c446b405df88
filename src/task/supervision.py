"""What the parts of the supervisor of PROCESS workers share."""

from __future__ import annotations

import os
from collections.abc import Iterator

WORKER_NAME = "PREFECT__WORKER_NAME"


def say(text: str) -> None:
    print(f"supervisor: {text}", flush=True)


def flow_run_processes(worker: str) -> Iterator[tuple[int, str]]:
    """The processes of a worker's flow runs, whatever session they are in, each with the id of its flow run."""
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{entry}/environ", "rb") as file:
                variables = dict(item.split("=", 1) for item in file.read().decode(errors="replace").split("\0") if "=" in item)
        except OSError:
            continue
        if variables.get(WORKER_NAME) == worker and "PREFECT__FLOW_RUN_ID" in variables:
            yield int(entry), variables["PREFECT__FLOW_RUN_ID"]
