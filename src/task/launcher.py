"""Starts a worker with what the Prefect of its image knows, and says once what an older one can't do.

`python -c <this file> <command>`, with nothing but Python's library. The command takes this process over.
"""

from __future__ import annotations

import sys

# As for `prefect` itself: a file in the working directory doesn't stand in for a module.
sys.path[:] = [path for path in sys.path if path]

import os
import re
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version

from task_metadata import this_task

#: Came with Prefect 3.6.23; what is older ends with "No such option".
KEEP_POOL = "--no-create-pool-if-not-found"
LOWEST = "3.4.25"


def limits(ecs: bool) -> Iterator[tuple[str, str, str]]:
    """By package and the version from which on it is otherwise: what the worker can't do."""
    yield "prefect", LOWEST, "nobody has tried whether the worker and its flow runs work"
    if "PREFECT_API_AUTH_STRING" in os.environ:
        yield "prefect", "3.6.14", "a server with an auth string that is newer than that refuses its events, and flow runs crash"
    yield "prefect", "3.6.23", "the worker makes a deleted work pool anew, with Prefect's own template instead of the stack's"
    if ecs:
        yield "prefect-aws", "0.7.11", "a flow run's container has the secret of the Prefect API only, and none of the template's"
    else:
        yield "prefect", "3.6.29", "nobody notices a flow run that has stopped without a word while its process is there"
        yield "prefect", "3.8.1", "flow runs that are interrupted can't clean up"


def numbers(text: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", text)[:3]]


def older(package: str, than: str) -> bool:
    """Whether the image has an older version. What is installed elsewhere has none here, and is taken for a newer one."""
    try:
        return numbers(version(package)) < numbers(than)
    except PackageNotFoundError:
        return False


def name() -> list[str]:
    """The worker's task as `region:cluster:task`, by which the reconciler knows which flow runs are its own, and what became of their worker."""
    if arn := this_task():
        return ["--name", ":".join([arn.split(":")[3], *arn.split("/")[-2:]])]
    if "ECS_CONTAINER_METADATA_URI_V4" in os.environ:
        print("launcher: warning: the worker's task is not known, and nobody helps its flow runs where it can't", flush=True)
    return []


def without_unknown_options(command: list[str]) -> list[str]:
    return [part for part in command if part != KEEP_POOL or not older("prefect", "3.6.23")]


if __name__ == "__main__":
    said = [f"before {package} {since}, {what}" for package, since, what in limits(("--type", "ecs") in zip(sys.argv, sys.argv[1:])) if older(package, since)]
    if said:
        print(f"launcher: warning: this image has Prefect {version('prefect')}: {'; '.join(said)}. Use a newer image.", flush=True)
    command = [*without_unknown_options(sys.argv[1:]), *name()]
    os.execvp(command[0], command)
